"""One receiver and all that waits for it: claim, send, mark, and wait for the next."""

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.randomness import Randomness
from plumbing.tracing import UNTRACED, Tracing
from webhooks.endpoint import Carrier, Receiver, Withdrawn
from webhooks.marks import Fate, Marks, Noted, unnoticed
from webhooks.outbox import Message, Outbox
from webhooks.pace import Foresight, Pace
from webhooks.targets import Resolver
from webhooks.transport import Attempt, retry_after_seconds

__all__ = ["STORAGE_RETRY_SECONDS", "Lane"]

FAILURES_OF_AN_OUTAGE: Final = 3
"""Failures in a row after which a success means "it is back", rather than "that one message was bad"."""
FAILURES_OF_A_LONG_OUTAGE: Final = 32
"""Failures in a row after which a receiver is only probed, so that a backlog for it is not tried row by row."""
PROBE_SECONDS: Final = 1.0
STORAGE_RETRY_SECONDS: Final = 1.0
REMEDY_EVERY_SECONDS: Final = 60.0

MOST_MERGED: Final = 100
"""Messages that travel together at most: a body of a few hundred kilobytes."""
MOST_UNWRITTEN: Final = 64
"""Messages whose fate may be unwritten while others are sent: no more are sent twice when we die, besides those that
are just being sent."""

log = structlog.get_logger("webhooks.delivery")


class Lane:
    """Delivers to one receiver until cancelled or stopped, until the receiver says it is gone for good, or
    `until_empty`. `is_given_up` says that a message was tried for as long as any is, and nothing was taken of late."""

    def __init__(
        self,
        endpoint: Receiver,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        randomness: Randomness,
        pace: Pace,
        resolver: Resolver,
        until_empty: bool = False,
        noted: Noted = unnoticed,
        tracing: Tracing = UNTRACED,
    ) -> None:
        """`noted` is told how each attempt at a message ended."""
        self.endpoint = endpoint
        self.is_disabled = False
        self.is_given_up = False
        self.woken = asyncio.Event()
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._randomness = randomness
        self._pace = pace
        self._resolver = resolver
        self._until_empty = until_empty
        self._noted, self._tracing = noted, tracing
        self._is_empty = False
        self._is_stopped = False
        self._ready: deque[tuple[Message, float]] = deque()
        self._marks = Marks(endpoint.name, database, outbox)
        self._foresight = Foresight()
        self._is_backlog = False
        self._in_flight = 0
        self._failures_in_a_row = 0
        self._paused_until = 0.0
        self._refusals_in_a_row = 0
        self._remedy_said_at: float | None = None

    async def run(self) -> None:
        """Claim and send, never more at once than the receiver's concurrency."""
        opened = self.endpoint.opened(clock=self._clock, resolver=self._resolver, deadline_seconds=self._pace.deadline)
        try:
            async with opened as carrier, asyncio.TaskGroup() as group:
                while not (self.is_disabled or self._is_stopped):
                    self.woken.clear()
                    idle_seconds = await self._claim()
                    self._send(carrier, group)
                    if self._until_empty and self._is_empty and self._is_at_rest:
                        return
                    await self._wait(idle_seconds)
        finally:
            self._put_down()
            self._marks.leave(self._clock.now())

    def stop(self) -> None:
        """Send nothing more; what is in flight comes to its end."""
        self._is_stopped = True
        self.woken.set()

    @property
    def is_failing(self) -> bool:
        """Whether the latest attempts all failed."""
        return self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE

    @property
    def _is_at_rest(self) -> bool:
        return not (self._in_flight or self._ready) and self._marks.is_idle

    async def _claim(self) -> float:
        """Take what is due, as much as there is use for; for how long there is nothing else to do."""
        now = self._clock.now()
        if now < self._paused_until:
            return self._paused_until - now
        most = self._wanted()
        if most <= 0:
            return self._pace.poll
        name, lease = self.endpoint.name, self._pace.lease
        claim = partial(self._outbox.claim, endpoint=name, now=now, limit=most, lease_seconds=lease)
        try:
            if not self._is_backlog:  # a look costs nothing, a claim costs a commit
                look = partial(self._outbox.next_due, endpoint=name, now=now)
                due = await self._database.read_in_thread(look)
                self._is_empty = due is None
                if due is None or due > now:
                    return self._pace.poll if due is None else due - now
            claimed = await self._database.write(claim)
        except Exception as error:
            log.error("outbox_unavailable", endpoint=name, reason=repr(error))
            return STORAGE_RETRY_SECONDS
        self._is_backlog = len(claimed) == most
        self._foresight.claimed(len(claimed), most, self._clock.monotonic())
        self._ready += [(message, now + lease) for message in claimed]
        return 0.0

    def _wanted(self) -> int:
        """How many messages to claim: what can be sent at once, and what a fast receiver will have taken soon."""
        ahead, ready = self._foresight.ahead, len(self._ready)
        if ready > ahead // 2:
            return 0
        free = self.endpoint.concurrency - self._in_flight
        return (free if self.endpoint.merge is None else free * MOST_MERGED) + ahead - ready

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self._pace.poll)):
                await self.woken.wait()
                await asyncio.sleep(self.endpoint.linger_seconds)

    def _send(self, carrier: Carrier, group: asyncio.TaskGroup) -> None:
        while self._in_flight < self.endpoint.concurrency and (together := self._next_load()):
            self._in_flight += 1
            group.create_task(self._deliver(carrier, together, group))
        if not self._marks.is_idle:
            self._begin_flush(group)

    def _next_load(self) -> list[Message]:
        """Messages that travel together: one a request, or as many as the receiver takes; nothing while we hold back.

        What has waited for so long that its lease might not outlast the attempt is given back.
        """
        now, load = self._clock.now(), list[Message]()
        if self.is_disabled or self._is_stopped or now < self._paused_until:
            self._put_down()
        size = 1 if self.endpoint.merge is None else MOST_MERGED
        while self._ready and len(load) < size and self._marks.unwritten < MOST_UNWRITTEN:
            message, leased_until = self._ready.popleft()
            if now + self._pace.deadline < leased_until:
                load.append(message)
            elif now < leased_until:
                self._marks.give_back([message])
        return load

    def _put_down(self) -> None:
        """Give back what was claimed and not sent, unless the lease is over and somebody else may have it."""
        now = self._clock.now()
        self._marks.give_back([message for message, leased_until in self._ready if now < leased_until])
        self._ready.clear()

    def _begin_flush(self, group: asyncio.TaskGroup) -> None:
        flush = self._flush()
        try:
            group.create_task(flush)
        except RuntimeError:  # the lane is ending, and writes what is left when it does
            flush.close()

    async def _flush(self) -> None:
        await self._marks.flush(self._clock.now())
        self.woken.set()

    async def _deliver(self, carrier: Carrier, together: list[Message], group: asyncio.TaskGroup) -> None:
        """These, and then whatever is ready."""
        try:
            while together:
                await self._deliver_once(carrier, together)
                if not self._marks.is_flushing:
                    self._begin_flush(group)
                together = self._next_load()
                if len(self._ready) <= self._foresight.ahead // 2:
                    self.woken.set()
        except Withdrawn:
            self._marks.give_back(together)
            self.stop()
        finally:
            self._in_flight -= 1
            self.woken.set()

    async def _deliver_once(self, carrier: Carrier, together: list[Message]) -> None:
        attempt = await self._attempt(carrier, together)
        if len(together) > 1 and attempt.is_content_refused:
            # One of them is to blame, and the others must not wait for it.
            for message in together:
                self._note(message, await self._attempt(carrier, [message]))
        else:
            for message in together:
                self._note(message, attempt)

    async def _attempt(self, carrier: Carrier, together: list[Message]) -> Attempt:
        message = together[0]
        try:
            merge = self.endpoint.merge
            body = message.body if merge is None else merge([each.body for each in together])
            with self._tracing.span("deliver", "producer", linked=message.traceparent) as span:
                attempt = await carrier.carry(message.message_id, body)
                span.note("http.response.status_code", attempt.status or 0)
        except Withdrawn:
            raise
        except Exception as error:
            log.exception("attempt_crashed", message_id=message.message_id, endpoint=message.endpoint)
            return Attempt(problem=type(error).__name__)
        if attempt.remedy:
            self._step_back(attempt)
        return attempt

    def _step_back(self, attempt: Attempt) -> None:
        """What refuses one message for who we are refuses all: none is sent for a while, also none that comes new."""
        now = self._clock.now()
        if now < self._paused_until:  # the answer to another request of the same moment
            return
        self._refusals_in_a_row += 1
        self._paused_until = now + self._pace.pause(self._refusals_in_a_row)
        said_at = self._remedy_said_at
        if said_at is None or not 0 <= now - said_at < REMEDY_EVERY_SECONDS:
            self._remedy_said_at = now
            log.error("credential_refused", endpoint=self.endpoint.name, problem=attempt.problem, remedy=attempt.remedy)

    def _note(self, message: Message, attempt: Attempt) -> None:
        if attempt.is_delivered:
            if self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE:
                # Long waits were for a receiver that was away; it is back, so what waits need not wait any longer.
                self._marks.hasten()
            self._failures_in_a_row = self._refusals_in_a_row = 0
            self._marks.note(Fate(message=message, status=attempt.status))
            self._noted(message.endpoint, "delivered")
            return
        now = self._clock.now()
        asked = retry_after_seconds(attempt.retry_after, now=now, cap_seconds=self._pace.longest_retry)
        again_at = now + max(asked, self._pace.backoff(message.attempts, self._randomness))
        self._count_failure(attempt, now, asked)
        is_too_old = self._is_too_old(message, again_at)
        is_dead = attempt.is_gone or attempt.is_final or is_too_old
        if is_too_old and not attempt.is_final and self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE:
            self.is_given_up = True
        self._tell(message, attempt)
        self._noted(message.endpoint, "dead" if is_dead else "retried")
        self._marks.note(
            Fate(
                message=message,
                status=attempt.status,
                error=attempt.problem or "unknown",
                is_dead=is_dead,
                again_at=None if is_dead else again_at,
            )
        )

    def _is_too_old(self, message: Message, again_at: float) -> bool:
        is_old = again_at - message.created_at > self._pace.give_up_after
        return is_old and message.attempts >= self._pace.least_attempts

    def _count_failure(self, attempt: Attempt, now: float, asked: float) -> None:
        self._failures_in_a_row += 0 if attempt.is_final else 1
        self._foresight.failed(is_outage=self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE)
        if self._failures_in_a_row >= FAILURES_OF_A_LONG_OUTAGE and not attempt.is_content_refused:
            self._paused_until = max(self._paused_until, now + PROBE_SECONDS)
        if asked:
            self._paused_until = max(self._paused_until, now + asked)
        self.is_disabled = self.is_disabled or attempt.is_gone

    def _tell(self, message: Message, attempt: Attempt) -> None:
        about = {"message_id": message.message_id, "endpoint": message.endpoint}
        if not attempt.remedy:  # said once for all of them
            log.warning("attempt_failed", attempts=message.attempts, problem=attempt.problem, **about)
        if attempt.is_gone:
            log.error("endpoint_gone", endpoint=message.endpoint)
        if attempt.is_final:
            log.error("message_given_up", **about)
