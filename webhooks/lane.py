"""One receiver and all that waits for it: claim, send, mark, and wait for the next."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from webhooks.endpoint import Carrier, Receiver
from webhooks.outbox import Message, Outbox
from webhooks.targets import Resolver
from webhooks.transport import Attempt, retry_after_seconds

FAILURES_OF_AN_OUTAGE: Final = 3
"""Failures in a row after which a success means "it is back", rather than "that one message was bad"."""
STORAGE_RETRY_SECONDS: Final = 1.0
LONGEST_REFUSAL_PAUSE: Final = 300.0
"""Seconds; a receiver that refuses our credential is asked again this often at least, so that it need not be told when
that is mended."""
REMEDY_EVERY_SECONDS: Final = 60.0

HASTEN_BATCH: Final = 5_000
MOST_MERGED: Final = 100
"""Messages that travel together at most: a body of a few hundred kilobytes."""

log = structlog.get_logger("webhooks.delivery")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """When we try, try again and give up; all in seconds.

    A receiver that fails closes nothing here: what it should get waits in the outbox.
    """

    first_retry: float = 5.0
    longest_retry: float = 3_600.0
    give_up_after: float = 5 * 86_400.0
    deadline: float = 10.0
    lease: float = 15.0  # longer than the deadline, or another worker would send what is just being sent
    poll: float = 5.0  # for messages that another process added
    keep_delivered: float = 7 * 86_400.0

    def __post_init__(self) -> None:
        if self.lease <= self.deadline:
            raise ValueError("the lease must outlast the deadline of an attempt")

    def backoff(self, attempts: int, randomness: Randomness) -> float:
        """Seconds until the next attempt: exponential with full jitter, so that a crowd does not come back at once."""
        return randomness.uniform(0.0, self._ceiling(attempts))

    def pause(self, refusals: int) -> float:
        """Seconds for which nothing is sent to a receiver that has refused our credential so often in a row."""
        return min(LONGEST_REFUSAL_PAUSE, self._ceiling(refusals))

    def _ceiling(self, attempts: int) -> float:
        return min(self.longest_retry, self.first_retry * 2.0 ** min(attempts - 1, 40))


class Lane:
    """Delivers to one receiver until cancelled, until the receiver says it is gone for good, or `until_empty`."""

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
    ) -> None:
        self.endpoint = endpoint
        self.is_disabled = False
        self.woken = asyncio.Event()
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._randomness = randomness
        self._pace = pace
        self._resolver = resolver
        self._until_empty = until_empty
        self._is_empty = False
        self._in_flight = 0
        self._failures_in_a_row = 0
        self._paused_until = 0.0
        self._refusals_in_a_row = 0
        self._remedy_said_at: float | None = None

    async def run(self) -> None:
        """Claim and send, never more at once than the receiver's concurrency."""
        opened = self.endpoint.opened(clock=self._clock, resolver=self._resolver, deadline_seconds=self._pace.deadline)
        async with opened as carrier, asyncio.TaskGroup() as group:
            while not self.is_disabled:
                self.woken.clear()
                messages, idle_seconds = await self._claimed()
                for together in self._loads(messages):
                    self._in_flight += 1
                    group.create_task(self._deliver(carrier, together))
                if self._until_empty and self._is_empty and not self._in_flight:
                    return
                await self._wait(idle_seconds)

    async def _claimed(self) -> tuple[list[Message], float]:
        """What to send now, and how long there is nothing else to do."""
        now = self._clock.now()
        free = self.endpoint.concurrency - self._in_flight
        most = free if self.endpoint.merge is None else free * MOST_MERGED
        if now < self._paused_until:
            return [], self._paused_until - now
        if free == 0:
            return [], self._pace.poll
        look = partial(self._outbox.next_due, endpoint=self.endpoint.name, now=now)
        claim = partial(
            self._outbox.claim, endpoint=self.endpoint.name, now=now, limit=most, lease_seconds=self._pace.lease
        )
        try:
            due = await self._database.read_in_thread(look)  # a look costs nothing, a claim costs a commit
            self._is_empty = due is None
            if due is None or due > now:
                return [], self._pace.poll if due is None else due - now
            return await self._database.write(claim), 0.0
        except Exception as error:
            log.error("outbox_unavailable", endpoint=self.endpoint.name, reason=repr(error))
            return [], STORAGE_RETRY_SECONDS

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, self._pace.poll)):
                await self.woken.wait()
                await asyncio.sleep(self.endpoint.linger_seconds)

    def _loads(self, messages: list[Message]) -> list[list[Message]]:
        """Messages that travel together: one a request, or as many as the receiver takes."""
        size = 1 if self.endpoint.merge is None else MOST_MERGED
        return [messages[start : start + size] for start in range(0, len(messages), size)]

    async def _deliver(self, carrier: Carrier, together: list[Message]) -> None:
        try:
            attempt = await self._attempt(carrier, together)
            if attempt.is_delivered:
                await self._mark_delivered(together, attempt)
            elif len(together) > 1 and attempt.is_content_refused:
                # One of them is to blame, and the others must not wait for it.
                for message in together:
                    await self._mark_one(message, await self._attempt(carrier, [message]))
            else:
                for message in together:
                    await self._mark(message, attempt)
        except Exception as error:  # the lease ends, and the messages are sent again
            log.error("message_not_marked", message_id=together[0].message_id, reason=repr(error))
        finally:
            self._in_flight -= 1
            self.woken.set()

    async def _mark_one(self, message: Message, attempt: Attempt) -> None:
        if attempt.is_delivered:
            await self._mark_delivered([message], attempt)
        else:
            await self._mark(message, attempt)

    async def _attempt(self, carrier: Carrier, together: list[Message]) -> Attempt:
        message = together[0]
        try:
            merge = self.endpoint.merge
            body = message.body if merge is None else merge([each.body for each in together])
            attempt = await carrier.carry(message.message_id, body)
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

    async def _mark(self, message: Message, attempt: Attempt) -> None:
        self._failures_in_a_row += 0 if attempt.is_final else 1
        now = self._clock.now()
        asked = retry_after_seconds(attempt.retry_after, now=now, cap_seconds=self._pace.longest_retry)
        again_at = now + max(asked, self._pace.backoff(message.attempts, self._randomness))
        if asked:
            self._paused_until = max(self._paused_until, now + asked)
        if not attempt.remedy:  # said once for all of them
            log.warning(
                "attempt_failed",
                message_id=message.message_id,
                endpoint=message.endpoint,
                attempts=message.attempts,
                problem=attempt.problem,
            )
        if attempt.is_gone:
            self.is_disabled = True
            log.error("endpoint_gone", endpoint=message.endpoint)
        if attempt.is_final:
            log.error("message_given_up", message_id=message.message_id, endpoint=message.endpoint)
        if attempt.is_gone or attempt.is_final or again_at - message.created_at > self._pace.give_up_after:
            mark = partial(self._outbox.dead, now=now)
        else:
            mark = partial(self._outbox.retry, next_attempt_at=again_at)
        error = attempt.problem or "unknown"
        await self._database.write(partial(mark, message=message, status=attempt.status, error=error))

    async def _mark_delivered(self, together: list[Message], attempt: Attempt) -> None:
        was_out = self._failures_in_a_row >= FAILURES_OF_AN_OUTAGE
        self._failures_in_a_row = self._refusals_in_a_row = 0
        now = self._clock.now()
        endpoint, status = self.endpoint.name, attempt.status or 0

        def mark(tx: Transaction) -> None:
            self._outbox.delivered(tx, together, now=now, status=status)
            if was_out:
                # Long waits were for a receiver that was away; it is back, so what waits need not wait any longer.
                self._outbox.hasten(tx, endpoint=endpoint, now=now, limit=HASTEN_BATCH)

        await self._database.write(mark)
