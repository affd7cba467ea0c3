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
from typing import Protocol

import msgspec
import structlog

from auth_gateway.core.destination import Destination, folding_of
from auth_gateway.core.event import Event, events_of
from auth_gateway.core.folding import keys_of
from auth_gateway.core.replay import Replay
from auth_gateway.core.ssf.stream import Listening
from auth_gateway.core.veil import veiled
from auth_gateway.flows.folding import Foldable, Folds, Summary, Told
from auth_gateway.flows.ports import Destinations, EventLog, Logged, OutboxWriter
from auth_gateway.flows.rendering import rendered
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import message_id
from webhooks.outbox import HOLD_SECONDS

MOST_AT_ONCE = 200
MOST_MESSAGES = 250
"""Lines of one transaction, and about how many messages: few enough that no login waits long for it."""
LOOK_EVERY_SECONDS = 1.0
LINGER_SECONDS = 0.05
"""How long after the first line others may join its transaction."""
TICK_SECONDS = 1e-6
"""Between two messages of one transaction, so that they keep their order."""

__all__ = ["Distributor", "Teller", "Told"]

log = structlog.get_logger(__name__)


class Line(msgspec.Struct, frozen=True):
    """One line that waited, by its place, and what is told of it."""

    seq: int
    messages: tuple[Told, ...]


class TellsStreams(Protocol):
    """Makes of a line what each stream of Shared Signals is told of it."""

    def listening(self, tx: Transaction) -> Sequence[Listening]: ...

    def told(self, tx: Transaction, logged: Logged, listening: Sequence[Listening]) -> list[Told]: ...


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
        """Whoever takes it gets it as far as they asked for it."""
        return self._told(
            logged,
            lambda: [
                self.message(event, destination)
                for event in self.events(logged)
                for destination in destinations
                if destination.filter.takes(event)
            ],
        )

    def again(self, logged: Logged, destination: Destination, replay: Replay) -> list[Told]:
        """What a replay tells of a line: as now, and saying which replay it is."""
        return self._told(
            logged,
            lambda: [
                self.message(msgspec.structs.replace(event, replay_id=replay.replay_id), destination)
                for event in self.events(logged)
                if destination.filter.takes(event) and replay.takes(event)
            ],
        )

    def _told(self, logged: Logged, make: Callable[[], list[Told]]) -> list[Told]:
        """What is made of a line; one that cannot be told holds up no other."""
        try:
            return make()
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
        terms = folding_of(destination)
        keys = keys_of(event) if terms.is_on else ()
        foldable = Foldable(keys, terms, known, lambda whole: self._body(whole, destination)) if keys else None
        body = self._body(known, destination)
        return Told(destination_id=destination.destination_id, event=event, body=body, foldable=foldable)

    def _body(self, known: Event, destination: Destination) -> bytes:
        return rendered(known, destination, host=self.host)


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
    folds: Folds = field(default_factory=Folds)
    streams: TellsStreams | None = None
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
            done = await self._tell(batch)
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
                done = await self._tell([line])
            except Overtaken:  # the write that failed was done after all
                return False
            except Refused:
                raise
            except Exception:
                log.exception("event_not_told", seq=line.seq)
                done = await self._tell([Line(line.seq, ())])
            if not done:
                return False
        return True

    def _batch(self, tx: Transaction) -> list[Line]:
        listening = [each for each in self.destinations.list(tx) if each.disabled_at is None]
        streams = self.streams.listening(tx) if self.streams is not None else ()
        self._has_listeners = bool(listening or streams)
        waiting = self.event_log.waiting(tx, MOST_AT_ONCE)
        lines: list[Line] = []
        messages = 0
        for logged in waiting:
            told = self.teller(logged, listening) if listening else []
            tokens = self.streams.told(tx, logged, streams) if self.streams is not None and streams else []
            lines.append(Line(logged.seq, (*told, *tokens)))
            messages += len(lines[-1].messages)
            if messages >= MOST_MESSAGES:
                break
        self._has_more = len(lines) < len(waiting) or len(waiting) == MOST_AT_ONCE
        return lines

    async def _tell(self, batch: Sequence[Line]) -> bool:
        """Whether it was our turn. Folding remembers only what was written.

        Raises: Overtaken.
        """
        plan = await asyncio.to_thread(self.folds.plan, [message for line in batch for message in line.messages])
        begun = await self.database.write(partial(self._write, [line.seq for line in batch], plan.steps, self.now()))
        if begun is None:
            return False
        self.folds.keep(plan, begun)
        return True

    def _write(
        self, seqs: Sequence[int], steps: Sequence[Told | Summary], now: float, tx: Transaction
    ) -> list[Summary] | None:
        """The summaries that were begun, not joined to one that waited; None when it is another gateway's turn.

        Raises: Overtaken.
        """
        if not self.event_log.takes_turn(tx):
            return None
        if self.event_log.told(tx, seqs) != len(seqs):
            raise Overtaken
        begun = []
        for place, step in enumerate(steps):
            moment = now + place * TICK_SECONDS
            if isinstance(step, Told):
                self._add(tx, step, moment)
            elif not self._join(tx, step):
                self._begin(tx, step, moment)
                begun.append(step)
        return begun

    def _add(self, tx: Transaction, message: Told, now: float) -> None:
        self.outbox.add(
            tx,
            message_id=message_id(message.event.event_id),
            endpoint=message.destination_id,
            event_type=message.event.type,
            body=message.body,
            now=now,
            order_key=message.order_key,
        )

    def _join(self, tx: Transaction, summary: Summary) -> bool:
        """Whether what waits took it in. It does not when it stands for others than we remember: a write whose end we
        never heard of was done after all, and what it added must stay counted."""
        into = summary.into
        if into is None:
            return False
        folded = self.outbox.fold(
            tx,
            endpoint=summary.destination_id,
            fold_key=into.fold_key,
            into=lambda _body, more: into.body if more + 1 == into.count else None,
            more=summary.count,
        )
        return folded is not None

    def _begin(self, tx: Transaction, summary: Summary, now: float) -> None:
        self.outbox.add(
            tx,
            message_id=message_id(summary.event.event_id),
            endpoint=summary.destination_id,
            event_type=summary.event.type,
            body=summary.body,
            now=now,
            order_key=summary.order_key,
            fold_key=summary.fold_key,
            due_at=now + HOLD_SECONDS,
            folded=summary.count - 1,
        )
