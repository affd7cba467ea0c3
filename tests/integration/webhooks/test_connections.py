"""Connections are kept and used again, and what a receiver does with one costs at most that connection."""

import asyncio
from typing import Any

import pytest

from webhooks import connection as connection_module
from webhooks import transport as transport_module
from webhooks.transport import Courier

# The services run on uvloop where it is installed; its transports are not asyncio's.
pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops that the services may run on."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


def courier(url: str, *, deadline: float = 2.0) -> Courier:
    async def resolver(host: str, _port: int) -> list[str]:
        return [host]

    return Courier(url, allow_private=True, resolver=resolver, tls=None, connections=4, deadline_seconds=deadline)


def saying(text: bytes, *, then_close: bool = False) -> Any:
    async def reply(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        if then_close:
            await writer.drain()
            writer.close()

    return reply


EMPTY = b"content-length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n" + EMPTY, True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n" + EMPTY, True),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\n" + EMPTY, False),
        (b"HTTP/1.0 200 OK\r\n" + EMPTY, False),
        (b"HTTP/1.1 200 OK\r\n" + EMPTY + b"HTTP/1.1 500 Uninvited\r\n" + EMPTY, False),
    ],
    ids=["204", "length", "chunks", "interim", "close", "1.0", "uninvited"],
)
async def test_a_connection_is_kept_when_its_answer_was_read_in_full(stage: Any, text: bytes, is_kept: bool) -> None:
    """Three messages: one connection, or three where the receiver ends it or says more than it was asked."""
    async with stage.receiving(saying(text)) as receiver, courier(receiver.url) as carrying:
        for _ in range(3):
            assert (await carrying.post(b"{}", {})).is_delivered
            await asyncio.sleep(0.02)
    assert len(receiver.heard) == 3
    assert receiver.connections == (1 if is_kept else 3)


async def test_an_answer_may_end_with_its_connection(stage: Any) -> None:
    """No length and no chunks: the status counts."""
    reply = saying(b"HTTP/1.1 200 OK\r\n\r\nthank you", then_close=True)
    async with stage.receiving(reply) as receiver, courier(receiver.url) as carrying:
        assert (await carrying.post(b"{}", {})).status == 200


async def test_a_kept_connection_that_was_hung_up_is_replaced_at_once(stage: Any) -> None:
    """The receiver closes what is idle; the next message is no failed attempt."""
    async with stage.receiving(stage.answering(200)) as receiver, courier(receiver.url) as carrying:
        assert (await carrying.post(b"{}", {})).status == 200
        (idle,) = carrying._idle
        writer = receiver.writers[0]
        writer.transport.abort()
        assert (await carrying.post(b"{}", {})).status == 200  # before we could have noticed
        assert idle not in carrying._idle
    assert receiver.connections == 2


async def test_a_receiver_that_hangs_up_on_every_request_is_not_asked_for_ever(stage: Any) -> None:
    """A fresh connection that is closed without an answer is a failure."""

    async def hang_up(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with stage.receiving(hang_up) as receiver, courier(receiver.url) as carrying:
        assert (await carrying.post(b"{}", {})).problem == "connection_closed"
    assert receiver.connections == 1


async def test_an_answer_that_breaks_off_is_not_asked_for_again(stage: Any) -> None:
    """On a kept connection, too: some of an answer came, so the message arrived."""
    replies = iter([b"HTTP/1.1 200 OK\r\n" + EMPTY])

    async def reply(_heard: Any, writer: asyncio.StreamWriter) -> None:
        text = next(replies, b"HTTP/1.1 50")
        writer.write(text)
        if text.endswith(b"50"):
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()

    async with stage.receiving(reply) as receiver, courier(receiver.url) as carrying:
        assert (await carrying.post(b"{}", {})).status == 200
        assert (await carrying.post(b"{}", {})).problem == "connection_closed"
    assert len(receiver.heard) == 2


@pytest.mark.parametrize(
    "text",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/1.1 99999 Much\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000,
    ],
)
async def test_what_is_no_answer_is_a_failure(stage: Any, text: bytes) -> None:
    """And its connection is not used again."""
    async with stage.receiving(saying(text)) as receiver, courier(receiver.url) as carrying:
        assert (await carrying.post(b"{}", {})).problem in {"bad_answer", "timeout"}
        assert carrying._idle == []


@pytest.mark.parametrize("rest", [b"", b"x"], ids=["silence", "drip"])
async def test_the_rest_of_an_answer_holds_nobody_up(stage: Any, rest: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status and then a body that does not come: the status counts after a moment, long before the deadline."""
    monkeypatch.setattr(connection_module, "DRAIN_SECONDS", 0.1)

    async def reply(_heard: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(rest)
            await asyncio.sleep(0.01)

    async with stage.receiving(reply) as receiver, courier(receiver.url, deadline=20.0) as carrying:
        began = asyncio.get_running_loop().time()
        assert (await carrying.post(b"{}", {})).status == 200
        assert asyncio.get_running_loop().time() - began < 5.0


async def test_an_idle_connection_is_closed_after_a_while(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pays for a connection that nothing is said on."""
    monkeypatch.setattr(transport_module, "IDLE_SECONDS", 0.05)
    async with stage.receiving(stage.answering(200)) as receiver, courier(receiver.url) as carrying:
        await carrying.post(b"{}", {})
        assert len(carrying._idle) == 1
        await stage.until(lambda: not carrying._idle)
        assert (await carrying.post(b"{}", {})).status == 200
    assert receiver.connections == 2


async def test_a_connection_is_not_used_for_ever(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then the name is asked again, and checked."""
    monkeypatch.setattr(transport_module, "MOST_USES", 2)
    async with stage.receiving(stage.answering(200)) as receiver, courier(receiver.url) as carrying:
        for _ in range(4):
            await carrying.post(b"{}", {})
    assert receiver.connections == 2


@pytest.mark.parametrize("value", ["a\r\nx: y", "a\nb", "a\rb", "a\0b"])
async def test_a_header_cannot_bring_another_along(stage: Any, value: str) -> None:
    """A line break in a value is a bug of the signer, and nothing is sent."""
    async with stage.receiving(stage.answering(200)) as receiver, courier(receiver.url) as carrying:
        with pytest.raises(ValueError, match="line break"):
            await carrying.post(b"{}", {"webhook-id": value})
    assert receiver.heard == []
