"""Real servers in a scorer's place that misbehave in every way we could think of, by name: one table for tests of the
adapter, for stories and for the benchmark.
"""

import asyncio
import contextlib
import gzip
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from auth_gateway.adapters.scorer import MOST_ANSWER_BYTES

EXPLAIN: Final[dict[str, Any]] = {
    **{"hour": 1, "day_of_week": 2, "success": 1, "user_freq": 1, "ip_freq": 0, "device_freq": 0, "ua_freq": 0},
    **{"ja4_freq": 0, "ja4h_freq": 0, "ja4s_freq": 0, "ip_rep": 5.0},
}
GOOD: Final[dict[str, Any]] = {
    **{"risk_score": 12.5, "risk_level": "low", "model_label": 1, "explain": EXPLAIN, "ts_scored": 1.0},
    **{"reasons": [], "model_version": "m1", "event_id": "evt_1"},
}
FORGOTTEN_AFTER_SECONDS: Final = 15.0
"""How long one that hangs does so: longer than any deadline of the gateway's."""

Writer = asyncio.StreamWriter
Event = Mapping[str, Any]
Behaviour = Callable[[Event, Writer], Awaitable[None]]


def http(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def good(event: Event, **changes: object) -> bytes:
    """The answer that the event should get, but for those changes."""
    return json.dumps({**GOOD, "event_id": event.get("event_id"), **changes}).encode()


def says(body: bytes, **options: str) -> Behaviour:
    """The same to everybody."""

    async def behave(_event: Event, writer: Writer) -> None:
        writer.write(http(body, **options))

    return behave


def says_score(**changes: object) -> Behaviour:
    """A good score but for those changes."""

    async def behave(event: Event, writer: Writer) -> None:
        writer.write(http(good(event, **changes)))

    return behave


def says_edited(edit: Callable[[bytes], bytes], **options: str) -> Behaviour:
    """A good score whose text somebody has gone over."""

    async def behave(event: Event, writer: Writer) -> None:
        writer.write(http(edit(good(event)), **options))

    return behave


async def hang(_event: Event, _writer: Writer) -> None:
    """Not a byte."""
    await asyncio.sleep(FORGOTTEN_AFTER_SECONDS)


async def hang_after_head(_event: Event, writer: Writer) -> None:
    """A head and the first byte."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
    await asyncio.sleep(FORGOTTEN_AFTER_SECONDS)


async def drip(event: Event, writer: Writer) -> None:
    """A good answer, a byte at a time."""
    body = good(event)
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_head(_event: Event, writer: Writer) -> None:
    """One more header, and one more."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        writer.write(f"x-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.02)


async def never_yet(_event: Event, writer: Writer) -> None:
    """Interim answers without end (RFC 9110, section 15.2)."""
    for _ in range(600):
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def half_then_close(event: Event, writer: Writer) -> None:
    """Most of a good answer."""
    writer.write(http(good(event))[:-20])
    await writer.drain()
    writer.close()


async def close(_event: Event, writer: Writer) -> None:
    """Goodbye instead of an answer."""
    writer.close()


async def reset(_event: Event, writer: Writer) -> None:
    """The connection is torn down, with RST where the system sends one."""
    writer.transport.abort()


async def no_http(_event: Event, writer: Writer) -> None:
    """Another protocol."""
    writer.write(b"\x00\xff\x16\x03\x01 this is not HTTP\r\n\r\n")


async def endless(_event: Event, writer: Writer) -> None:
    """Ten megabytes of nothing."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with contextlib.suppress(ConnectionError):
        for _ in range(160):
            writer.write(chunk)
            await writer.drain()


async def broken_chunks(_event: Event, writer: Writer) -> None:
    """A length that is no number."""
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")


def _twice(field: str, first: str) -> Behaviour:
    """A good answer that says something else of that field before."""
    return says_edited(lambda body: body.replace(b"{", f'{{"{field}": {first}, '.encode(), 1))


def _in_explain(body: bytes) -> bytes:
    return body.replace(b'"ip_rep": 5.0', b'"ip_rep": 90.0, "ip_rep": 5.0')


BOMB: Final = gzip.compress(json.dumps(GOOD).encode() + b" " * 10_000_000)
assert len(BOMB) < MOST_ANSWER_BYTES

INVALID: Final[dict[str, Behaviour]] = {
    "below 0": says_score(risk_score=-0.1),
    "above 100": says_score(risk_score=100.1, risk_level="high", model_label=-1),
    "1e9": says_score(risk_score=1e9, risk_level="high", model_label=-1),
    "NaN": says_score(risk_score=float("nan")),
    "Infinity": says_score(risk_score=float("inf")),
    "overflow": says_edited(lambda body: body.replace(b"12.5", b"1e999")),
    "number as text": says_score(risk_score="12.5"),
    "truth as number": says_score(risk_score=True),
    "null": says_score(risk_score=None),
    "high score called low": says_score(risk_score=95.0),
    "medium score called low": says_score(risk_score=60.0),
    "low score called high": says_score(risk_level="high"),
    "unknown level": says_score(risk_level="none"),
    "label contradicts": says_score(model_label=-1),
    "another person's answer": says_score(event_id="evt_2"),
    "no event": says_score(event_id=None),
    "score twice": _twice("risk_score", "95.0"),
    "level twice": _twice("risk_level", '"high"'),
    "event twice": _twice("event_id", '"evt_2"'),
    "the same twice": _twice("risk_score", "12.5"),
    "a name twice, once in escapes": _twice("risk_scor\\u0065", "95.0"),
    "explanation twice in itself": says_edited(_in_explain),
    "empty explanation": says_score(explain={}),
    "empty": says(b""),
    "null body": says(b"null"),
    "deep": says(b"[" * 60_000),
    "deep objects": says(b'{"a":' * 10_000),
    "deep within": says_edited(lambda body: body.replace(b"{", b'{"more":' + b"[" * 9000 + b"]" * 9000 + b",", 1)),
    "UTF-16": says_edited(lambda body: body.decode().encode("utf-16")),
    "not UTF-8": says(b"\xff\xfe"),
    "trailing": says_edited(lambda body: body + b"x"),
    "HTML": says(b"<html>"),
    "500": says(b"{}", status="500 Internal Server Error"),
    "500 with a score": says_edited(bytes, status="500 Internal Server Error"),
    "201": says_edited(bytes, status="201 Created"),
    "401": says(b"{}", status="401 Unauthorized"),
    "redirect": says(b"", status="307 Temporary Redirect", headers="location: http://127.0.0.1:9/score\r\n"),
    "one byte too long": says(b" " * (MOST_ANSWER_BYTES + 1)),
    "10 MB": endless,
    "compressed bomb": says(BOMB, headers="content-encoding: gzip\r\n"),
}
"""Whole answers that must not be believed."""

BROKEN: Final[dict[str, Behaviour]] = {
    "close": close,
    "reset": reset,
    "half an answer": half_then_close,
    "no HTTP": no_http,
    "broken chunks": broken_chunks,
}
"""Conversations that end."""

SLOW: Final[dict[str, Behaviour]] = {
    "hang": hang,
    "hang after head": hang_after_head,
    "drip": drip,
    "drip of headers": drip_head,
    "interim answers": never_yet,
}
"""Conversations that do not."""

CAUSES: Final[dict[str, str]] = {
    **dict.fromkeys(INVALID, "scorer_invalid"),
    **dict.fromkeys(BROKEN, "scorer_unreachable"),
    **dict.fromkeys(SLOW, "scorer_timeout"),
}
FAULTS: Final[dict[str, Behaviour]] = {**INVALID, **BROKEN, **SLOW}
"""Everything above; `CAUSES` says what the gateway calls it."""


class HostileScorer:
    """Behaves as it is told, which may change between requests. Entered, it listens; left, nobody does."""

    def __init__(self, behave: Behaviour, port: int = 0) -> None:
        self.behave = behave
        self.port = port
        self.requests: list[bytes] = []
        self._conversations: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["HostileScorer"]:
        """On this event loop, until the block ends."""
        listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for task in self._conversations:
                task.cancel()
            await asyncio.gather(*self._conversations, return_exceptions=True)
            await asyncio.sleep(0)

    @contextlib.contextmanager
    def on_its_own(self) -> Iterator["HostileScorer"]:
        """On an event loop of its own, on another thread, until the block ends."""
        is_up, loop = threading.Event(), asyncio.new_event_loop()
        is_over = asyncio.Event()

        async def live() -> None:
            async with self.listening():
                is_up.set()
                await is_over.wait()

        thread = threading.Thread(target=loop.run_until_complete, args=(live(),), daemon=True)
        thread.start()
        is_up.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(is_over.set)
            thread.join(10)
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int([*head.lower().split(b"content-length: "), b"0"][1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                self.requests.append(head + body)
                is_score = head.startswith(b"POST /score ")
                await (self.behave if is_score else says(b"{}"))(json.loads(body or b"{}"), writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._conversations.discard(task)
