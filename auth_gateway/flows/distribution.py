"""Events on their way from the audit trail to those who are told: each line once, into the outbox of every destination
that wants it, in the transaction that lets the line wait no longer.

Whoever dies in between has done nothing, and the line waits on. What is told is made before the transaction; inside it
nothing is read or computed, for every login waits for the same writer.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import msgspec
import structlog

from auth_gateway.core.destination import Destination
from auth_gateway.core.event import Event, events_of
from auth_gateway.core.folding import grown
from auth_gateway.core.veil import veiled
from auth_gateway.flows.ports import Destinations, EventLog, Logged, OutboxWriter
from auth_gateway.flows.rendering import rendered
from auth_gateway.flows.storms import HOLD_SECONDS, Storms
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import message_id

MOST_AT_ONCE = 200
MOST_MESSAGES = 250
"""Lines of one transaction, and about how many messages: few enough that no login waits long for it."""
LOOK_EVERY_SECONDS = 1.0
LINGER_SECONDS = 0.05
"""How long after the first line others may join its transaction."""
TICK_SECONDS = 1e-6
"""Between two messages of one transaction, so that they keep their order."""

log = structlog.get_logger(__name__)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one destination, ready to be kept; in a storm, with the key of what may be told as one with it."""

    destination_id: str
    event: Event
    body: bytes
    fold_key: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line that waited, by its place, and what is told of it."""

    seq: int
    messages: tuple[Told, ...]


class Overtaken(Exception):
    """Another gateway has distributed some of these lines: nothing of this batch counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Makes of a line what each destination is told of it. `key_of` gives a destination's own key for hashes, `host` is
    this machine's name."""

    tenant: str
    threshold: float
    key_of: Callable[[str], bytes]
    host: str = ""

    def __call__(self, logged: Logged, destinations: Sequence[Destination]) -> list[Told]:
        """Whoever takes it gets it as far as they asked for it; a line that cannot be told holds up no other."""
        try:
            return [
                self.message(event, destination)
                for event in self.events(logged)
                for destination in destinations
                if destination.filter.takes(event)
            ]
        except Exception:
            log.exception("event_not_told", event_id=logged.line.event_id, kind=logged.line.kind)
            return []

    def events(self, logged: Logged) -> list[Event]:
        """The events of a line, with the person's name."""
        found = events_of(logged.line, tenant=self.tenant, threshold=self.threshold)
        return [
            event if event.username else msgspec.structs.replace(event, username=logged.username) for event in found
        ]

    def message(self, event: Event, destination: Destination) -> Told:
        """One event as that destination gets it."""
        known = veiled(event, destination.privacy, self.key_of(destination.destination_id))
        if destination.tenant:
            known = msgspec.structs.replace(known, tenant=destination.tenant)
        body = rendered(known, destination, host=self.host)
        return Told(destination_id=destination.destination_id, event=event, body=body)


@dataclass(slots=True, kw_only=True)
class Distributor:
    """Distributes until it is cancelled; lives through a database that fails. `told` is called after each transaction
    that put something into the outbox."""

    database: Database
    event_log: EventLog
    destinations: Destinations
    outbox: OutboxWriter
    teller: Teller
    now: Callable[[], float]
    told: Callable[[], None]
    storms: Storms = field(default_factory=Storms)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _has_listeners: bool = False
    _has_more: bool = False

    def wake(self) -> None:
        """Look now; on the event loop only. Where nobody listens the next look comes soon enough."""
        if self._has_listeners:
            self._woken.set()

    async def run(self) -> None:
        """Take turns, and wait in between."""
        while True:
            self._woken.clear()
            try:
                if await self.turn() and self._has_more:
                    continue
            except Exception as error:
                log.error("events_wait", reason=repr(error))
                await asyncio.sleep(LOOK_EVERY_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_SECONDS):
                    await self._woken.wait()
                    await asyncio.sleep(LINGER_SECONDS)

    async def turn(self) -> int:
        """Distribute the oldest lines; how many there were. Another gateway's turn is none of ours."""
        batch = await self.database.read_in_thread(self._batch)
        if not batch:
            return 0
        try:
            done = await self.database.write(partial(self._write, batch, self.now()))
        except Overtaken:
            return 0
        except Refused:
            raise
        except Exception:
            done = await self._one_by_one(batch)
        if done and any(line.messages for line in batch):
            self.told()
        return len(batch) if done else 0

    async def _one_by_one(self, batch: Sequence[Line]) -> bool:
        """What the storage does not take holds up no other: it is passed over, and stays in the audit trail."""
        for line in batch:
            try:
                done = await self.database.write(partial(self._write, [line], self.now()))
            except Exception as error:
                if isinstance(error, Refused | Overtaken):
                    raise
                log.exception("event_not_told", seq=line.seq)
                done = await self.database.write(partial(self._write, [Line(line.seq, ())], self.now()))
            if not done:
                return False
        return True

    def _batch(self, tx: Transaction) -> list[Line]:
        listening = [each for each in self.destinations.list(tx) if each.disabled_at is None]
        self._has_listeners = bool(listening)
        waiting = self.event_log.waiting(tx, MOST_AT_ONCE)
        lines: list[Line] = []
        messages = 0
        for logged in waiting:
            lines.append(Line(logged.seq, self._told_of(logged, listening)))
            messages += len(lines[-1].messages)
            if messages >= MOST_MESSAGES:
                break
        self._has_more = len(lines) < len(waiting) or len(waiting) == MOST_AT_ONCE
        return lines

    def _told_of(self, logged: Logged, listening: Sequence[Destination]) -> tuple[Told, ...]:
        by_id, now = {each.destination_id: each for each in listening}, self.now()
        return tuple(
            msgspec.structs.replace(told, fold_key=self.storms.key(told.event, by_id[told.destination_id], now))
            for told in (self.teller(logged, listening) if listening else ())
        )

    def _write(self, batch: Sequence[Line], now: float, tx: Transaction) -> bool:
        """Raises: Overtaken."""
        if not self.event_log.takes_turn(tx):
            return False
        if self.event_log.told(tx, [line.seq for line in batch]) != len(batch):
            raise Overtaken
        messages = [message for line in batch for message in line.messages]
        for place, message in enumerate(messages):
            self._keep(tx, message, now + place * TICK_SECONDS)
        return True

    def _keep(self, tx: Transaction, message: Told, now: float) -> None:
        event, key = message.event, message.fold_key
        if key:

            def into(body: bytes, count: int) -> bytes:
                return grown(body, count=count, event_id=event.event_id, ts=event.ts)

            if self.outbox.fold(tx, endpoint=message.destination_id, fold_key=key, into=into) is not None:
                return
        self.outbox.add(
            tx,
            message_id=message_id(event.event_id),
            endpoint=message.destination_id,
            event_type=event.type,
            body=message.body,
            now=now,
            order_key=event.user_id,
            fold_key=key or None,
            due_at=now + HOLD_SECONDS if key else None,
        )
