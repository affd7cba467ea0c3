"""The scorer adapter against real servers that misbehave in every way we could think of."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES, OPEN_SECONDS
from auth_gateway.adapters.scorer import HttpScorer
from plumbing.clock import FixedClock
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from tests.hostile_scorers import (
    BROKEN,
    INVALID,
    SLOW,
    Behaviour,
    Event,
    HostileScorer,
    Writer,
    hang,
    says,
    says_score,
)

DEADLINE = 0.3
EVENT = LoginEvent(user_id="alice", ip="198.51.100.9", event_id="evt_1")


@contextlib.asynccontextmanager
async def server(behave: Behaviour) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads one request at a time and then does as it likes; yields its address and the requests."""
    async with HostileScorer(behave).listening() as hostile:
        yield hostile.url, hostile.requests


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
    answer = says_score()

    async def behave(event: Event, writer: Writer) -> None:
        connections.add(writer)
        await answer(event, writer)

    async def story() -> None:
        async with server(behave) as (address, _), scorer_at(address) as scorer:
            assert await scorer.score(EVENT) is not None
            assert await scorer.score(EVENT) is not None

    asyncio.run(story())
    assert len(connections) == 1


@pytest.mark.parametrize("fault", INVALID)
def test_an_answer_out_of_shape_is_no_score(fault: str) -> None:
    """Whatever it is, it is not believed, and the reason has a code."""
    assert asyncio.run(answer_of(INVALID[fault])) == (None, "scorer_invalid")


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_connection_is_no_score(fault: str) -> None:
    """Cut off, half an answer, or no HTTP at all."""
    assert asyncio.run(answer_of(BROKEN[fault])) == (None, "scorer_unreachable")


def test_nobody_listening_is_no_score() -> None:
    """The port is closed."""

    async def story() -> tuple[RiskScore | None, str | None]:
        async with server(hang) as (address, _):
            pass
        async with scorer_at(address) as scorer:
            return await scorer.score(EVENT), scorer.last_problem

    assert asyncio.run(story()) == (None, "scorer_unreachable")


@pytest.mark.parametrize("fault", SLOW)
def test_one_deadline_covers_everything(fault: str) -> None:
    """A byte now and then does not stretch it."""
    started = time.monotonic()
    assert asyncio.run(answer_of(SLOW[fault])) == (None, "scorer_timeout")
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

        async def behave(event: Event, writer: Writer) -> None:
            await next(todo)(event, writer)

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
    answer = says_score()
    asked: list[int] = []
    all_asked = asyncio.Event()

    async def behave(event: Event, writer: Writer) -> None:
        asked.append(1)
        if len(asked) == 2 * CONSECUTIVE_FAILURES:
            all_asked.set()
        await (answer if len(asked) > 2 * CONSECUTIVE_FAILURES else hang)(event, writer)

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
