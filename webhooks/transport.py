"""One HTTP attempt: to a checked address, without redirects, proxies or cookies, and over within its deadline."""

import asyncio
import email.utils
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from typing import Final, Self
from urllib.parse import urlsplit

import httpx2

from webhooks.connection import Broken, Connection
from webhooks.targets import Resolver, TargetRefused, parse_target, pinned_addresses

LONGEST_RETRY_AFTER: Final = 10
MOST_ADDRESSES: Final = 4
"""Addresses of a name that are tried; all of them are checked."""
IDLE_SECONDS: Final = 30.0
MOST_USES: Final = 10_000
"""Requests on one connection, so that it follows its name to another address one day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """How it went: a status when there was an answer, else the reason why not. `answer` is how the body of a 400
    begins, where one may say why. `is_final` says that no other attempt at
    this message would fare better; `remedy`, where it is not "", that no message at all would before an operator has
    done this."""

    status: int | None = None
    problem: str | None = None
    retry_after: str | None = None
    is_final: bool = False
    remedy: str = ""
    answer: bytes = b""

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


@cache
def usual_trust() -> ssl.SSLContext:
    """The certificate authorities that are trusted unless somebody names others."""
    return httpx2.create_ssl_context(trust_env=False)


class Courier:
    """Carries messages to one URL over its own connections, so that a receiver that hangs holds nobody else's.

    A connection is made to an address that was checked in that very moment, and TLS still proves the name. Each carries
    one request at a time; there are as many as the caller has attempts under way, and `connections` at most are kept.
    """

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
        self._target = parse_target(url, allow_private=allow_private)
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {path} HTTP/1.1\r\nhost: {parts.netloc.lower()}\r\naccept-encoding: identity\r\n"
        self._allow_private = allow_private
        self._resolver = resolver
        self._tls = (tls or usual_trust()) if self._target.scheme == "https" else None
        self._most_idle = connections
        self._deadline_seconds = deadline_seconds
        self._idle: list[Connection] = []
        self._sweep: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Attempt:
        """One attempt, answered or given up within the deadline, name resolution and reading included."""
        request = self._request(body, headers)
        used: list[Connection] = []
        problem = "no_answer"
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await self._ask(request, used)
        except TargetRefused as refused:
            return Attempt(problem=f"target_{refused.code}")
        except TimeoutError:
            problem = "timeout"
        except Broken as broken:
            problem = broken.code
        finally:
            for connection in used:
                self._put_back(connection)
        status = used[-1].status if used else None
        if status is None:
            return Attempt(problem=problem)
        # The status line is the receiver's word; how the rest of its answer ends changes nothing.
        last = used[-1]
        return Attempt(status=status, problem=_meaning(status), retry_after=last.retry_after, answer=last.said)

    def _request(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        if any("\r" in line[:-2] or "\n" in line[:-2] or "\0" in line for line in lines):
            raise ValueError("a header's value has a line break in it")
        return f"{self._head}{''.join(lines)}content-length: {len(body)}\r\n\r\n".encode("latin-1") + body

    async def _ask(self, request: bytes, used: list[Connection]) -> None:
        """Over a kept connection, or over a new one; the last of `used` has the answer."""
        while self._idle:
            kept = self._idle.pop()
            if not kept.is_reusable:
                kept.close()
                continue
            used.append(kept)
            try:
                return await kept.ask(request)
            except Broken as broken:
                if broken.code != "connection_closed" or kept.heard:
                    raise
                # It hung up on an idle connection just as we spoke: no answer, and no failure either.
                break
        used.append(await self._connected())
        await used[-1].ask(request)

    async def _connected(self) -> Connection:
        target, loop = self._target, asyncio.get_running_loop()
        addresses = await pinned_addresses(target, allow_private=self._allow_private, resolver=self._resolver)
        tried = list(addresses)[:MOST_ADDRESSES]
        name = target.host if self._tls else None
        for address in tried:
            try:
                async with asyncio.timeout(self._deadline_seconds / len(tried) if len(tried) > 1 else None):
                    made = loop.create_connection(Connection, address, target.port, ssl=self._tls, server_hostname=name)
                    return (await made)[1]
            except OSError:  # refused, unreachable, too slow, or without a proof of its name
                continue
        raise Broken("connect_failed")

    def _put_back(self, connection: Connection) -> None:
        if not connection.is_reusable or connection.uses >= MOST_USES or len(self._idle) >= self._most_idle:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """Hang up where nothing was said for long."""
        loop = asyncio.get_running_loop()
        for connection in [each for each in self._idle if each.idle_since <= loop.time() - IDLE_SECONDS]:
            self._idle.remove(connection)
            connection.close()
        self._sweep = loop.call_later(IDLE_SECONDS, self._let_go) if self._idle else None


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
