"""A receiver that misbehaves delays nobody but itself, and cannot lead us astray."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from webhooks.delivery import Endpoint
from webhooks.signing import standard_signer
from webhooks.targets import TargetRefused

pytestmark = pytest.mark.anyio


async def hang(_heard: Any, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drip(_heard: Any, writer: asyncio.StreamWriter) -> None:
    for sign in b"HTTP/1.1 200 OK\r\nx: " + b"a" * 10_000:
        writer.write(bytes([sign]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def flood_of_headers(_heard: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"x: " + b"a" * 60_000 + b"\r\n")
        await writer.drain()


async def nonsense(_heard: Any, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 what?\r\n\r\n")


async def hang_up(_heard: Any, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


HOSTILE = {
    "hangs": (hang, "timeout"),
    "drips": (drip, "timeout"),
    "floods": (flood_of_headers, "bad_answer"),
    "nonsense": (nonsense, "bad_answer"),
    "hangs up": (hang_up, "connection_closed"),
    "fails": (None, "status_500"),
    "redirects": (None, "redirect_refused"),
    "limits": (None, "status_429"),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_receiver_does_not_delay_a_healthy_one(stage: Any, kind: str) -> None:
    """With fifty messages stuck at the one, fifty to the other arrive as if it were alone."""
    reply, problem = HOSTILE[kind]
    fixed = {
        "fails": stage.answering(500, body=b"x" * 1_000_000),
        "redirects": stage.answering(302, "location: http://169.254.169.254/"),
        "limits": stage.answering(429, "retry-after: 3600"),
    }
    async with stage.receiving(fixed.get(kind, reply)) as hostile, stage.receiving(stage.answering(200)) as healthy:
        for i in range(50):
            await stage.add(f"msg_h{i}", "hostile")
        endpoints = stage.endpoint("hostile", hostile.url), stage.endpoint("healthy", healthy.url)
        async with stage.delivering(*endpoints) as worker:
            await stage.until(lambda: len(hostile.heard) > 0)
            delays = []
            for i in range(50):
                began = asyncio.get_running_loop().time()
                await stage.add(f"msg_g{i}", "healthy")
                worker.wake()
                await stage.until(lambda i=i: len(healthy.heard) > i)
                delays.append(asyncio.get_running_loop().time() - began)
            await stage.until(lambda: any(stage.fate(f"msg_h{i}").last_error for i in range(50)))
            await stage.until(lambda: stage.depth() == 50)
            errors = {stage.fate(f"msg_h{i}").last_error for i in range(50)} - {None}
    assert sorted(delays)[25] < stage.QUICK.deadline / 2  # they did not take turns with what is stuck
    # On a busy machine a flood may not be read far enough to be found bad before its deadline.
    late = {"timeout"} & errors if kind == "floods" else set()
    assert problem is None or errors == {problem} | late


async def resolving_to(*addresses: str) -> Sequence[str]:
    return addresses


async def test_a_name_that_turns_inside_is_not_connected_to(stage: Any) -> None:
    """The check is made at each attempt, on the very address that would be connected to."""
    answers = iter([["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"]])
    asked: list[str] = []

    async def resolver(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return next(answers, ["127.0.0.1"])

    async with stage.receiving(stage.answering(200)) as receiver:
        await stage.add("msg_1", "siem")
        url = f"https://hooks.example.com:{receiver.port}/"
        outside = Endpoint(name="siem", url=url, signer=standard_signer([stage.KEY]))
        async with stage.delivering(outside, resolver=resolver):
            await stage.until(lambda: len(asked) > 3)
            await stage.until(lambda: stage.fate("msg_1").last_error == "target_inside")
    assert set(asked) == {"hooks.example.com"}
    assert receiver.connections == 0


def test_an_endpoint_that_points_inside_cannot_be_made(stage: Any) -> None:
    """A service with such a setting does not start."""
    for url in ("https://127.0.0.1/", "http://hooks.example.com/", "https://localhost/"):
        with pytest.raises(TargetRefused):
            Endpoint(name="siem", url=url, signer=standard_signer([stage.KEY]))


@pytest.mark.parametrize(("name", "is_taken"), [("hooks.example.com", True), ("other.example.com", False)])
async def test_a_pinned_connection_still_proves_its_name(stage: Any, tmp_path: Path, name: str, is_taken: bool) -> None:
    """We connect to the address, and the certificate must be that of the name; Host says the name too."""
    server, client = stage.certificate(tmp_path, "hooks.example.com")
    async with stage.receiving(stage.answering(200), tls=server) as receiver:
        await stage.add("msg_1", "siem")
        plain = stage.endpoint("siem", f"https://{name}:{receiver.port}/in")
        async with stage.delivering(replace(plain, tls=client), resolver=lambda *_: resolving_to("127.0.0.1")):
            await stage.until(lambda: stage.fate("msg_1").attempts > 0)
            if is_taken:
                await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
                assert receiver.heard[0].headers["host"] == f"hooks.example.com:{receiver.port}"
            else:
                await stage.until(lambda: stage.fate("msg_1").last_error == "connect_failed")
                assert receiver.heard == []


async def test_the_next_address_is_tried_when_one_does_not_answer(stage: Any) -> None:
    """A name with a dead address among its good ones still gets its messages."""
    async with stage.receiving(stage.answering(200)) as receiver:
        await stage.add("msg_1", "siem")
        named = stage.endpoint("siem", f"http://hooks.example.com:{receiver.port}/")
        async with stage.delivering(named, resolver=lambda *_: resolving_to("127.0.0.2", "127.0.0.1")):
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    assert receiver.heard[0].headers["host"] == f"hooks.example.com:{receiver.port}"


async def test_settings_of_the_machine_do_not_reroute_us(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is not used: it would resolve names itself, past our check."""
    async with stage.receiving(stage.answering(200)) as proxy, stage.receiving(stage.answering(200)) as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await stage.add("msg_1", "siem")
        async with stage.delivering(stage.endpoint("siem", receiver.url)):
            await stage.until(lambda: stage.fate("msg_1").delivered_at is not None)
    assert (proxy.connections, len(receiver.heard)) == (0, 1)
