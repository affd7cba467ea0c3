"""Scorers that share one database, each with connections of its own: no lesson is lost or doubled between them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.event_months import EventMonths
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import open_database, ping
from risk_scorer.adapters.stream_log import StreamLog
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.core.history import UserHistory, encode
from risk_scorer.core.verdicts import taught_by
from risk_scorer.flows.announce import high_risk_message
from risk_scorer.flows.ports import JudgedLogin, Judgement, Lesson, StreamResult
from tests.integration.risk_scorer.observations import NOW, event, observation, scored
from tests.postgresql import Server

SCORERS = 3


@pytest.fixture
def databases(scorer_url: str) -> Iterator[list[Database]]:
    """The same database, opened by each of them."""
    with ExitStack() as stack:
        opened = [open_database(scorer_url) for _ in range(SCORERS)]
        for each in opened:
            stack.callback(each.close)
        yield opened


@pytest.fixture
def profiles(databases: list[Database]) -> list[ProfileStore]:
    return [ProfileStore(each, clock=FixedClock(NOW), cached_users=0) for each in databases]


def at_once(jobs: Sequence[Callable[[], Coroutine[Any, Any, Any]]]) -> list[Any]:
    """What each of them gives, all begun together and each on an event loop of its own."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async def begin() -> Any:
            return await job()

        start.wait(10)
        return asyncio.run(begin())

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def lessons(names: Sequence[str], users: Sequence[str]) -> list[Lesson]:
    return [
        Lesson(event_id=f"{name}-{user}", observation=observation(user_id=user), outcome="success")
        for name in names
        for user in users
    ]


def logins(store: ProfileStore, user: str) -> int:
    [history] = store.get_many([user])
    return 0 if history is None else history.logins


def test_each_outcome_counts_once_whoever_learns_it(profiles: list[ProfileStore], rounds: int) -> None:
    """New people and known ones, in different orders, some outcomes told to all: the counts are exact everywhere."""
    users = ["alice", "bob", "carol"]
    for turn in range(rounds):
        told = [lessons([f"{turn}-all", f"{turn}-{n}"], users[n:] + users[:n]) for n in range(SCORERS)]
        fresh = [lessons([f"{turn}"], [f"new-{turn}"]) for _ in range(SCORERS)]
        mine = zip(profiles, told, fresh, strict=True)
        learned = at_once([lambda each=each: both(*each) for each in mine])  # type: ignore[misc]
        assert sum(learned) == len(users) * (1 + SCORERS) + 1
        expected = (turn + 1) * (1 + SCORERS)
        assert [[logins(store, user) for user in users] for store in profiles] == [[expected] * 3] * SCORERS
        assert [logins(store, f"new-{turn}") for store in profiles] == [1] * SCORERS


async def both(store: ProfileStore, first: list[Lesson], second: list[Lesson]) -> int:
    return sum(await asyncio.gather(store.learn(first), store.learn(second)))


def test_what_one_has_learned_the_next_score_of_another_knows(profiles: list[ProfileStore]) -> None:
    """Nothing of a history is kept in a process that shares its database."""
    here, there, _ = profiles
    assert logins(there, "alice") == 0
    asyncio.run(here.learn(lessons(["e1"], ["alice"])))
    assert logins(there, "alice") == 1
    asyncio.run(there.learn(lessons(["e2"], ["alice"])))
    assert here.get_many(["alice", "nobody", "alice"]) == there.get_many(["alice", "nobody", "alice"])
    assert logins(here, "alice") == 2


def test_somebody_who_was_only_held_is_nobody(profiles: list[ProfileStore], databases: list[Database]) -> None:
    """A lesson that was known already leaves no history behind, and a model's import fills it in."""
    here, there, _ = profiles
    asyncio.run(here.learn(lessons(["e1"], ["alice"])))
    again = [msgspec.structs.replace(lessons(["e1"], ["alice"])[0], observation=observation(user_id="bob"))]
    assert asyncio.run(there.learn(again)) == 0
    assert here.get_many(["bob"]) == [None]
    assert here.import_histories("sha-1", [("bob", encode(UserHistory(logins=50)))]) == 1
    assert logins(there, "bob") == 50


def test_verdicts_at_once_leave_one_and_the_history_that_belongs_to_it(
    databases: list[Database], profiles: list[ProfileStore], rounds: int
) -> None:
    """The login is learned by one while others judge it: what stands in the end is in the history, once."""
    stores = [
        VerdictStore(database, profiles=store, clock=FixedClock(NOW))
        for database, store in zip(databases, profiles, strict=True)
    ]
    for turn in range(rounds):
        name, user = f"v{turn}", f"user-{turn}"
        told = [Lesson(event_id=name, observation=seen(name, user), outcome="success")]
        jobs: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda told=told: profiles[0].learn(told),  # type: ignore[misc]
            lambda name=name, user=user: stores[1].record([judgement(name, user, "confirmed_compromised")]),  # type: ignore[misc]
            lambda name=name, user=user: stores[2].record([judgement(name, user, "confirmed_safe")]),  # type: ignore[misc]
        ]
        at_once(jobs)
        asyncio.run(stores[1].record([judgement(name, user, "confirmed_safe")]))
        [history] = profiles[0].get_many([user])
        assert history is not None
        assert (history.logins, bool(history.pardoned), bool(history.condemned)) == (1, True, False)
        asyncio.run(stores[2].record([judgement(name, user, "confirmed_compromised")]))
        [history] = profiles[1].get_many([user])
        assert history is not None
        assert (history.logins, bool(history.pardoned), bool(history.condemned)) == (0, False, True)


def seen(name: str, user: str) -> Any:
    return msgspec.structs.replace(observation(user_id=user), event_id=name)


def judgement(name: str, user: str, verdict: Any) -> Judgement:
    context = taught_by(seen(name, user), "success")
    login = JudgedLogin(event=event(user_id=user, event_id=name), score=None, context=context)
    return Judgement(event_id=name, verdict=verdict, by="soc", reason="", ts=NOW, login=login)


def log_of(database: Database) -> EventLog:
    return EventLog(
        database, recent_max=10, clock=FixedClock(NOW), announce_to="announcements", wake_delivery=lambda: None
    )


def test_a_streamed_event_is_kept_by_one_of_them(
    databases: list[Database], rounds: int, run_sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    """Consumers that were handed the same records at once, in different orders, keep and announce each event once."""
    logs = [StreamLog(each, log_of(each), clock=FixedClock(NOW)) for each in databases]
    for turn in range(rounds):
        events = [scored(95.0, f"{turn}-{n}") for n in range(20)]

        def keep(n: int, events: Sequence[Any] = events, turn: int = turn) -> Coroutine[Any, Any, frozenset[str]]:
            mine = [*events[n:], *events[:n]]
            loud = [high_risk_message(each, tenant="t") for each in mine]
            results = [
                StreamResult(
                    each.score.event_id, each.event.user_id, each.score.ts_scored, msgspec.json.encode(each), None
                )
                for each in mine
            ]
            return logs[n].keep(results, loud, {("in", 0): turn * 20 + 20})

        kept = at_once([lambda n=n: keep(n) for n in range(SCORERS)])  # type: ignore[misc]
        assert sorted(name for names in kept for name in names) == sorted(each.score.event_id for each in events)
    assert run_sql("SELECT sum(events) FROM scored_events") == [(rounds * 20,)]
    assert run_sql("SELECT count(*), count(DISTINCT event_key) FROM event_places") == [(rounds * 20, rounds * 20)]
    assert run_sql("SELECT count(*) FROM outbox") == [(rounds * 20,)]
    found = asyncio.run(log_of(databases[0]).find_many(["0-0", f"{rounds - 1}-19"]))
    assert [each and each.score.event_id for each in found] == ["0-0", f"{rounds - 1}-19"]


def test_those_that_start_at_once_migrate_once(postgresql_url: str) -> None:
    """Three starts on an empty server: one makes the tables, the others find them."""
    with ThreadPoolExecutor(SCORERS) as pool:
        opened = list(pool.map(open_database, [postgresql_url] * SCORERS))
    for each in opened:
        assert each.read(ping)
        each.close()


def test_a_schema_of_its_own_in_somebody_elses_database(postgresql_url: str, postgresql_server: Server) -> None:
    """Its tables stand beside others of the same names, those of months among them."""
    postgresql_server.execute("CREATE SCHEMA scorer; CREATE TABLE outbox (other TEXT)", postgresql_url)
    for _ in range(2):
        database = open_database(f"{postgresql_url}&options=-csearch_path%3Dscorer")
        store = ProfileStore(database, clock=FixedClock(NOW), cached_users=0)
        asyncio.run(store.learn(lessons(["e1"], ["alice"])))
        assert logins(store, "alice") == 1
        asyncio.run(EventMonths(database, clock=FixedClock(NOW + 3e8)).prune(NOW))
        database.close()
    sql = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'scored_events%'"
    assert postgresql_server.execute(sql, postgresql_url) == [("scorer",)]
