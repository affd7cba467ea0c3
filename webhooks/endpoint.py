"""What a lane knows of a receiver, and the usual one: an HTTP address that takes signed messages by POST."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Protocol, Self

from plumbing.clock import Clock
from plumbing.tracing import handed_on
from webhooks.signing import Signer
from webhooks.targets import Resolver, parse_target
from webhooks.transport import Attempt, Courier

USER_AGENT: Final = "riskgate-webhooks/1"

Merge = Callable[[Sequence[bytes]], bytes]
"""The bodies of several messages → one body that the receiver reads as all of them."""
Compose = Callable[[bytes], bytes]
"""What was stored → what is sent now, for receivers of a thing that must be fresh at each attempt."""


Judge = Callable[[Attempt], Attempt]
"""What an answer means, for receivers that say more by it than others."""


class Withdrawn(Exception):
    """The receiver is not any more what the lane was opened for: nothing was sent, and nothing counts as an attempt."""


class Carrier(Protocol):
    """Takes messages to one receiver."""

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt, over within the deadline that the carrier was opened with.

        Raises: Withdrawn; then the lane ends, and whoever opened it looks for the receiver again.
        """
        ...


class Receiver(Protocol):
    """Whoever messages wait for: `name` is what the outbox knows it by, `concurrency` how many attempts it is spared.

    One that takes several messages as one body says by `merge` how they are joined; then what comes within
    `linger_seconds` of each other travels together.
    """

    @property
    def name(self) -> str: ...

    @property
    def concurrency(self) -> int: ...

    @property
    def merge(self) -> Merge | None: ...

    @property
    def linger_seconds(self) -> float: ...

    def opened(
        self, *, clock: Clock, resolver: Resolver, deadline_seconds: float
    ) -> AbstractAsyncContextManager[Carrier]:
        """What carries its messages, for as long as the context lasts."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A receiver at an HTTP address; `tls` replaces the usual trust, for a private authority.

    Standard Webhooks receivers take one message a request. One whose message must be made at each attempt anew says how
    by `compose`. One that knows us by a credential has a `remedy`: what an operator does when it refuses that. The
    signer may raise Withdrawn; `judge` reads the answers of a receiver that says in them why it refuses.

    Raises:
        TargetRefused: the URL has a form that we never send to.
    """

    name: str
    url: str
    signer: Signer
    allow_private: bool = False
    concurrency: int = 8
    tls: ssl.SSLContext | None = None
    content_type: str = "application/json"
    compose: Compose | None = None
    merge: Merge | None = None
    linger_seconds: float = 0.0
    remedy: str = ""
    judge: Judge | None = None

    def __post_init__(self) -> None:
        parse_target(self.url, allow_private=self.allow_private)

    def opened(self, *, clock: Clock, resolver: Resolver, deadline_seconds: float) -> "PostCarrier":
        """What posts to the address."""
        courier = Courier(
            self.url,
            allow_private=self.allow_private,
            resolver=resolver,
            tls=self.tls,
            connections=self.concurrency,
            deadline_seconds=deadline_seconds,
        )
        return PostCarrier(self, courier, clock)


class PostCarrier:
    """Composes, signs and posts."""

    def __init__(self, endpoint: Endpoint, courier: Courier, clock: Clock) -> None:
        self._endpoint = endpoint
        self._courier = courier
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._courier.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._courier.__aexit__(kind, error, trace)

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One signed request."""
        endpoint = self._endpoint
        fresh = body if endpoint.compose is None else endpoint.compose(body)
        proof = endpoint.signer(message_id, int(self._clock.now()), fresh)
        headers = {"content-type": endpoint.content_type, "user-agent": USER_AGENT, **handed_on(), **proof}
        attempt = await self._courier.post(fresh, headers)
        if endpoint.judge is not None:
            return endpoint.judge(attempt)
        return replace(attempt, remedy=endpoint.remedy) if attempt.is_sender_refused else attempt
