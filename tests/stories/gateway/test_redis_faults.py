"""Redis is killed while people log in and refresh: 503 with Retry-After at worst, nobody in without an audit line, and
all is well soon after, without a restart of ours.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redis_server import Server
from tests.stories.gateway.crowd import Crowd, assert_nothing_unseen
from tests.stories.gateway.story import Story, running_story

HEALTH_SECONDS = 3.0
"""What a machine that many share may take."""
RECOVERY_SECONDS = 10.0


@pytest.fixture
def shared_story(tmp_path: Path, redis: Server) -> Iterator[Story]:
    """A gateway that counts through a real Redis, and does so already."""
    with running_story(tmp_path / "state", risk_api_credential="rgs_test", redis_url=redis.url) as running:
        assert seconds_until(running, "reachable") < RECOVERY_SECONDS
        yield running


def seconds_until(story: Story, expected: str) -> float:
    """How long until /ready says so of Redis; RECOVERY_SECONDS when it does not."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < RECOVERY_SECONDS:
        if story.ask("GET", "/ready").json()["redis"] == expected:
            return waited
        time.sleep(0.05)
    return RECOVERY_SECONDS


def test_a_redis_that_is_killed_again_and_again_lets_nobody_in_unseen(
    shared_story: Story, redis: Server, is_long: bool
) -> None:
    """Ten times under load, in short two; logins go on meanwhile, and Redis is used again when it is back."""

    def kill() -> None:
        for _ in range(10 if is_long else 2):
            time.sleep(0.3)
            redis.kill()
            time.sleep(0.5)
            redis.start()

    told = Crowd(shared_story).live_through(kill)
    assert_nothing_unseen(shared_story, told)
    assert told.answers["/login", 200] > 0
    assert told.slowest_health_seconds < HEALTH_SECONDS
    assert seconds_until(shared_story, "reachable") < RECOVERY_SECONDS


def test_logins_go_on_while_redis_is_dead(shared_story: Story, redis: Server) -> None:
    """Nobody is refused for it."""

    def stay_dead() -> None:
        redis.kill()
        time.sleep(1.5)

    told = Crowd(shared_story).live_through(stay_dead)
    assert_nothing_unseen(shared_story, told)
    assert told.statuses == {200}
