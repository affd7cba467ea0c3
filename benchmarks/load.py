"""A bounded load: closed-loop HTTP/1.1 clients on one event loop, cheap enough to leave a core to the server."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

import uvloop

NextRequest = Callable[[int, bytes], bytes | None]
"""Status and body of the last answer → the next request, or None to stop. The first call gets (0, b"")."""


@dataclass
class Result:
    """What one run saw: answers a second, latencies in milliseconds, answers by status."""

    seconds: float
    latencies_ms: list[float]
    statuses: Counter[int] = field(default_factory=Counter)
    refused_without_retry_after: int = 0
    refused_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers with a 2xx status a second."""
        good = sum(count for status, count in self.statuses.items() if 200 <= status < 300)
        return good / self.seconds

    def percentile(self, share: float) -> float:
        ranked = sorted(self.latencies_ms)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else float("nan")


def request_bytes(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """One request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    if body and "content-type" not in (headers or {}):
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Client(asyncio.Protocol):
    """One keep-alive connection that sends the next request when the last answer is whole."""

    def __init__(
        self,
        next_request: NextRequest,
        result: Result,
        deadline: float,
        every_seconds: float = 0.0,
        due: float = 0.0,
    ) -> None:
        self._next, self._result, self._deadline, self._every = next_request, result, deadline, every_seconds
        self._due = due
        self._buffer = bytearray()
        self._head_end, self._whole = -1, 0
        self._sent = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one, without saying so
        self._send(0, b"")

    def _send(self, status: int, body: bytes) -> None:
        """At once, or when this client's next turn has come."""
        wait = self._due - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._send_now, status, body)
        else:
            self._send_now(status, body)

    def _send_now(self, status: int, body: bytes) -> None:
        assert self._transport is not None
        if self._transport.is_closing():  # by the server, while this client waited for its turn
            return
        self._due = time.perf_counter() + self._every
        request = self._next(status, body) if time.perf_counter() < self._deadline else None
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._head_end < 0 and not self._has_head():
            return
        if len(self._buffer) < self._whole:
            return
        head, body = (
            bytes(self._buffer[: self._head_end]).lower(),
            bytes(self._buffer[self._head_end + 4 : self._whole]),
        )
        del self._buffer[: self._whole]
        self._head_end = -1
        status = int(head[9:12])
        self._result.latencies_ms.append((time.perf_counter() - self._sent) * 1000)
        self._result.statuses[status] += 1
        if status in (429, 503):
            self._result.refused_ms.append(self._result.latencies_ms[-1])
            self._result.refused_without_retry_after += b"\r\nretry-after:" not in head
        self._send(status, body)

    def _has_head(self) -> bool:
        """Whether the head of the answer is there; if so, where it and the answer end is known."""
        self._head_end = self._buffer.find(b"\r\n\r\n")
        if self._head_end < 0:
            return False
        head = bytes(self._buffer[: self._head_end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._whole = self._head_end + 4 + length
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._result.statuses[0] += 1
        if not self.done.done():
            self.done.set_result(None)


async def run(
    port: int, clients: list[NextRequest], seconds: float, every_seconds: float = 0.0, *, in_turn: bool = False
) -> Result:
    """`load` for a caller that has an event loop and wants several at once; each client sends every `every_seconds`,
    the first time all of them at once, or `in_turn`."""
    loop = asyncio.get_running_loop()
    result = Result(0.0, [])
    began = time.perf_counter()

    async def connected(number: int, following: NextRequest) -> Client:
        due = began + every_seconds * number / len(clients) if in_turn else 0.0
        _, client = await loop.create_connection(
            lambda: Client(following, result, began + seconds, every_seconds, due), "127.0.0.1", port
        )
        return client

    protocols = [await connected(number, following) for number, following in enumerate(clients)]
    await asyncio.gather(*(asyncio.wait_for(protocol.done, seconds + 30) for protocol in protocols))
    result.seconds = time.perf_counter() - began
    return result


def load(port: int, clients: list[NextRequest], seconds: float, *, core: int | None = None) -> Result:
    """Run one closed-loop client per entry for `seconds`; each is asked for its next request with the last answer.

    `core` pins this process, so that the generator and the server do not share a core.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        return uvloop.run(run(port, clients, seconds))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def repeated(request: bytes, count: int) -> list[NextRequest]:
    """`count` clients that send the same request again and again."""
    return [lambda _status, _body: request for _ in range(count)]


def in_turn(requests: Sequence[bytes], count: int) -> list[NextRequest]:
    """`count` clients that send these requests one after the other, each beginning at a place of its own."""

    def client(first: int) -> NextRequest:
        turns = cycle([*requests[first:], *requests[:first]])
        return lambda _status, _body: next(turns)

    return [client(number * len(requests) // count) for number in range(count)]
