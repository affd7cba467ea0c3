"""The scorer adapter against real servers that misbehave in every way we could think of."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES, OPEN_SECONDS
from auth_gateway.adapters.scorer import MOST_ANSWER_BYTES, HttpScorer
from plumbing.clock import FixedClock
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent

DEADLINE = 0.3
EVENT = LoginEvent(user_id="alice", ip="198.51.100.9", event_id="evt_1")
EXPLAIN = {
    **{"hour": 1, "day_of_week": 2, "success": 1, "user_freq": 1, "ip_freq": 0, "device_freq": 0, "ua_freq": 0},
    **{"ja4_freq": 0, "ja4h_freq": 0, "ja4s_freq": 0, "ip_rep": 5.0},
}
GOOD: dict[str, Any] = {
    **{"risk_score": 12.5, "risk_level": "low", "model_label": 1, "explain": EXPLAIN, "ts_scored": 1.0},
    **{"reasons": [], "model_version": "m1", "event_id": "evt_1"},
}

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Behaviour = Callable[[Writer], Awaitable[None]]


def http(body: bytes, *, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def says(body: bytes, **options: str) -> Behaviour:
    async def behave(writer: Writer) -> None:
        writer.write(http(body, **options))

    return behave


def says_score(**changes: object) -> Behaviour:
    return says(json.dumps({**GOOD, **changes}).encode())


@contextlib.asynccontextmanager
async def server(behave: Behaviour) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads one request at a time and then does as it likes; yields its address and the requests."""
    requests: list[bytes] = []
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: Reader, writer: Writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                requests.append(head + await reader.readexactly(length))
                await behave(writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", requests
    finally:
        listener.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def scorer_at(address: str, clock: FixedClock | None = None) -> AsyncIterator[HttpScorer]:
    scorer = HttpScorer(
        base_url=address, credential="rgs_secret", deadline_seconds=DEADLINE, clock=clock or FixedClock(0)
    )
    try:
        yield scorer
    finally:
        await scorer.close()


async def answer_of(behave: Behaviour) -> tuple[RiskScore | None, str | None]:
    async with server(behave) as (address, _), scorer_at(address) as scorer:
        return await scorer.score(EVENT), scorer.last_problem


async def hang(writer: Writer) -> None:
    await asyncio.sleep(2)


async def hang_after_head(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{")
    await asyncio.sleep(2)


async def drip(writer: Writer) -> None:
    body = json.dumps(GOOD).encode()
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode())
    for byte in body:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def half_then_close(writer: Writer) -> None:
    writer.write(http(json.dumps(GOOD).encode())[:-20])
    await writer.drain()
    writer.close()


async def close(writer: Writer) -> None:
    writer.close()


async def no_http(writer: Writer) -> None:
    writer.write(b"\x00\xff\x16\x03\x01 this is not HTTP\r\n\r\n")


async def endless(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with contextlib.suppress(ConnectionError):
        for _ in range(160):
            writer.write(chunk)
            await writer.drain()


async def broken_chunks(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")


def test_a_good_score_arrives() -> None:
    """The whole value, as the contract has it."""
    score, problem = asyncio.run(answer_of(says_score()))
    assert score is not None
    assert (score.risk_score, score.risk_level, score.explain.ip_rep) == (12.5, "low", 5.0)
    assert problem is None


def test_the_request_is_the_event_with_our_credential_and_nothing_else() -> None:
    """One POST to /score, no proxy, no compression asked for."""

    async def story() -> list[bytes]:
        async with server(says_score()) as (address, requests), scorer_at(address) as scorer:
            await scorer.score(EVENT)
            return requests

    (request,) = asyncio.run(story())
    head, body = request.split(b"\r\n\r\n")
    assert head.startswith(b"POST /score HTTP/1.1\r\n")
    assert b"authorization: bearer rgs_secret" in head.lower()
    assert b"accept-encoding: identity" in head.lower()
    assert json.loads(body) == {"user_id": "alice", "ip": "198.51.100.9", "event_id": "evt_1"}


def test_connections_are_reused() -> None:
    """Two scores, one connection: the handshake is not paid for each login."""
    connections: set[Writer] = set()
    good = says_score()

    async def behave(writer: Writer) -> None:
        connections.add(writer)
        await good(writer)

    async def story() -> None:
        async with server(behave) as (address, _), scorer_at(address) as scorer:
            assert await scorer.score(EVENT) is not None
            assert await scorer.score(EVENT) is not None

    asyncio.run(story())
    assert len(connections) == 1


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(says_score(risk_score=-0.1), id="below 0"),
        pytest.param(says_score(risk_score=100.1, risk_level="high", model_label=-1), id="above 100"),
        pytest.param(says_score(risk_score=float("nan")), id="NaN"),
        pytest.param(says_score(risk_score=float("inf")), id="Infinity"),
        pytest.param(says(json.dumps(GOOD).replace("12.5", "1e999").encode()), id="overflow"),
        pytest.param(says_score(risk_score="12.5"), id="number as text"),
        pytest.param(says_score(risk_score=None), id="null"),
        pytest.param(says_score(risk_score=95.0), id="high score called low"),
        pytest.param(says_score(risk_score=60.0), id="medium score called low"),
        pytest.param(says_score(risk_level="high"), id="low score called high"),
        pytest.param(says_score(risk_level="none"), id="unknown level"),
        pytest.param(says_score(model_label=-1), id="label contradicts"),
        pytest.param(says_score(event_id="evt_2"), id="another event"),
        pytest.param(says_score(event_id=None), id="no event"),
        pytest.param(says_score(explain={}), id="empty explanation"),
        pytest.param(says(b""), id="empty"),
        pytest.param(says(b"null"), id="null body"),
        pytest.param(says(b"[" * 60_000), id="deep"),
        pytest.param(says(b'{"a":' * 10_000), id="deep objects"),
        pytest.param(says(json.dumps(GOOD).encode("utf-16")), id="UTF-16"),
        pytest.param(says(b"\xff\xfe"), id="not UTF-8"),
        pytest.param(says(json.dumps(GOOD).encode() + b"x"), id="trailing"),
        pytest.param(says(b"<html>"), id="HTML"),
        pytest.param(says(b"{}", status="500 Internal Server Error"), id="500"),
        pytest.param(says(json.dumps(GOOD).encode(), status="500 Internal Server Error"), id="500 with a score"),
        pytest.param(says(json.dumps(GOOD).encode(), status="201 Created"), id="201"),
        pytest.param(says(b"{}", status="401 Unauthorized"), id="401"),
        pytest.param(says(b" " * (MOST_ANSWER_BYTES + 1)), id="one byte too long"),
        pytest.param(endless, id="10 MB"),
    ],
)
def test_an_answer_out_of_shape_is_no_score(behave: Behaviour) -> None:
    """Whatever it is, it is not believed, and the reason has a code."""
    assert asyncio.run(answer_of(behave)) == (None, "scorer_invalid")


@pytest.mark.parametrize("behave", [close, half_then_close, no_http, broken_chunks])
def test_a_broken_connection_is_no_score(behave: Behaviour) -> None:
    """Cut off, half an answer, or no HTTP at all."""
    assert asyncio.run(answer_of(behave)) == (None, "scorer_unreachable")


def test_nobody_listening_is_no_score() -> None:
    """The port is closed."""

    async def story() -> tuple[RiskScore | None, str | None]:
        async with server(hang) as (address, _):
            pass
        async with scorer_at(address) as scorer:
            return await scorer.score(EVENT), scorer.last_problem

    assert asyncio.run(story()) == (None, "scorer_unreachable")


@pytest.mark.parametrize("behave", [hang, hang_after_head, drip])
def test_one_deadline_covers_everything(behave: Behaviour) -> None:
    """A byte now and then does not stretch it."""
    started = time.monotonic()
    assert asyncio.run(answer_of(behave)) == (None, "scorer_timeout")
    assert time.monotonic() - started < 1.9


def test_a_redirect_is_not_followed() -> None:
    """Our credential goes to the configured address and nowhere else."""

    async def story() -> tuple[RiskScore | None, list[bytes]]:
        async with server(says_score()) as (elsewhere, requests):
            redirect = says(b"", status="307 Temporary Redirect", headers=f"location: {elsewhere}/score\r\n")
            async with server(redirect) as (address, _), scorer_at(address) as scorer:
                return await scorer.score(EVENT), requests

    assert asyncio.run(story()) == (None, [])


def test_the_environment_s_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stray HTTP_PROXY must not see our credential."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    score, _ = asyncio.run(answer_of(says_score()))
    assert score is not None


def test_an_open_breaker_asks_nobody_until_the_probe_succeeds() -> None:
    """Five failures, silence, one probe, and then all is well again."""
    clock = FixedClock(0)
    behaviours = [says(b"no")] * CONSECUTIVE_FAILURES + [says_score()] * 2

    async def story() -> list[tuple[bool, str | None, int]]:
        seen: list[tuple[bool, str | None, int]] = []
        todo = iter(behaviours)

        async def behave(writer: Writer) -> None:
            await next(todo)(writer)

        async with server(behave) as (address, requests), scorer_at(address, clock) as scorer:
            for pause in [0.0] * CONSECUTIVE_FAILURES + [0.0, OPEN_SECONDS, 0.0]:
                clock.advance(pause)
                score = await scorer.score(EVENT)
                seen.append((score is not None, scorer.last_problem, len(requests)))
        return seen

    invalid = [(False, "scorer_invalid", n + 1) for n in range(CONSECUTIVE_FAILURES)]
    held = (False, "breaker_open", CONSECUTIVE_FAILURES)
    recovered = [(True, None, CONSECUTIVE_FAILURES + 1), (True, None, CONSECUTIVE_FAILURES + 2)]
    assert asyncio.run(story()) == [*invalid, held, *recovered]


def test_a_deadline_that_our_own_loop_missed_is_not_held_against_the_scorer() -> None:
    """No score and no count: the next login is scored, and no breaker stands in between."""
    good = says_score()
    asked: list[int] = []
    all_asked = asyncio.Event()

    async def behave(writer: Writer) -> None:
        asked.append(1)
        if len(asked) == 2 * CONSECUTIVE_FAILURES:
            all_asked.set()
        await (good if len(asked) > 2 * CONSECUTIVE_FAILURES else hang)(writer)

    async def story() -> tuple[list[RiskScore | None], str | None, RiskScore | None]:
        async with server(behave) as (address, _), scorer_at(address) as scorer:
            calls = [asyncio.create_task(scorer.score(EVENT)) for _ in range(2 * CONSECUTIVE_FAILURES)]
            await all_asked.wait()
            time.sleep(DEADLINE + 0.2)  # noqa: ASYNC251 -- the flood: nothing else runs meanwhile
            unscored = await asyncio.gather(*calls)
            return unscored, scorer.last_problem, await scorer.score(EVENT)

    unscored, problem, score = asyncio.run(story())
    assert (set(unscored), problem) == ({None}, "gateway_busy")
    assert score is not None
