"""Messages reach a real syslog server on a real port: framed, over a checked connection, again when it broke."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Tls, certified
from webhooks.syslog import SyslogReceiver, framed
from webhooks.syslog_server import syslog_server
from webhooks.targets import TargetRefused

pytestmark = pytest.mark.anyio
LOOPBACK = (ip_network("127.0.0.0/8"),)


@dataclass
class Collector:
    """A syslog server that takes its frames apart by their counts, as RFC 6587 says."""

    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                count = await reader.readuntil(b" ")
                self.messages.append(await reader.readexactly(int(count)))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            writer.close()

    def hang_up(self) -> None:
        """End every connection, as a server does that starts anew."""
        for writer in self.connections:
            writer.transport.abort()


@asynccontextmanager
async def collecting(tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Collector]:
    collector = Collector()
    server = await asyncio.start_server(collector.serve, "127.0.0.1", port, ssl=tls)
    collector.port = server.sockets[0].getsockname()[1]
    try:
        yield collector
    finally:
        server.close()
        collector.hang_up()


@contextmanager
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox:
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(2.0)
        yield inbox


def receiver(url: str, tls: ssl.SSLContext | None = None) -> SyslogReceiver:
    return SyslogReceiver(name="siem", server=syslog_server(url, networks=LOOPBACK, tls=tls))


async def to_this_machine(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_a_frame_is_the_count_of_its_octets_and_the_message() -> None:
    """RFC 6587, section 3.4.1; octets and not characters are counted, and a newline in a message ends nothing."""
    assert framed(["Zürich".encode(), b"a\nb", b""]) == b"7 Z\xc3\xbcrich3 a\nb0 "


async def test_frames_arrive_over_tcp_in_order_on_one_connection(stage: Any) -> None:
    """Every message once, as it was stored."""
    async with collecting() as collector:
        for number in range(30):
            await stage.add(f"msg_{number}", "siem", body=b"<110>1 line %d" % number, at=1_000.0 + number)
        async with stage.delivering(receiver(f"syslog+tcp://127.0.0.1:{collector.port}")):
            await stage.until(lambda: stage.depth() == 0)
    assert collector.messages == [b"<110>1 line %d" % number for number in range(30)]
    assert len(collector.connections) == 1


async def test_tls_is_spoken_with_a_server_whose_certificate_is_good(stage: Any, tls: Tls) -> None:
    """Under an authority of the operator's own, by the name that the address has."""
    async with collecting(tls.server) as collector:
        await stage.add("msg_1", "siem", body=b"<110>1 secret")
        good = receiver(f"syslog+tls://siem.example:{collector.port}", tls.client)
        async with stage.delivering(good, resolver=to_this_machine):
            await stage.until(lambda: stage.depth() == 0)
    assert collector.messages == [b"<110>1 secret"]


@pytest.mark.parametrize("fault", ["another name", "unknown authority", "no TLS at all"])
async def test_nothing_is_said_to_a_server_that_cannot_prove_itself(stage: Any, tls: Tls, fault: str) -> None:
    """The message waits; not an octet of it goes out."""
    async with collecting(None if fault == "no TLS at all" else tls.server) as collector:
        host = "other.example" if fault == "another name" else "siem.example"
        client = None if fault == "unknown authority" else tls.client
        await stage.add("msg_1", "siem", body=b"<110>1 secret")
        bad = receiver(f"syslog+tls://{host}:{collector.port}", client)
        async with stage.delivering(bad, resolver=to_this_machine):
            await stage.until(lambda: stage.fate("msg_1").attempts >= 2)
    assert collector.messages == []
    said = {"timeout", "connection_lost"} if fault == "no TLS at all" else {"certificate_refused"}
    assert stage.fate("msg_1").delivered_at is None
    assert stage.fate("msg_1").last_error in said


async def test_what_is_said_while_the_server_is_away_waits_for_it(stage: Any) -> None:
    """A collector that starts anew on the same port gets all that came meanwhile."""
    async with collecting() as collector:
        port = collector.port
    await stage.add("msg_1", "siem", body=b"early")
    async with stage.delivering(receiver(f"syslog+tcp://127.0.0.1:{port}")):
        await stage.until(lambda: stage.fate("msg_1").last_error == "connect_failed")
        async with collecting(port=port) as again:
            await stage.until(lambda: stage.depth() == 0)
    assert again.messages == [b"early"]


async def test_a_connection_that_the_server_ended_in_silence_loses_nothing(stage: Any, tls: Tls) -> None:
    """It is made anew; what was written into the dead one does not count as delivered."""
    async with collecting(tls.server) as collector:
        chosen = receiver(f"syslog+tls://siem.example:{collector.port}", tls.client)
        async with stage.delivering(chosen, resolver=to_this_machine) as worker:
            for number in range(10):
                await stage.add(f"msg_{number}", "siem", body=b"line %d" % number)
                worker.wake()
                await stage.until(lambda number=number: stage.fate(f"msg_{number}").delivered_at is not None)
                collector.hang_up()
    assert set(collector.messages) == {b"line %d" % number for number in range(10)}


async def test_a_server_that_does_not_read_is_given_its_deadline(stage: Any) -> None:
    """What no machine has acknowledged is not delivered, however much of it has left."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        await stage.add("msg_1", "siem", body=b"x" * 400_000)
        async with stage.delivering(receiver(f"syslog+tcp://127.0.0.1:{deaf.getsockname()[1]}")):
            await stage.until(lambda: stage.fate("msg_1").last_error is not None)
    assert (stage.fate("msg_1").delivered_at, stage.fate("msg_1").last_error) == (None, "timeout")


async def test_a_datagram_holds_one_message(stage: Any) -> None:
    """RFC 5426, section 3.1: no count, no newline, nothing else."""
    with datagrams() as inbox:
        await stage.add("msg_1", "siem", body="<110>1 Zürich".encode(), at=1.0)
        await stage.add("msg_2", "siem", body=b"<110>1 two", at=2.0)
        async with stage.delivering(receiver(f"syslog+udp://127.0.0.1:{inbox.getsockname()[1]}")):
            await stage.until(lambda: stage.depth() == 0)
        assert {inbox.recv(65_535), inbox.recv(65_535)} == {"<110>1 Zürich".encode(), b"<110>1 two"}


async def test_a_datagram_that_nobody_takes_is_tried_again(stage: Any) -> None:
    """This machine says at once that nobody listens; a longer one than any datagram is given up with its reason."""
    with datagrams() as inbox:
        port = inbox.getsockname()[1]
    await stage.add("msg_1", "siem")
    await stage.add("msg_2", "siem", body=b"x" * 65_508)
    async with stage.delivering(receiver(f"syslog+udp://127.0.0.1:{port}")):
        await stage.until(lambda: stage.fate("msg_1").attempts >= 2 and stage.fate("msg_2").dead_at is not None)
    assert stage.fate("msg_1").last_error == "connect_failed"
    assert stage.fate("msg_2").last_error == "too_long"


@pytest.mark.parametrize(
    ("scheme", "networks", "address", "problem"),
    [
        ("syslog+tls", (), "127.0.0.1", "target_inside"),
        ("syslog+tls", ("10.0.0.0/8", "::1/128"), "127.0.0.1", "target_inside"),
        ("syslog+tcp", ("10.0.0.0/8",), "127.0.0.1", "target_inside"),
        ("syslog+udp", ("10.0.0.0/8",), "169.254.169.254", "target_inside"),
        ("syslog+tcp", ("10.0.0.0/8",), "2600::1", "target_not_tls"),
        ("syslog+udp", ("10.0.0.0/8",), "8.8.8.8", "target_not_tls"),
    ],
)
async def test_a_name_leads_only_where_collectors_are(
    stage: Any, tls: Tls, scheme: str, networks: tuple[str, ...], address: str, problem: str
) -> None:
    """Inside, the networks that the operator named; what is not TLS stays inside. Looked at for each connection."""
    named = syslog_server(
        f"{scheme}://siem.example:9", networks=[ip_network(text) for text in networks] or LOOPBACK, tls=tls.client
    )
    server = replace(named, networks=tuple(ip_network(text) for text in networks))

    async def resolving(_host: str, _port: int) -> list[str]:
        return [address]

    await stage.add("msg_1", "siem")
    async with stage.delivering(SyslogReceiver(name="siem", server=server), resolver=resolving):
        await stage.until(lambda: stage.fate("msg_1").last_error == problem)
    assert stage.fate("msg_1").delivered_at is None


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("syslog+tls://siem.example", 6514),
        ("syslog+tls://siem.example:1514/", 1514),
        ("syslog+tcp://10.0.0.7", 601),
        ("syslog+udp://[fd00::7]", 514),
    ],
)
def test_an_address_names_transport_host_and_port(url: str, port: int) -> None:
    """The port may be left out, and is then the registered one."""
    server = syslog_server(url, networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
    assert (server.transport, server.target.port) == (url[7:10], port)


@pytest.mark.parametrize(
    ("url", "networks", "code"),
    [
        ("syslog://siem.example", ("10.0.0.0/8",), "bad_url"),
        ("https://siem.example", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://siem.example/path", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://siem.example?ca=/etc/passwd", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://user:password@siem.example", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://siem.example:0", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://siem.example:70000", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://[::1", ("10.0.0.0/8",), "bad_url"),
        ("syslog+tls://10.0.0.7", ("10.1.0.0/16",), "inside"),
        ("syslog+tls://169.254.169.254", ("10.1.0.0/16",), "inside"),
        ("syslog+tcp://8.8.8.8", ("10.1.0.0/16",), "not_tls"),
        ("syslog+tcp://siem.example", (), "not_tls"),
        ("syslog+udp://siem.example", (), "not_tls"),
        ("syslog+tls://127.1", (), "inside"),
        ("syslog+tls://10.0.0.7", (), "inside"),
        ("syslog+tls://localhost", (), "inside"),
    ],
)
def test_an_address_of_another_form_is_refused(url: str, networks: tuple[str, ...], code: str) -> None:
    """With a stable code."""
    with pytest.raises(TargetRefused) as refused:
        syslog_server(url, networks=[ip_network(text) for text in networks])
    assert refused.value.code == code


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    """A collector's context for `siem.example`, and a gateway's that trusts its authority alone."""
    return certified(tmp_path, "siem.example")
