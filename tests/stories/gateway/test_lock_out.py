"""Wrong passwords as a weapon: whoever guesses at an account from everywhere gets little for it, and does not keep its
owner out.
"""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters.passwords import PasswordHasher
from tests.stories.gateway.story import Story

ADDRESSES = 200
SECONDS = 60.0
TURNS = 20
"""How often the owner comes while it goes on, each time right after a wave of guesses that are sent together."""
MOST_EVALUATIONS = 100


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a password was really held against a hash; below all flows."""
    found, true = Counter[str](), PasswordHasher.check

    def counted(self: PasswordHasher, password: str, *given: Any, **named: Any) -> Any:
        found[password] += 1
        return true(self, password, *given, **named)

    monkeypatch.setattr(PasswordHasher, "check", counted)
    return found


def wave(story: Story, first: int, size: int) -> list[httpx2.Response]:
    """So many guesses at once, each from the next of the addresses."""

    async def guess(number: int) -> httpx2.Response:
        peer = f"203.0.{number % ADDRESSES // 100}.{number % 100 + 1}"
        transport = httpx2.ASGITransport(story.app, client=(peer, 40_000), raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
            return await client.post("/login", json={"username": "bob", "password": f"guess-{number}"})

    async def all_of_them() -> list[httpx2.Response]:
        return await asyncio.gather(*(guess(first + number) for number in range(size)))

    return story.runner.run(all_of_them())


def test_the_owner_gets_in_while_the_whole_world_guesses(
    story: Story, evaluations: Counter[str], is_long: bool
) -> None:
    """2,000 wrong passwords from 200 addresses within a minute: at most 100 are looked at, and on the known device the
    right one opens 20 times of 20. In short it is a fifth of them."""
    begun = story.login("bob")
    cookie = begun.headers["set-cookie"].partition(";")[0]
    size = 100 if is_long else 20
    answers, owner = Counter[int](), Counter[int]()
    for turn in range(TURNS):
        story.clock.advance(SECONDS / TURNS)
        for answer in wave(story, turn * size, size):
            answers[answer.status_code] += 1
            assert answer.status_code != 429 or int(answer.headers["retry-after"]) > 0
        owner[story.login("bob", headers={"cookie": cookie}).status_code] += 1
    assert owner == {200: TURNS}
    guessed = sum(count for password, count in evaluations.items() if password.startswith("guess-"))
    assert guessed == answers[401] <= MOST_EVALUATIONS
    assert answers[401] + answers[429] == TURNS * size
    assert sum(kind == "login.failed" for kind, _ in story.audited()) == guessed
    assert sum(kind == "login.allowed" for kind, _ in story.audited()) == TURNS + 1


def test_a_stranger_with_the_right_password_waits_with_the_rest(story: Story, evaluations: Counter[str]) -> None:
    """What an unknown device gets during an attack is a time to come back, whether or not its password is right; and
    once that has passed, the right one is looked at."""
    wave(story, 0, 40)
    before = evaluations.total()
    refused = story.login("bob", peer="192.0.2.77")
    assert (refused.status_code, evaluations.total()) == (429, before)
    story.clock.advance(float(refused.headers["retry-after"]))
    assert story.login("bob", peer="192.0.2.77").status_code == 200
