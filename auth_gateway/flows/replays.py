"""A span of the event log told again to one destination, a bounded piece at a time, by whichever gateway is there.

The rule that keeps two from doubling it: of a destination one replay runs at a time, and each piece is added in the
transaction that moves the replay from the place before it, by a compare-and-set, to the place behind it. Whoever dies
in between has done nothing; whoever comes second does nothing.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog

from auth_gateway.core.destination import Filter, check_terms
from auth_gateway.core.replay import Replay
from auth_gateway.flows.deliveries import require_enabled
from auth_gateway.flows.destinations import Listeners
from auth_gateway.flows.distribution import TICK_SECONDS, Teller
from auth_gateway.flows.folding import Told
from auth_gateway.flows.ports import DeliveryLog, Destinations, EventLog, OutboxWriter, Replays
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import message_id

LINES_AT_ONCE = 200
MOST_WAITING = 2_000
"""With so many messages before it a replay waits: what happens now must not stand behind all that ever happened."""
LOOK_EVERY_SECONDS = 1.0
ID_BYTES = 9
LONGEST_LIST = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskReplays:
    """Begins and ends replays; blocks, so the event loop asks it in a thread."""

    listeners: Listeners
    replays: Replays

    def begin(
        self, name_or_id: str, *, since: float, until: float, types: tuple[str, ...] = (), by: str | None = None
    ) -> Replay:
        """Tell that destination again what happened from `since` to before `until`, but nothing of what is still to
        come: it is told of that as it happens.

        Raises: Refused `unknown_destination` (404), `invalid_span` (400), `invalid_destination` (400) for types that
            there are not, `destination_disabled` and `replay_running` (409).
        """
        found, now = self.listeners.find(name_or_id), self.listeners.clock.now()
        require_enabled(found)
        until = min(until, now)
        if not 0 <= since < until:
            raise Refused("invalid_span", "a span begins before it ends, and before now", status=400)
        check_terms(msgspec.structs.replace(found, filter=Filter(types=types)))
        replay = Replay(
            replay_id=f"rpl_{self.listeners.randomness.token(ID_BYTES)}",
            destination_id=found.destination_id,
            since=since,
            until=until,
            types=types,
            at_ts=since,
            asked_at=now,
        )
        line = self.listeners.line("webhook.replayed", f"{found.destination_id} {replay.replay_id}", by)

        def job(tx: Transaction) -> bool:
            if not self.replays.add(tx, replay):
                return False
            self.listeners.audit.record(tx, line)
            return True

        if not self.listeners.database.write_sync(job):
            raise Refused(
                "replay_running", "a replay to this destination runs: wait for its end or stop it", status=409
            )
        return replay

    def list(self, name_or_id: str) -> list[Replay]:
        """Those to that destination, the newest first, fifty at the most.

        Raises: Refused `unknown_destination` (404).
        """
        found = self.listeners.find(name_or_id)
        return self.listeners.database.read(lambda tx: self.replays.of(tx, found.destination_id, LONGEST_LIST))

    def stop(self, name_or_id: str, *, by: str | None = None) -> None:
        """End the one that runs; what it has put into the outbox is sent.

        Raises: Refused `unknown_destination` (404), `no_replay` (409).
        """
        found = self.listeners.find(name_or_id)
        line = self.listeners.line("webhook.replay_stopped", found.destination_id, by)

        def job(tx: Transaction) -> bool:
            latest = self.replays.of(tx, found.destination_id, 1)
            if not self.replays.stop(tx, found.destination_id, line.ts):
                return False
            detail = " ".join((found.destination_id, *(each.replay_id for each in latest)))
            self.listeners.audit.record(tx, msgspec.structs.replace(line, detail=detail))
            return True

        if not self.listeners.database.write_sync(job):
            raise Refused("no_replay", "no replay to this destination runs", status=409)


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What comes next of a replay: its messages, and the replay as it is when they are added."""

    before: Replay
    after: Replay
    messages: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayer:
    """Tells again what was asked for until it is cancelled; lives through a database that fails."""

    database: Database
    event_log: EventLog
    destinations: Destinations
    replays: Replays
    log: DeliveryLog
    outbox: OutboxWriter
    teller: Teller
    now: Callable[[], float]
    told: Callable[[], None]

    async def run(self) -> None:
        """Take turns; rest when there is nothing to do."""
        while True:
            try:
                has_more = await self.turn()
            except Exception as error:
                log.error("replays_wait", reason=repr(error))
                has_more = False
            if not has_more:
                await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def turn(self) -> bool:
        """The next piece of each replay that runs; False when none came further."""
        pieces = await self.database.read_in_thread(self._pieces)
        done = [await self.database.write(partial(self._write, piece, self.now())) for piece in pieces]
        if any(done):
            self.told()
        return any(done)

    def _pieces(self, tx: Transaction) -> Sequence[Piece]:
        pieces = [self._piece(tx, replay) for replay in self.replays.running(tx)]
        return [piece for piece in pieces if piece is not None]

    def _piece(self, tx: Transaction, replay: Replay) -> Piece | None:
        destination = self.destinations.find(tx, replay.destination_id)
        if destination is None:
            return Piece(before=replay, after=self._ended(replay))
        if destination.disabled_at is not None:
            return None
        if self.log.waiting(tx, endpoint=replay.destination_id, most=MOST_WAITING) == MOST_WAITING:
            return None
        lines = self.event_log.between(tx, replay.at_ts, replay.until, after=replay.at_seq, limit=LINES_AT_ONCE)
        messages = [told for logged in lines for told in self.teller.again(logged, destination, replay)]
        after = msgspec.structs.replace(replay, messages=replay.messages + len(messages))
        if lines:
            after = msgspec.structs.replace(after, at_ts=lines[-1].line.ts, at_seq=lines[-1].seq)
        if len(lines) < LINES_AT_ONCE:
            after = self._ended(after)
        return Piece(before=replay, after=after, messages=tuple(messages))

    def _ended(self, replay: Replay) -> Replay:
        return msgspec.structs.replace(replay, ended_at=self.now())

    def _write(self, piece: Piece, now: float, tx: Transaction) -> bool:
        if not self.replays.advance(tx, piece.before, piece.after):
            return False
        for place, message in enumerate(piece.messages):
            self.outbox.add(
                tx,
                message_id=piece.before.message_id(message_id(message.event.event_id)),
                endpoint=message.destination_id,
                event_type=message.event.type,
                body=message.body,
                now=now + place * TICK_SECONDS,
                order_key=message.order_key,
            )
        return True
