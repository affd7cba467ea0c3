"""What came by the stream, in the same log as everything that was scored: each id once, however often it is delivered.

The log knows its ids for as long as it keeps its events, so that is how long a repeated one is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.event_log import EventLog, append_row
from risk_scorer.adapters.event_places import claim, known, settle
from risk_scorer.adapters.tables import stream_offsets
from risk_scorer.flows.ports import Announcement, Known, Place, StreamResult

ROW_EVENTS: Final = 250
"""Events in a row of the log: to look at one of them, all of its row are read."""

OFFSET = Statement(
    select(stream_offsets.c.next_offset).where(
        stream_offsets.c.topic == bindparam("of_topic"), stream_offsets.c.partition == bindparam("of_partition")
    )
)
_ADVANCE = insert(stream_offsets).values(
    topic=bindparam("topic"),
    partition=bindparam("partition"),
    next_offset=bindparam("next_offset"),
    updated_at=bindparam("updated_at"),
)
ADVANCE = Statement(
    _ADVANCE.on_conflict_do_update(
        index_elements=["topic", "partition"],
        set_={"next_offset": _ADVANCE.excluded.next_offset, "updated_at": _ADVANCE.excluded.updated_at},
        # A process that lost the place to another one may still write what it had in hand.
        where=stream_offsets.c.next_offset < _ADVANCE.excluded.next_offset,
    )
)


class StreamLog:
    """The log as the stream uses it. Use it from the event loop."""

    def __init__(self, database: Database, log: EventLog, *, clock: Clock) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    async def known(self, event_ids: Sequence[str], places: Sequence[Place]) -> Known:
        """Which of these ids the log has, and up to where the places were kept. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: _known(tx, event_ids, places))

    async def keep(
        self,
        results: Sequence[StreamResult],
        announcements: Sequence[Announcement],
        offsets: Mapping[Place, int],
    ) -> frozenset[str]:
        """Keep what is new, durably; which ids those are. Raises: Refused."""
        now = self._clock.now()
        announce = self._log.announcing(announcements)

        def job(tx: Transaction) -> frozenset[str]:
            fresh = claim(tx, (each.event_id for each in results))
            new = [each for each in results if each.event_id in fresh]
            for start in range(0, len(new), ROW_EVENTS):
                part = new[start : start + ROW_EVENTS]
                body = b"[%b]" % b",".join([each.body for each in part])
                row_id = append_row(tx, len(part), part[-1].ts_scored, body)
                settle(tx, row_id, (each.event_id for each in part))
            announce(tx)
            for (topic, partition), end in offsets.items():
                tx.run(ADVANCE, topic=topic, partition=partition, next_offset=end, updated_at=now)
            return fresh

        kept = await self._database.write(job)
        self._log.announced([each.shown for each in results if each.shown is not None and each.event_id in kept])
        return kept


def _known(tx: Transaction, event_ids: Sequence[str], places: Sequence[Place]) -> Known:
    rows = {place: tx.one(OFFSET, of_topic=place[0], of_partition=place[1]) for place in places}
    return Known(
        event_ids=known(tx, event_ids),
        offsets={place: row[0] for place, row in rows.items() if row is not None},
    )
