"""Receivers of every bad kind in one process: `python -m tests.hostile_receivers` says their ports, then serves.

GET on the port `told` says how many requests each has heard, the place that redirects point to among them.
"""

import asyncio
import gzip
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEARD: Counter[str] = Counter()
BOMB = gzip.compress(bytes(1_000_000), 9) * 1_000  # a gigabyte, in one
PORTS: dict[str, int] = {}


def said(status: int, *headers: str, body: bytes = b"") -> Answer:
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers, "", ""]
    text = "\r\n".join(lines).encode() + body

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    return answer


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for sign in b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000:
        writer.write(bytes([sign]))
        await writer.drain()
        await asyncio.sleep(0.2)


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def huge(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    for _ in range(1_000):
        writer.write(bytes(1_000_000))
        await writer.drain()


async def bomb(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(BOMB)}\r\n\r\n"
    writer.write(head.encode() + BOMB)
    await writer.drain()


async def flapping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Up for half a second, then for half a second failing in one way or another."""
    phase = int(asyncio.get_running_loop().time() * 2)
    if phase % 2:
        await (said(503), reset, said(502, body=b"<html>"))[phase % 3](reader, writer)
    else:
        await said(204)(reader, writer)


async def redirect_to_itself(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await said(308, "location: /again")(reader, writer)


async def redirect_inside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await said(302, f"location: http://127.0.0.1:{PORTS['inside']}/latest/meta-data/")(reader, writer)


async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await said(200, body=json.dumps(HEARD).encode())(reader, writer)


KINDS: dict[str, Answer] = {
    "fails": said(500, body=b"x" * 10_000),
    "gone": said(410),
    "limits": said(429, "retry-after: 3600"),
    "hangs": hang,
    "drips": drip,
    "resets": reset,
    "redirects to itself": redirect_to_itself,
    "redirects inside": redirect_inside,
    "huge": huge,
    "bomb": bomb,
    "flapping": flapping,
    "inside": said(200),
    "told": told,
}


async def serve(kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            await reader.readexactly(length)
            HEARD[kind] += 1
            await KINDS[kind](reader, writer)
            await writer.drain()
    writer.close()


async def main() -> None:
    servers = []
    for kind in KINDS:
        server = await asyncio.start_server(
            lambda reader, writer, kind=kind: serve(kind, reader, writer),
            "127.0.0.1",
            0,  # type: ignore[misc]
        )
        PORTS[kind] = server.sockets[0].getsockname()[1]
        servers.append(server)
    sys.stdout.write(json.dumps(PORTS) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
