"""One document or one answer from a checked address: keys, discovery, polls. The guard is that of the messages.

Fails closed: whoever asks gets the whole answer or the reason why not, within one deadline.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from webhooks.connection import Broken, Connection
from webhooks.resolving import system_resolver
from webhooks.targets import Resolver, TargetRefused, parse_target, pinned_addresses
from webhooks.transport import MOST_ADDRESSES, usual_trust

DEADLINE_SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024
MOST_HEADER_BYTES: Final = 16 * 1024


class Unfetched(Exception):
    """There is no such answer; `code` says why: `target_…`, `timeout`, `connect_failed`, `connection_closed`,
    `bad_answer`, `too_large`, or `status_…`."""

    def __init__(self, code: str, *, status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: of an answer of `most_bytes` at the most."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    most_bytes: int = MOST_BYTES
    deadline_seconds: float = DEADLINE_SECONDS


class Fetcher:
    """Asks over a connection of its own each time, made to an address that was checked in that very moment; TLS proves
    the name. Follows no redirect, uses no proxy, decompresses nothing."""

    def __init__(
        self, *, allow_private: bool, resolver: Resolver = system_resolver, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._tls = tls

    async def __call__(self, wanted: Wanted) -> bytes:
        """The body of a 200, whole; one whose end nothing but a closed connection marks may have been cut, and is not.

        Raises: Unfetched for everything else.
        """
        connection: Connection | None = None
        try:
            async with asyncio.timeout(wanted.deadline_seconds):
                connection = await self._connected(wanted)
                await connection.ask(_request(wanted))
        except TargetRefused as refused:
            raise Unfetched(f"target_{refused.code}") from None
        except TimeoutError:
            raise Unfetched("timeout") from None
        except Broken as broken:
            raise Unfetched(broken.code) from None
        finally:
            if connection is not None:
                connection.close()
        return _body(connection, wanted)

    async def _connected(self, wanted: Wanted) -> Connection:
        target, loop = parse_target(wanted.url, allow_private=self._allow_private), asyncio.get_running_loop()
        addresses = await pinned_addresses(target, allow_private=self._allow_private, resolver=self._resolver)
        tls = (self._tls or usual_trust()) if target.scheme == "https" else None
        tried = list(addresses)[:MOST_ADDRESSES]

        def made() -> Connection:
            return Connection(
                # One byte more than is taken shows that there is more.
                keeps={200: wanted.most_bytes + 1},
                most_bytes=wanted.most_bytes + MOST_HEADER_BYTES,
                drain_seconds=wanted.deadline_seconds,
            )

        for address in tried:
            try:
                async with asyncio.timeout(wanted.deadline_seconds / len(tried) if len(tried) > 1 else None):
                    name = target.host if tls else None
                    return (await loop.create_connection(made, address, target.port, ssl=tls, server_hostname=name))[1]
            except OSError:  # refused, unreachable, too slow, or without a proof of its name
                continue
        raise Broken("connect_failed")


def _request(wanted: Wanted) -> bytes:
    parts = urlsplit(wanted.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{wanted.method} {path} HTTP/1.1", f"host: {parts.netloc.lower()}", "accept-encoding: identity"]
    lines += ["connection: close", *(f"{name}: {value}" for name, value in wanted.headers.items())]
    if wanted.method != "GET":
        lines.append(f"content-length: {len(wanted.body)}")
    if any(mark in line for line in lines for mark in "\r\n\0"):
        raise ValueError("a line of the request has a line break in it")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + wanted.body


def _body(connection: Connection, wanted: Wanted) -> bytes:
    if connection.status != 200:
        raise Unfetched(f"status_{connection.status}", status=connection.status)
    if len(connection.said) > wanted.most_bytes:
        raise Unfetched("too_large")
    if not connection.is_whole:
        raise Unfetched("too_large" if connection.heard > wanted.most_bytes else "bad_answer")
    return connection.said
