"""Receivers fetch their events: what waits is handed out until it is acknowledged, and a poll may wait for something.

Source: RFC 8936, section 2.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import msgspec

from auth_gateway.core.ssf.stream import POLL, Stream
from auth_gateway.flows.places import Places
from auth_gateway.flows.ports import Clock, Collected, Mailbox, SetCodec, Streams
from auth_gateway.flows.ssf.ownership import held, owned
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import MESSAGE_PREFIX, message_id

LONGEST_WAIT_SECONDS = 20.0
LOOK_EVERY_SECONDS = 1.0
"""What another process put there is handed out after this at the latest."""
LEASE_SECONDS = 15.0
"""For how long what a poll got is not handed out again: enough to acknowledge it, and little for whoever died."""
MOST_EVENTS = 100
"""Of one answer."""
MOST_WAITING = 256
"""Polls that wait at once; the next one is answered at once with what there is."""


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """One request: the events that were taken, those that were not and why, and how many more may come."""

    acknowledged: Sequence[str] = ()
    refused: Mapping[str, str] = {}
    most: int = MOST_EVENTS
    is_patient: bool = True


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: tokens by their `jti`, oldest first."""

    sets: dict[str, str] = {}
    more_available: bool = False


class Bell:
    """Wakes polls that wait; on the event loop only. Once it `is_closed`, nobody waits for it any more."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.is_closed = False

    def ring(self) -> None:
        """Something may be there."""
        self._rung.set()
        self._rung = asyncio.Event()

    def close(self) -> None:
        """The gateway is told to stop: whoever waits is answered with what there is, and may ask another one."""
        self.is_closed = True
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until it rings, or so long."""
        rung = self._rung
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await rung.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """Answers polls of streams."""

    database: Database
    clock: Clock
    streams: Streams
    mailbox: Mailbox
    sets: SetCodec
    bell: Bell
    lease_seconds: float = LEASE_SECONDS
    longest_wait_seconds: float = LONGEST_WAIT_SECONDS
    places: Places = field(default_factory=lambda: Places(MOST_WAITING))

    async def __call__(
        self, client_id: str, stream_id: str, poll: Poll, has_left: Callable[[], Awaitable[bool]]
    ) -> Polled:
        """What waits, or nothing when nothing came while the poll waited. `has_left` says whether the receiver is still
        there: what is handed to nobody would have to wait for its lease.

        Raises: Refused `unknown_stream` (404), 503.
        """
        await self.database.read_in_thread(lambda tx: _polled(owned(self.streams, tx, client_id, stream_id)))
        collected = await self._turn(client_id, stream_id, poll)
        if collected.messages or not poll.is_patient or poll.most == 0:
            return self._answer(collected)
        with ExitStack() as place:
            try:
                place.enter_context(self.places.one())
            except Refused:
                return self._answer(collected)
            return self._answer(await self._wait(client_id, stream_id, poll, has_left))

    async def _wait(
        self, client_id: str, stream_id: str, poll: Poll, has_left: Callable[[], Awaitable[bool]]
    ) -> Collected:
        """What comes while there is time; the time is the event loop's own, as nothing is decided by it."""
        loop, again = asyncio.get_running_loop(), Poll(most=poll.most)
        until = loop.time() + self.longest_wait_seconds
        while (left := until - loop.time()) > 0 and not self.bell.is_closed:
            await self.bell.wait(min(left, LOOK_EVERY_SECONDS))
            if await has_left():
                break
            collected = await self._turn(client_id, stream_id, again)
            if collected.messages:
                return collected
        return Collected([], has_more=False)

    async def _turn(self, client_id: str, stream_id: str, poll: Poll) -> Collected:
        """Mark and collect in one transaction; a look costs nothing, a transaction costs a commit."""
        now = self.clock.now()
        has_some = await self.database.read_in_thread(lambda tx: self.mailbox.has_some(tx, stream_id, now))
        if not has_some and not poll.acknowledged and not poll.refused:
            return Collected([], has_more=False)

        def job(tx: Transaction) -> Collected:
            stream = _polled(held(self.streams, tx, client_id, stream_id))
            self.mailbox.settle(tx, stream_id, list(map(message_id, poll.acknowledged)), now)
            for jti, error in poll.refused.items():
                self.mailbox.refuse(tx, stream_id, message_id(jti), error=f"set_{error}", now=now)
            if stream.status != "enabled":
                return Collected([], has_more=False)
            if poll.most == 0:
                return Collected([], self.mailbox.has_some(tx, stream_id, now))
            until = now + self.lease_seconds
            return self.mailbox.collect(tx, stream_id, now=now, until=until, limit=poll.most)

        return await self.database.write(job)

    def _answer(self, collected: Collected) -> Polled:
        sets = {
            each.removeprefix(MESSAGE_PREFIX): self.sets.fresh(body).decode("ascii")
            for each, body in collected.messages
        }
        return Polled(sets=sets, more_available=collected.has_more)


def _polled(stream: Stream) -> Stream:
    """A stream that is pushed has nothing to poll."""
    if stream.method != POLL:
        raise Refused("unknown_stream", "There is no stream of this id that is polled.", status=404)
    return stream
