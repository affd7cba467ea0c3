"""The operator looks at every receiver's streams, and ends one; for commands, blocks."""

from dataclasses import dataclass
from functools import partial

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.ssf.stream import Stream
from auth_gateway.flows.ports import AuditTrail, Clock, OutboxWriter, Randomness, Streams
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """All streams, whoever's they are."""

    database: Database
    clock: Clock
    randomness: Randomness
    streams: Streams
    outbox: OutboxWriter
    audit: AuditTrail

    def list(self) -> list[Stream]:
        """Oldest first."""
        return self.database.read(self.streams.list)

    def find(self, stream_id: str) -> Stream:
        """The one of that id.

        Raises: Refused `unknown_stream` (404).
        """
        found = self.database.read(partial(self.streams.find, stream_id=stream_id))
        if found is None:
            raise Refused("unknown_stream", "there is no stream of this id", status=404)
        return found

    def remove(self, stream_id: str) -> None:
        """Nothing is sent any more, and what waits goes nowhere.

        Raises: as `find`.
        """
        found, now = self.find(stream_id), self.clock.now()
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=now,
            kind="stream.removed",
            client_id=found.client_id,
            rule="operator",
            detail=stream_id,
        )

        def job(tx: Transaction) -> None:
            if self.streams.remove(tx, stream_id):
                self.outbox.remove(tx, endpoint=stream_id)
                self.audit.record(tx, line)

        self.database.write_sync(job)
