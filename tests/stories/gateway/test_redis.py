"""Two gateways that count together through a real Redis, and what people notice of its troubles: nothing."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES
from auth_gateway.core.throttle import FREE_FAILURES
from tests.redis_impostor import impostor
from tests.redis_server import Server
from tests.stories.gateway.pairs import Pair, running_pair
from tests.stories.gateway.story import Story, running_story

WRONG = "wrong-password-1!"


@pytest.fixture
def pair(tmp_path: Path, redis: Server) -> Iterator[Pair]:
    """Two gateways on one database and one Redis."""
    with running_pair(tmp_path / "state", redis_url=redis.url) as both:
        for story in both:
            wait_until(story, None)
        yield both


def reason(story: Story) -> Any:
    """What /ready says of Redis; it is ready all the same."""
    answer = story.ask("GET", "/ready")
    assert answer.status_code == 200
    told = answer.json()["redis"]
    return None if told == "reachable" else told


def wait_until(story: Story, expected: str | None, seconds: float = 10.0) -> None:
    """Until /ready says so of Redis."""
    end = perf_counter() + seconds
    while (said := reason(story)) != expected:
        assert perf_counter() < end, said
        story.runner.run(asyncio.sleep(0.05))


def metric(story: Story, beginning: str) -> float:
    """The sum of what begins like that."""
    told = story.app.state.watching.meters.exposition().decode()
    return sum(float(line.rpartition(" ")[2]) for line in re.findall(rf"^{re.escape(beginning)}.*$", told, re.M))


def guesses(pair: Pair, name: str, times: int) -> list[int]:
    """The answers to that many wrong passwords, every other one asked at the other gateway."""
    return [pair[number % 2].login(name, WRONG).status_code for number in range(times)]


def test_two_gateways_share_a_limit(pair: Pair) -> None:
    """A guesser gains nothing from asking both; a login elsewhere goes on."""
    answers = guesses(pair, "bob", 2 * FREE_FAILURES["account"])
    assert answers.count(401) in (FREE_FAILURES["account"], FREE_FAILURES["account"] + 1)
    assert answers.count(429) == len(answers) - answers.count(401)
    assert metric(pair[0], "riskgate_redis_seconds_count") > 0
    assert pair[1].login("alice", peer="203.0.113.77").json()["allowed"] is True


def test_what_one_gateway_finds_out_about_the_scorer_the_other_knows(pair: Pair) -> None:
    """Within about a second it asks no more either."""
    one, other = pair
    one.scorer.status = 500
    for number in range(CONSECUTIVE_FAILURES):
        assert one.login(peer=f"203.0.113.{number}").json()["mfa_required"] is True
    asked = len(one.scorer.events)
    other.runner.run(asyncio.sleep(1.2))
    assert other.login(peer="203.0.113.99").status_code < 500
    assert len(one.scorer.events) == asked
    assert metric(other, "riskgate_breaker_open") == 1


@pytest.mark.parametrize("trouble", ["killed", "hanging", "read-only"])
def test_logins_go_on_without_redis_and_are_limited_more_strictly(pair: Pair, redis: Server, trouble: str) -> None:
    """Never open, never a 500; told while it lasts; over by itself."""
    began = {"killed": redis.kill, "hanging": redis.freeze, "read-only": redis.demote}
    ended = {"killed": redis.start, "hanging": redis.thaw, "read-only": redis.promote}
    code = {"killed": "redis_unreachable", "hanging": "redis_timeout", "read-only": "redis_read_only"}[trouble]
    began[trouble]()
    first = pair[0].login("alice")
    assert (first.status_code, first.json()["allowed"]) == (200, True)
    answers = guesses(pair, "bob", 4 * FREE_FAILURES["account"])
    assert set(answers) == {401, 429}
    # One of the two may have been asked before it knew: what Redis counted then weighs on here.
    assert answers.count(401) <= FREE_FAILURES["account"]
    for story in pair:
        wait_until(story, code)
        assert metric(story, "riskgate_redis_away") == 1
        assert metric(story, "riskgate_redis_fallbacks_total") > 0
    ended[trouble]()
    for story in pair:
        wait_until(story, None)
        assert metric(story, "riskgate_redis_away") == 0
    assert pair[1].login("alice").json()["allowed"] is True


def test_a_hanging_redis_costs_no_login_its_time_once_it_is_noticed(pair: Pair, redis: Server, is_long: bool) -> None:
    """The first few wait a twentieth of a second each; then nobody does."""
    story, times = pair[0], 100 if is_long else 15

    def slow() -> float:
        took = []
        for _ in range(times):
            began = perf_counter()
            assert story.login("alice").json()["allowed"] is True
            took.append(perf_counter() - began)
        return sorted(took)[int(times * 0.95) - 1]

    healthy = slow()
    redis.freeze()
    wait_until(story, "redis_timeout")
    assert slow() < healthy + 0.06


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "redis_loading"),
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "redis_not_authenticated"),
        (b"+OK\r\n", "redis_garbled"),
        (b"*3\r\n$1\r\nx\r\n:9\r\n$1\r\nx\r\n", "redis_garbled"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "redis_garbled"),
    ],
    ids=["loading", "wrong-password", "ok-to-all", "nonsense", "http"],
)
def test_what_is_no_redis_lets_nobody_guess_more(tmp_path: Path, said: bytes, code: str) -> None:
    """From the first request on."""
    with impostor(said) as url, running_story(tmp_path / "state", redis_url=url) as story:
        answers = [story.login("bob", WRONG).status_code for _ in range(2 * FREE_FAILURES["account"])]
        assert answers.count(401) == FREE_FAILURES["account"] // 2
        assert answers.count(429) == len(answers) - FREE_FAILURES["account"] // 2
        assert story.login("alice", peer="203.0.113.77").json()["allowed"] is True
        wait_until(story, code)


def test_a_gateway_starts_without_redis_and_finds_it_later(tmp_path: Path, redis: Server) -> None:
    """Nobody has to start it again."""
    redis.kill()
    with running_story(tmp_path / "state", redis_url=redis.url) as story:
        assert story.login("alice").json()["allowed"] is True
        wait_until(story, "redis_unreachable")
        redis.start()
        wait_until(story, None)
