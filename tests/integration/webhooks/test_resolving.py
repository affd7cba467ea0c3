"""A name whose server never answers keeps nobody waiting but those who want that name."""

import asyncio
import socket
import threading
from typing import Any

import pytest

from webhooks import resolving
from webhooks.resolving import SystemResolver

pytestmark = pytest.mark.anyio


class Nameserver:
    """Answers at once, but for `hangs.example` only when it is let go."""

    def __init__(self) -> None:
        self.let_go, self.asked = threading.Event(), list[str]()

    def __call__(self, host: str, port: int, **_options: Any) -> list[Any]:
        self.asked.append(host)
        if host.endswith("hangs.example"):
            self.let_go.wait(10)
        if host == "none.example":
            raise socket.gaierror("no such name")
        return [(0, 0, 0, "", ("192.0.2.1", port)), (0, 0, 0, "", ("192.0.2.1", port))]


@pytest.fixture
def nameserver(monkeypatch: pytest.MonkeyPatch) -> Any:
    server = Nameserver()
    monkeypatch.setattr(socket, "getaddrinfo", server)
    yield server
    server.let_go.set()


async def given_up(resolver: SystemResolver, host: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await resolver(host, 443)


async def test_a_name_that_hangs_is_asked_for_once_and_holds_up_no_other(nameserver: Nameserver) -> None:
    """However many want it and give up; whoever is left gets the answer, and the next one a new one."""
    resolver = SystemResolver()
    await asyncio.gather(*(given_up(resolver, "hangs.example") for _ in range(20)))
    async with asyncio.timeout(5):
        assert await resolver("other.example", 443) == ["192.0.2.1"]
        waiting = asyncio.create_task(resolver("hangs.example", 443))
        await asyncio.sleep(0)
        nameserver.let_go.set()
        assert await waiting == ["192.0.2.1"]
        assert nameserver.asked == ["hangs.example", "other.example"]
        await resolver("hangs.example", 443)
    assert nameserver.asked.count("hangs.example") == 2


async def test_a_name_that_there_is_not_is_said_so(nameserver: Nameserver) -> None:
    """Each time it is asked for."""
    resolver = SystemResolver()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await resolver("none.example", 443)
    assert nameserver.asked == ["none.example"] * 2


async def test_so_many_names_are_asked_for_at_once(nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, until one has its answer."""
    monkeypatch.setattr(resolving, "MOST_NAMES", 2)
    resolver = SystemResolver()
    await given_up(resolver, "a.hangs.example")
    await given_up(resolver, "b.hangs.example")
    with pytest.raises(OSError, match="too many"):
        await resolver("other.example", 443)
    nameserver.let_go.set()
    async with asyncio.timeout(5):
        await resolver("a.hangs.example", 443)
        assert await resolver("other.example", 443) == ["192.0.2.1"]
