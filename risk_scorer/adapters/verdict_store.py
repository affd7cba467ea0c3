"""What people found out about logins: kept for training, and told to the histories in the same transaction.

Fails closed: a verdict is either recorded with all that it changes, on the disk before the answer, or refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from risk_scorer.adapters import verdict_rows
from risk_scorer.adapters.history_rows import OpenHistories, Written
from risk_scorer.adapters.lesson_rows import lessons_of
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.flows.ports import Judgement, Remembered


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


def _record(tx: Transaction, judgements: Sequence[Judgement], now: float) -> tuple[int, dict[str, Written]]:
    """How many were news, and the histories that changed; a function of the transaction alone."""
    histories = OpenHistories(tx)
    concerned = (verdict_rows.whose(tx, judgement) for judgement in judgements)
    histories.hold(user for user in list(concerned) if user is not None)
    people = [verdict_rows.record(tx, histories, judgement, now) for judgement in judgements]
    news = [user for user in people if user is not None]
    for user in dict.fromkeys(news):
        verdict_rows.mark(tx, histories, user)
    return len(news), histories.write(now)
