"""A service behind a load balancer that speaks the PROXY protocol, on a real socket in this process."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network

import pytest
import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from plumbing import connection_guard
from plumbing.asgi import json_answer
from plumbing.proxied_connection import REFUSED, ProxiedProtocol
from plumbing.proxy_preamble import SIGNATURE

LINE = b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n"
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
LOCAL = SIGNATURE + struct.pack("!BBH", 0x20, 0x00, 0)
OVER_TLS = (
    SIGNATURE
    + struct.pack("!BBH", 0x21, 0x11, 20)
    + ip_address("203.0.113.5").packed
    + ip_address("10.0.0.1").packed
    + struct.pack("!HH", 4711, 443)
    + b"\x20\x00\x05\x01\0\0\0\0"
)


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    assert request.client is not None
    await json_answer({"client": request.client.host, "scheme": request.url.scheme})(scope, receive, send)


@contextlib.asynccontextmanager
async def listening(trusted: str = "127.0.0.0/8") -> AsyncIterator[int]:
    config = uvicorn.Config(told, ws="none", lifespan="off", proxy_headers=False, log_config=None)
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: ProxiedProtocol(config=config, server_state=state, app_state={}, trusted=(ip_network(trusted),)),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def said(*pieces: bytes, trusted: str = "127.0.0.0/8", pause: float = 0.0) -> bytes:
    """What is heard until the other side ends."""
    async with listening(trusted) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        heard = b""
        with contextlib.suppress(ConnectionError):
            heard = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return heard


@pytest.mark.parametrize(
    ("preamble", "client", "scheme"),
    [
        (LINE, "203.0.113.5", "http"),
        (OVER_TLS, "203.0.113.5", "https"),
        (LOCAL, "127.0.0.1", "http"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1", "http"),
    ],
    ids=["line", "binary", "local", "unknown"],
)
def test_a_connection_is_its_clients(preamble: bytes, client: str, scheme: str) -> None:
    """What the balancer says of itself, or does not know, is the balancer's own address. In one piece or in many, the
    answer is the same."""
    whole = asyncio.run(said(preamble + REQUEST))
    assert f'"client":"{client}","scheme":"{scheme}"'.encode() in whole
    assert asyncio.run(said(*(bytes([byte]) for byte in preamble + REQUEST))) == whole
    assert asyncio.run(said(preamble, REQUEST, pause=0.01)) == whole


def test_each_request_of_a_connection_is_that_clients() -> None:
    """The preamble comes once."""
    again = REQUEST.replace(b"connection: close\r\n", b"")
    assert asyncio.run(said(LINE + again + REQUEST)).count(b"203.0.113.5") == 2


@pytest.mark.parametrize("data", [REQUEST, b"\x16\x03\x01\x02\x00", b"PROXY TCP4 x\r\n" + REQUEST], ids=repr)
def test_a_connection_without_a_preamble_has_no_answer(data: bytes) -> None:
    """From a trusted place too."""
    before = REFUSED.count("malformed")
    assert asyncio.run(said(data)) == b""
    assert REFUSED.count("malformed") == before + 1


def test_a_second_preamble_is_a_broken_request() -> None:
    """Whoever can write after the first one is the client."""
    heard = asyncio.run(said(LINE + b"PROXY TCP4 8.8.8.8 10.0.0.1 1 2\r\n" + REQUEST))
    assert heard.startswith(b"HTTP/1.1 400")
    assert b"8.8.8.8" not in heard


def test_a_connection_from_elsewhere_is_closed() -> None:
    """Anybody can write a preamble."""
    assert asyncio.run(said(LINE + REQUEST, trusted="10.0.0.0/8")) == b""


class Elsewhere(asyncio.Transport):
    """A connection from an address of the world."""

    def __init__(self) -> None:
        super().__init__({"peername": ("198.51.100.9", 4711), "sockname": ("127.0.0.1", 9000)})
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted


@pytest.mark.parametrize(("trusted", "is_refused"), [("10.0.0.0/8", True), ("198.51.100.9/32", False)])
def test_a_stranger_is_counted(trusted: str, is_refused: bool) -> None:
    """At once, before a byte is read; not so where the address is a balancer's."""

    async def connects() -> tuple[bool, int]:
        config = uvicorn.Config(told, ws="none", lifespan="off", log_config=None)
        before, transport = REFUSED.count("untrusted"), Elsewhere()
        protocol = ProxiedProtocol(
            config=config, server_state=ServerState(), app_state={}, trusted=(ip_network(trusted),)
        )
        protocol.connection_made(transport)
        protocol.connection_lost(ConnectionResetError())
        return transport.is_aborted, REFUSED.count("untrusted") - before

    assert asyncio.run(connects()) == (is_refused, int(is_refused))


@pytest.mark.parametrize("begun", [b"", b"PROXY TCP4 203", SIGNATURE, LINE, LINE + b"GET / HTTP/1.1\r\n"], ids=repr)
def test_a_drip_is_bounded_in_time(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Preamble and head together have the time of a head."""
    monkeypatch.setattr(connection_guard, "HEAD_SECONDS", 0.2)
    before = REFUSED.count("cut_off")
    assert asyncio.run(said(begun)) == b""
    assert REFUSED.count("cut_off") == before + (begun not in (b"", LINE, LINE + b"GET / HTTP/1.1\r\n"))
