"""Whatever is written as a receiver's address, nothing inside is ever connected to: seen from there, and from us."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from webhooks import targets
from webhooks.delivery import Endpoint, Pace
from webhooks.signing import standard_signer

pytestmark = pytest.mark.anyio

# Each is given the port of a listener that hears every address of this machine.
LITERALS = """
127.0.0.1 127.0.0.2 127.255.255.254 127.1 127.0.1 127.0.0.1. 0 0.0.0.0 0.0.0.0. 2130706433 017700000001 0x7f000001
0X7F000001 0x7f.1 0x7f.0.0.1 0177.1 0177.0.0.1 0177.0x0.0.1 127.0x0.1 00000000177.0.0.01 127.0.0.0x1 0x0 00
localhost LOCALHOST localhost. a.localhost printer.local metadata.google.internal nas.home.arpa
10.0.0.1 10.1 0x0a000001 012.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.1 3232235521 0300.0250.0.1
169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 100.64.0.1 192.0.0.1 192.0.0.192 198.18.0.1 224.0.0.1
239.255.255.250 240.0.0.1 255.255.255.255
[::] [::1] [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
[::FFFF:127.0.0.1] [0:0:0:0:0:ffff:10.0.0.1] [::ffff:0:127.0.0.1] [::ffff:169.254.169.254] [64:ff9b::127.0.0.1]
[64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [64:ff9b:1:7f00:1::] [2002:7f00:1::] [2002:7f00:0001::1]
[2002:a9fe:a9fe::] [2001::7f00:1] [2001:0:4136:e378:8000:63bf:80ff:fffe] [2a00:1450::5efe:127.0.0.1]
[2a00:1450::200:5efe:127.0.0.1] [fe80::1] [febf::1] [fec0::1] [feff::1] [fc00::1] [fd00:ec2::254] [ff02::1] [ff0e::1]
[100::1] [5f00::1] [2001:db8::1] [3fff::1] [fe80::1%25lo] [fe80::1%lo] [::1%25lo] [::ffff:127.0.0.1%25lo]
user@127.0.0.1 hooks.example.com@127.0.0.1 127.0.0.1#@hooks.example.com %31%32%37.0.0.1 127。0。0。1 ①②⑦.0.0.1
127.0.0.1\\@hooks.example.com
""".split()  # noqa: SIM905 - a table is read in rows

# What a name may resolve to; each alone, and the last ones hidden among addresses outside.
ADDRESSES = """
127.0.0.1 127.8.8.8 0.0.0.0 10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 192.0.0.192 198.18.0.1
224.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
64:ff9b:1::7f00:1 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe 2a00:1450::5efe:127.0.0.1 fe80::1 fe80::1%lo ::1%lo
fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1
""".split()  # noqa: SIM905 - a table is read in rows
RESOLVED = [
    *([address] for address in ADDRESSES),
    ["8.8.8.8", "127.0.0.1"],
    ["127.0.0.1", "8.8.8.8"],
    ["2606:4700::1", "::ffff:127.0.0.1", "8.8.8.8"],
]

PATIENT = Pace(first_retry=0.2, longest_retry=0.5, deadline=5.0, lease=10.0, poll=0.2)
_connects: list[Any] = []
_is_watching = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _is_watching and event == "socket.connect":
        _connects.append(arguments[1])


@pytest.fixture
def connects() -> Iterator[list[Any]]:
    """Every address that this process has asked the system to connect to, as the interpreter's own audit tells."""
    global _is_watching
    if _hear not in _hooked:
        sys.addaudithook(_hear)
        _hooked.append(_hear)
    _connects.clear()
    _is_watching = True
    yield _connects
    _is_watching = False


_hooked: list[Any] = []


@asynccontextmanager
async def everywhere() -> AsyncIterator[tuple[int, list[Any]]]:
    """A listener at every address of this machine, of both kinds: its port, and who came."""
    came: list[Any] = []

    async def count(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer.get_extra_info("peername"))
        writer.close()

    listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    server = await asyncio.start_server(count, sock=listening)
    try:
        yield listening.getsockname()[1], came
    finally:
        server.close()


def test_the_list_is_long_enough() -> None:
    """Sixty were asked for, each another one."""
    assert len({*LITERALS, *map(str, RESOLVED)}) == len(LITERALS) + len(RESOLVED) >= 60


async def test_nothing_inside_is_ever_connected_to(stage: Any, connects: list[Any]) -> None:
    """Every message fails as refused, and neither the listener nor the interpreter saw a connection."""
    answers = {f"n{number}.example": addresses for number, addresses in enumerate(RESOLVED)}

    async def resolver(host: str, _port: int) -> Sequence[str]:
        return answers[host]

    def find(name: str) -> Endpoint:
        return Endpoint(name=name, url=name, signer=standard_signer([stage.KEY]))

    async with everywhere() as (port, came):
        hosts = [*LITERALS, *answers]
        urls = [f"https://{host}:{port}/hook" for host in hosts] + [f"http://127.0.0.1:{port}/"]
        for number, url in enumerate(urls):
            await stage.add(f"msg_{number}", url)
        async with stage.delivering(find=find, resolver=resolver, pace=PATIENT):
            await stage.until(lambda: len(refusals(stage)) == len(urls), seconds=20.0)
        assert {refusals(stage)[f"msg_{hosts.index(host)}"] for host in answers} == {"target_inside"}
        assert set(refusals(stage).values()) == {"target_inside", "target_bad_url", "target_not_https"}
        assert (came, connects) == ([], [])


def refusals(stage: Any) -> dict[str, str]:
    rows = stage.database.read(lambda tx: stage.outbox.recent(tx, 10_000))
    return {row.message_id: row.last_error for row in rows if (row.last_error or "").startswith("target_")}


async def test_the_listener_and_the_audit_do_hear(stage: Any, connects: list[Any]) -> None:
    """Where sending inside is allowed, both notice: the test above would fail if anything got through."""
    async with everywhere() as (port, came):
        for host in ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.8.8.8"):
            came.clear()
            connects.clear()
            await stage.add(f"msg {host}", host)
            async with stage.delivering(stage.endpoint(host, f"http://{host}:{port}/")):
                await stage.until(lambda: came and connects)


async def test_the_machines_own_resolver_opens_no_way_in(stage: Any, connects: list[Any]) -> None:
    """Asked for names and spellings that it takes for this machine, past the look at the text."""
    async with everywhere() as (port, came):
        for host in (
            "localhost",
            "127.1",
            "0x7f000001",
            "2130706433",
            "0",
            socket.gethostname(),
            "ip6-localhost",
            "::1",
        ):
            with pytest.raises(targets.TargetRefused):
                await targets.pinned_addresses(targets.Target("https", host, port), allow_private=False)
        assert (came, connects) == ([], [])


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine that stands for one outside."""
    genuine = targets.is_inside
    monkeypatch.setattr(targets, "is_inside", lambda address: address != "127.0.0.2" and genuine(address))
    return "127.0.0.2"


async def test_a_name_that_changes_between_check_and_connection_leads_nowhere_else(
    stage: Any, tmp_path: Path, outside: str
) -> None:
    """What was checked is what is connected to; asked again, the name points inside and is refused."""
    server, client = stage.certificate(tmp_path, "hooks.example.com")
    asked: list[str] = []

    async def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return [outside] if len(asked) == 1 else ["127.0.0.1"]

    closing = stage.answering(200, "connection: close")
    async with (
        stage.receiving(closing, tls=server, host=outside) as good,
        stage.receiving(closing, tls=server, port=good.port) as inside,
    ):
        url = f"https://hooks.example.com:{good.port}/"
        usual = Endpoint(name="siem", url=url, signer=standard_signer([stage.KEY]), tls=client)
        await stage.add("msg_1", "siem")
        async with stage.delivering(usual, resolver=resolver) as worker:
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
            assert len(asked) == 1  # one question, one answer, one connection
            await stage.add("msg_2", "siem")
            worker.wake()
            await stage.until(lambda: stage.fate("msg_2").last_error == "target_inside")
        assert (good.ids, inside.connections) == (["msg_1"], 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_inside(
    stage: Any, tmp_path: Path, outside: str, connects: list[Any], status: int
) -> None:
    """A receiver outside that sends us to an address inside is not obeyed, whatever the address looks like."""
    server, client = stage.certificate(tmp_path, "hooks.example.com")
    heard = 0

    async with everywhere() as (port, came):

        async def reply(_heard: Any, writer: asyncio.StreamWriter) -> None:
            nonlocal heard
            place = ASCII[heard % len(ASCII)]
            heard += 1
            await stage.answering(status, f"location: http://{place}:{port}/")(_heard, writer)

        async with stage.receiving(reply, tls=server, host=outside) as good:
            url = f"https://hooks.example.com:{good.port}/"
            usual = Endpoint(name="siem", url=url, signer=standard_signer([stage.KEY]), tls=client)
            for number in range(len(ASCII)):
                await stage.add(f"msg_{number}", "siem")
            pace = replace(PATIENT, first_retry=60.0, longest_retry=60.0)

            async def resolver(_host: str, _port: int) -> Sequence[str]:
                return [outside]

            async with stage.delivering(usual, resolver=resolver, pace=pace):
                await stage.until(lambda: heard >= 30, seconds=20.0)
            assert {address[0] for address in connects} == {outside}
        assert came == []


ASCII = [host for host in LITERALS if host.isascii()]
