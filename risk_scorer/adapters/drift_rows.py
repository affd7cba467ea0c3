"""What live logins looked like, in the database: one row of counts for each model and day, and what was last found.

Counts are of no person: erasing somebody leaves them, and nothing in them leads back. They go when they are old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.adapters.tables import drift_counts, drift_looks, verdicts
from risk_scorer.core.drift_report import Day, DriftReport, Looked, Verdict
from risk_scorer.flows.ports import Announcement

Vector = NDArray[np.int64]

THE_MODEL: Final = "model"
"""The one row of looks: about the model in use."""
DRIFT_ORDER: Final = "model.drift"
NEVER: Final = 0.0
MOST_VERDICTS: Final = 10_000
DAY_SECONDS: Final = 86_400.0

BEGIN_DAY = Statement(insert(drift_counts).on_conflict_do_nothing())
HOLD_DAY = Statement(
    select(drift_counts.c.counts)
    .where(drift_counts.c.model_version == bindparam("of_version"), drift_counts.c.day == bindparam("of_day"))
    .with_for_update()
)
WRITE_DAY = Statement(
    update(drift_counts)
    .where(drift_counts.c.model_version == bindparam("of_version"), drift_counts.c.day == bindparam("of_day"))
    .values(counts=bindparam("new_counts"))
)
DAYS = Statement(
    select(drift_counts.c.counts).where(
        drift_counts.c.model_version == bindparam("of_version"), drift_counts.c.day >= bindparam("from_day")
    )
)
DROP_DAYS = Statement(delete(drift_counts).where(drift_counts.c.day < bindparam("before_day")))
BEGIN_LOOKS = Statement(insert(drift_looks).on_conflict_do_nothing())
_LOOK = select(drift_looks.c.looked_at, drift_looks.c.changes, drift_looks.c.report).where(
    drift_looks.c.name == bindparam("of_name")
)
LOOK = Statement(_LOOK)
HOLD_LOOK = Statement(_LOOK.with_for_update())
WRITE_LOOK = Statement(
    update(drift_looks)
    .where(drift_looks.c.name == bindparam("of_name"))
    .values(looked_at=bindparam("now"), changes=bindparam("new_changes"), report=bindparam("new_report"))
)
JUDGED = Statement(
    select(verdicts.c.verdict, verdicts.c.score)
    .where(verdicts.c.recorded_at >= bindparam("since"), verdicts.c.verdict != "dismissed")
    .order_by(verdicts.c.recorded_at.desc(), verdicts.c.event_id)
    .limit(MOST_VERDICTS)
)

log = structlog.get_logger(__name__)


class _Score(msgspec.Struct):
    risk_score: float
    model_version: str


_counts = msgspec.msgpack.Decoder(list[int])
_score = msgspec.json.Decoder(_Score)
_report = msgspec.json.Decoder(DriftReport)
_encode = msgspec.json.Encoder().encode


class DriftRows:
    """The rows, as the event loop uses them; the functions below are for whoever has a transaction."""

    def __init__(
        self, database: Database, *, clock: Clock, announce_to: str | None, wake_delivery: Callable[[], None]
    ) -> None:
        """`announce_to` is the endpoint that hears of an alarm; None where nobody does."""
        self._database = database
        self._clock = clock
        self._announce_to = announce_to
        self._wake_delivery = wake_delivery
        self._outbox = OUTBOX

    async def add(self, counts: Mapping[Day, Vector]) -> None:
        """Add to what is kept, durably. Raises: Refused."""
        ordered = {at: [int(count) for count in counts[at]] for at in sorted(counts)}
        await self._database.write(lambda tx: _add(tx, ordered))

    async def summed(self, model_version: str, first_day: int, length: int) -> Vector:
        """What that model counted from that day on, as a vector of this length. Raises: Refused."""
        days = await self._database.read_in_thread(
            lambda tx: tx.all(DAYS, of_version=model_version, from_day=first_day)
        )
        return summed_of(days, length)

    async def verdicts(self, model_version: str, since: float) -> list[Verdict]:
        """The newest verdicts that came since then on logins which that model scored. Raises: Refused."""
        return verdicts_of(await self._database.read_in_thread(lambda tx: tx.all(JUDGED, since=since)), model_version)

    async def is_due(self, before: float, *, now: float) -> bool:
        """Whether the last look was before that; the first time it only remembers when. Raises: Refused."""
        row = await self._database.read_in_thread(lambda tx: tx.one(LOOK, of_name=THE_MODEL))
        if row is None:
            await self._database.write(
                lambda tx: tx.run(BEGIN_LOOKS, name=THE_MODEL, looked_at=now, changes=0, report=None)
            )
            return False
        return float(row[0]) <= before

    async def latest(self) -> Looked | None:
        """What was last found. Raises: Refused."""
        return await self._database.read_in_thread(latest_of)

    async def settle(self, found: DriftReport, *, after: Looked | None, message: Announcement | None) -> bool:
        """Keep what was found and announce it, in one transaction, unless somebody else looked since `after`.

        Raises: Refused.
        """
        now, body, endpoint = self._clock.now(), _encode(found), self._announce_to
        seen = (NEVER, 0) if after is None else (after.found_at, after.changes)
        changes = seen[1] + (message is not None)

        def job(tx: Transaction) -> bool:
            tx.run(BEGIN_LOOKS, name=THE_MODEL, looked_at=NEVER, changes=0, report=None)
            row = tx.one(HOLD_LOOK, of_name=THE_MODEL)
            if row is None or (NEVER if row[2] is None else row[0], row[1]) != seen:
                return False
            tx.run(WRITE_LOOK, of_name=THE_MODEL, now=now, new_changes=changes, new_report=body)
            if message is not None and endpoint is not None:
                self._announce(tx, message, endpoint, now)
            return True

        is_ours = await self._database.write(job)
        if is_ours and message is not None:
            self._wake_delivery()
        return is_ours

    def _announce(self, tx: Transaction, message: Announcement, endpoint: str, now: float) -> None:
        self._outbox.add(
            tx,
            message_id=message.message_id,
            endpoint=endpoint,
            event_type=message.event_type,
            body=message.body,
            now=now,
            order_key=DRIFT_ORDER,  # that it was cleared is not told before that it was raised
        )

    async def prune(self, before: float) -> int:
        """Drop the days that lie before that time; how many rows went. Raises: Refused."""
        day = int(before // DAY_SECONDS)
        return await self._database.write(lambda tx: tx.run(DROP_DAYS, before_day=day))


def _add(tx: Transaction, counts: Mapping[Day, list[int]]) -> None:
    for (version, day), more in counts.items():
        tx.run(BEGIN_DAY, model_version=version, day=day, counts=msgspec.msgpack.encode([]))
        row = tx.one(HOLD_DAY, of_version=version, of_day=day)
        kept = [] if row is None else _read(row[0])
        if len(kept) == len(more):
            more = [one + other for one, other in zip(kept, more, strict=True)]
        tx.run(WRITE_DAY, of_version=version, of_day=day, new_counts=msgspec.msgpack.encode(more))


def _read(stored: bytes) -> list[int]:
    try:
        return _counts.decode(stored)
    except msgspec.MsgspecError:
        log.warning("drift_counts_unreadable")  # written by another version; that day is counted anew
        return []


def summed_of(days: Sequence[Row], length: int) -> Vector:
    """What these rows of `DAYS` counted; days of another length are another version's and count for nothing."""
    total = np.zeros(length, np.int64)
    for (stored,) in days:
        counts = _read(stored)
        if len(counts) == length:
            total += np.array(counts, np.int64)
    return total


def verdicts_of(rows: Sequence[Row], model_version: str) -> list[Verdict]:
    """Of these rows of `JUDGED` (the newest ten thousand verdicts) those on logins which that model scored."""
    found = []
    for verdict, stored in rows:
        try:
            score = None if stored is None else _score.decode(stored)
        except msgspec.MsgspecError:
            continue
        if score is not None and score.model_version == model_version:
            found.append(Verdict(verdict == "confirmed_compromised", score.risk_score))
    return found


def latest_of(tx: Transaction) -> Looked | None:
    """What was last found; None where nobody ever looked."""
    return looked_of(tx.one(LOOK, of_name=THE_MODEL))


def looked_of(row: Row | None) -> Looked | None:
    """This row of `LOOK`; its report is None where nobody looked yet, and where another version wrote it."""
    if row is None:
        return None
    report = None
    with suppress(msgspec.MsgspecError):
        report = None if row[2] is None else _report.decode(row[2])
    return Looked(report=report, changes=int(row[1]), found_at=NEVER if row[2] is None else float(row[0]))
