"""One HTTP attempt: to a checked address, without redirects, proxies or cookies, and over within its deadline."""

import asyncio
import email.utils
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Self

import httpx2

from webhooks.targets import Resolver, Target, TargetRefused, parse_target, pinned_addresses

MAX_ANSWER_BYTES: Final = 64 * 1024
"""We read this much of an answer so that its connection can be used again; nobody needs more."""
LONGEST_RETRY_AFTER: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """How it went: a status when there was an answer, else the reason why not. `is_final` says that no other attempt at
    this message would fare better; `remedy`, where it is not "", that no message at all would before an operator has
    done this."""

    status: int | None = None
    problem: str | None = None
    retry_after: str | None = None
    is_final: bool = False
    remedy: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_content_refused(self) -> bool:
        """The receiver answered that it will not take these bytes, now or later."""
        return self.status in {400, 413, 415, 422}

    @property
    def is_sender_refused(self) -> bool:
        """The receiver does not know us, or does not let us do this."""
        return self.status in {401, 403}

    @property
    def is_gone(self) -> bool:
        """410: the receiver will never take anything again (Standard Webhooks, "Operational considerations")."""
        return self.status == 410


class PinnedTransport(httpx2.AsyncHTTPTransport):
    """Connects to the address that was checked; Host and TLS still carry the name that was asked for."""

    def __init__(
        self, target: Target, *, allow_private: bool, resolver: Resolver, tls: ssl.SSLContext | None, connections: int
    ) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30)
        super().__init__(verify=tls or True, trust_env=False, limits=limits)
        self._target = target
        self._allow_private = allow_private
        self._resolver = resolver

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        addresses = await pinned_addresses(self._target, allow_private=self._allow_private, resolver=self._resolver)
        name = self._target.host
        if name not in addresses:
            request.extensions = {**request.extensions, "sni_hostname": name}
        for address in addresses[:-1]:
            request.url = request.url.copy_with(host=address)
            try:
                return await super().handle_async_request(request)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        request.url = request.url.copy_with(host=addresses[-1])
        return await super().handle_async_request(request)


class Courier:
    """Carries messages to one URL over its own connections, so that a receiver that hangs holds nobody else's."""

    def __init__(
        self,
        url: str,
        *,
        allow_private: bool,
        resolver: Resolver,
        tls: ssl.SSLContext | None,
        connections: int,
        deadline_seconds: float,
    ) -> None:
        target = parse_target(url, allow_private=allow_private)
        self._url = url
        self._deadline_seconds = deadline_seconds
        self._client = httpx2.AsyncClient(
            transport=PinnedTransport(
                target, allow_private=allow_private, resolver=resolver, tls=tls, connections=connections
            ),
            trust_env=False,
            follow_redirects=False,
            timeout=deadline_seconds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """One attempt, answered or given up within the deadline, name resolution and reading included."""
        status: int | None = None
        retry_after: str | None = None
        problem = "no_answer"
        try:
            async with (
                asyncio.timeout(self._deadline_seconds),
                self._client.stream("POST", self._url, content=body, headers=dict(headers)) as answer,
            ):
                status = answer.status_code
                retry_after = answer.headers.get("retry-after")
                await _drain(answer)
        except TargetRefused as refused:
            return Attempt(problem=f"target_{refused.code}")
        except (TimeoutError, httpx2.TimeoutException):
            problem = "timeout"
        except httpx2.ConnectError:
            problem = "connect_failed"
        except httpx2.HTTPError as error:
            problem = type(error).__name__
        if status is None:
            return Attempt(problem=problem)
        # The status line is the receiver's word; how the rest of its answer ends changes nothing.
        return Attempt(status=status, problem=_meaning(status), retry_after=retry_after)


async def _drain(answer: httpx2.Response) -> None:
    total = 0
    async for chunk in answer.aiter_raw():
        total += len(chunk)
        if total > MAX_ANSWER_BYTES:
            return


def _meaning(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        # A redirect could lead past the check of the target, and would carry the signed body along.
        return "redirect_refused"
    return f"status_{status}"


def retry_after_seconds(text: str | None, *, now: float, cap_seconds: float) -> float:
    """How long the receiver asked us to wait, in seconds or as a date (RFC 9110, section 10.2.3); 0 if it did not."""
    if text is None:
        return 0.0
    text = text.strip()
    if text.isascii() and text.isdigit():
        return cap_seconds if len(text) > LONGEST_RETRY_AFTER else min(float(text), cap_seconds)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, min(moment.timestamp() - now, cap_seconds))
