"""What people found out about logins: kept for training, and told to the histories in the same transaction.

Fails closed: a verdict is either recorded with all that it changes, on the disk before the answer, or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import bindparam, select

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters import verdict_rows
from risk_scorer.adapters.history_rows import Kept, OpenHistories
from risk_scorer.adapters.lesson_rows import lessons_of
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.tables import verdicts
from risk_scorer.contract.events import LoginEvent
from risk_scorer.flows.ports import Judgement, Remembered

PAGE_ROWS = 1000
LABELS = {"confirmed_compromised": "compromised", "confirmed_safe": "safe"}

LABELLED = Statement(
    select(verdicts.c.event_id, verdicts.c.verdict, verdicts.c.by, verdicts.c.ts, verdicts.c.event)
    .where(verdicts.c.event_id > bindparam("after_id"), verdicts.c.verdict != "dismissed")
    .order_by(verdicts.c.event_id)
    .limit(PAGE_ROWS)
)
_events = msgspec.json.Decoder(LoginEvent)
_encode = msgspec.json.Encoder().encode


class VerdictStore:
    """Verdicts by the id that a login was scored with. Belongs to the event loop's thread, as the histories do."""

    def __init__(self, database: Database, *, profiles: ProfileStore, clock: Clock) -> None:
        self._database = database
        self._profiles = profiles
        self._clock = clock

    async def remembered(self, event_ids: Sequence[str]) -> list[Remembered]:
        """What is kept of each login apart from the log, in the given order. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: [_remembered(tx, each) for each in event_ids])

    async def record(self, judgements: Sequence[Judgement]) -> int:
        """Record all of them in order, durably, and move the histories; how many were no news. Raises: Refused."""
        now = self._clock.now()
        news, changed = await self._database.write(lambda tx: _record(tx, judgements, now))
        self._profiles.keep(changed)
        return len(judgements) - news


def _remembered(tx: Transaction, event_id: str) -> Remembered:
    lessons = lessons_of(tx, event_id)
    return Remembered(
        is_judged=verdict_rows.find(tx, event_id) is not None,
        own=lessons.own[0] if lessons.own else None,
        failed=lessons.failed,
    )


def _record(tx: Transaction, judgements: Sequence[Judgement], now: float) -> tuple[int, dict[str, Kept]]:
    """How many were news, and the histories that changed; a function of the transaction alone."""
    histories = OpenHistories(tx)
    people = [verdict_rows.record(tx, histories, judgement, now) for judgement in judgements]
    news = [user for user in people if user is not None]
    for user in dict.fromkeys(news):
        verdict_rows.mark(tx, histories, user)
    return len(news), histories.write(now)


def label_lines(database: Database) -> Iterator[bytes]:
    """Every confirmed login as one JSON object a line: the event's fields, `label`, `by` and `at`. Raises: Refused."""
    after_id = ""
    while rows := database.read(lambda tx, after_id=after_id: tx.all(LABELLED, after_id=after_id)):  # type: ignore[misc]
        for event_id, verdict, by, ts, event in rows:
            fields = msgspec.structs.asdict(_events.decode(event))
            yield _encode({**fields, "event_id": event_id, "label": LABELS[verdict], "by": by, "at": ts}) + b"\n"
        after_id = rows[-1][0]
