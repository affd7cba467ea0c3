"""Many lessons cost a few exchanges with the database, and leave what one at a time leaves, on either database."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.core.lessons import taught_by
from risk_scorer.flows.ports import JudgedLogin, Judgement, Lesson
from tests.integration.risk_scorer.observations import NOW, event, observation

pytestmark = pytest.mark.anyio
MOST_EXCHANGES = 8
"""Hold people (make rows for new ones, hold those), see the outcomes, hold the verdicts, add and replace histories, and
say what their rows at the console show."""


class Counted(Transaction):
    """A transaction that counts how often the database is asked and answers."""

    __slots__ = ("exchanges", "inner")

    def __init__(self, inner: Transaction) -> None:
        self.inner, self.exchanges = inner, 0
        self.said, self.traceparent = None, None

    def run(self, statement: Statement, /, **values: Value) -> int:
        self.exchanges += 1
        return self.inner.run(statement, **values)

    def all(self, statement: Statement, /, **values: Value) -> list[Row]:
        self.exchanges += 1
        return self.inner.all(statement, **values)

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> int:
        self.exchanges += 1
        return self.inner.many(statement, rows)

    def each(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> list[int]:
        self.exchanges += 1
        return self.inner.each(statement, rows)


class Counting:
    """A database whose writes are counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.exchanges = 0

    async def write(self, job: Callable[[Transaction], Any]) -> Any:
        def counted(tx: Transaction) -> Any:
            counter = Counted(tx)
            value = job(counter)
            self.exchanges = counter.exchanges
            return value

        return await self._database.write(counted)


def lessons() -> list[Lesson]:
    """Logins of ten people, every fifth failed, some told twice."""
    return [
        Lesson(
            event_id=f"e{number % 100}",
            observation=observation(user_id=f"u{number % 10}", ip=f"198.51.100.{number % 100}"),
            outcome="mfa_passed" if number % 5 else "failure",
        )
        for number in range(120)
    ]


async def test_a_hundred_lessons_cost_a_handful_of_exchanges(database: Database) -> None:
    """However many lessons there are, the database is asked a few times in all."""
    counting: Any = Counting(database)
    profiles = ProfileStore(counting, clock=FixedClock(NOW), cached_users=0)
    for _ in range(2):
        await profiles.learn(lessons())
        assert 0 < counting.exchanges <= MOST_EXCHANGES


async def test_lessons_together_teach_what_they_teach_one_at_a_time(
    database: Database, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """The same histories to the byte and the same outcomes seen; of one told twice the first counts."""
    profiles = ProfileStore(database, clock=FixedClock(NOW), cached_users=0)
    kept = [
        "SELECT user_id, blob FROM user_histories ORDER BY user_id",
        "SELECT event_id, login_id, lesson FROM seen_outcomes ORDER BY event_id",
    ]
    assert sum([await profiles.learn([each]) for each in lessons()]) == 100
    alone = [run_sql(each) for each in kept]
    for table in ("user_histories", "seen_outcomes"):
        run_sql(f"DELETE FROM {table}")  # noqa: S608 - names of ours
    assert await profiles.learn(lessons()) == 100
    together = [run_sql(each) for each in kept]
    assert [[tuple(map(_plain, row)) for row in rows] for rows in together] == [
        [tuple(map(_plain, row)) for row in rows] for rows in alone
    ]
    assert len(together[0]) == 10


async def test_lessons_of_a_judged_login_wait_for_each_other(database: Database) -> None:
    """Two outcomes of one login that a verdict stands on, told at once, are both kept beside the verdict."""
    profiles = ProfileStore(database, clock=FixedClock(NOW), cached_users=0)
    verdicts = VerdictStore(database, profiles=profiles, clock=FixedClock(NOW))
    login = JudgedLogin(event=event(timestamp=NOW), score=None, context=taught_by(observation(), "success"))
    thief = Judgement(event_id="evt", verdict="confirmed_compromised", by="soc", reason="", ts=NOW, login=login)
    assert await verdicts.record([thief]) == 0
    told = [Lesson(event_id=f"e{number}", observation=observation(), outcome="success") for number in range(2)]
    assert await profiles.learn(told) == 0
    assert await verdicts.record([Judgement(**_fields(thief) | {"verdict": "dismissed", "login": None})]) == 0
    [history] = profiles.get_many(["alice"])
    assert history is not None
    assert history.logins == 2


def _fields(judgement: Judgement) -> dict[str, Any]:
    return {name: getattr(judgement, name) for name in judgement.__struct_fields__}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
