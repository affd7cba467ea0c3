"""What a stranger can find out: nothing about accounts, scores or secrets, and no longer way in by trying often."""

import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from auth_gateway.adapters import refusal_floor
from auth_gateway.core.throttle import FREE_FAILURES
from tests.stories.gateway.story import PASSWORD, Story

ABROAD = "203.0.113.77"


def shown(answer: httpx2.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Everything a stranger gets to see."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


WRONG = (
    ("nobody", PASSWORD),
    ("alice", "wrong"),
    ("frozen", PASSWORD),
    ("frozen", "wrong"),
    ("alice", ""),
    ("", ""),
    ("", PASSWORD),
    ("alice", "x" * 5000),
    ("nobody", "x" * 5000),
    ("a" * 5000, PASSWORD),
    ("alice", PASSWORD + "\0"),
    ("alice\0", PASSWORD),
    ("al ice", PASSWORD),
    ("a\u0308lice", PASSWORD),
)


def test_every_wrong_login_gets_the_same_bytes(story: Story) -> None:
    """Unknown, wrong, frozen, impossible: one answer, header by header."""
    expected = shown(story.login("alice", "certainly wrong"))
    assert expected[0] == 401
    for number, (username, password) in enumerate(WRONG):
        answer = story.login(username, password, peer=f"203.0.113.{number}")
        assert shown(answer) == expected, (username[:20], password[:20])
        story.clock.advance(3600)


def test_other_forms_of_a_name_are_the_same_person(story: Story) -> None:
    """Case and full-width letters do not make another account."""
    assert story.login("ALICE").status_code == 200
    assert story.login("ａｌｉｃｅ").status_code == 200


def test_every_wrong_login_is_held_until_the_same_moment(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits for the one floor, whatever it was refused for; the clock stands still, so all waits are equal."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(refusal_floor, "asyncio", SimpleNamespace(sleep=sleep))
    for username, password in (("nobody", "wrong"), ("bob", "wrong"), ("frozen", PASSWORD), ("", ""), ("bob", "\0")):
        assert story.login(username, password).status_code == 401
    assert len(waits) == 5
    assert len(set(waits)) == 1
    assert waits[0] >= refusal_floor.MARGIN_SECONDS


def test_guessing_is_slowed_down_with_a_time_to_come_back(story: Story) -> None:
    """429, Retry-After, and after that time another try."""
    for _ in range(FREE_FAILURES["account"]):
        assert story.login("bob", "wrong", peer=ABROAD).status_code == 401
    answer = story.login("bob", PASSWORD, peer=ABROAD)
    assert (answer.status_code, answer.json()["error"]) == (429, "throttled")
    story.clock.advance(int(answer.headers["retry-after"]))
    assert story.login("bob", PASSWORD, peer=ABROAD).status_code == 200


def test_a_name_without_an_account_is_slowed_down_alike(story: Story) -> None:
    """Otherwise the 429 itself would say which names exist."""
    statuses = {
        name: [story.login(name, "wrong", peer=ABROAD).status_code for _ in range(FREE_FAILURES["account"] + 2)]
        for name in ("bob", "nobody", "frozen")
    }
    assert statuses["bob"] == statuses["nobody"] == statuses["frozen"]


def test_a_stranger_cannot_lock_the_owner_out(story: Story) -> None:
    """On a device that is known the owner goes in while the attack lasts."""
    cookie = story.login().headers["set-cookie"].split(";")[0]
    for _ in range(20):
        story.login("alice", "wrong", peer=ABROAD)
    assert story.login("alice", PASSWORD, peer=ABROAD).status_code == 429
    assert story.login("alice", PASSWORD, headers={"cookie": cookie}).status_code == 200


def test_a_wrong_password_is_not_scored(story: Story) -> None:
    """So that a guesser cannot make the scorer work, and a score cannot leak before the password is right."""
    story.login("alice", "wrong")
    assert story.scorer.events == []


CONTEXT: dict[str, Any] = {
    **{
        "ip": "198.51.100.9",
        "user_agent": "Mozilla/5.0",
        "device_id": "dev-1",
        "country": "Ruritania",
        "region": "California",
    },
    **{
        "city": "San Jose",
        "ja4": "t13d301000_1234",
        "ja4h": "ge11nn_9999",
        "ja4s": "654321",
        "timestamp": "2025-08-09T12:34:56Z",
    },
}


def test_a_stranger_s_word_about_the_login_is_refused(story: Story) -> None:
    """Each field alone is enough, and the answer names it without repeating its value."""
    for field, value in CONTEXT.items():
        answer = story.login(context={field: value})
        assert (answer.status_code, answer.json()["error"]) == (400, "context_not_allowed"), field
        assert answer.json()["fields"] == [field]
        assert str(value) not in answer.text


def test_a_registered_client_is_believed_only_with_the_right(story: Story) -> None:
    """Being known is not being trusted."""
    assert story.login(context=CONTEXT, auth=story.client("blind")).status_code == 400
    assert story.login(context=CONTEXT, auth=story.client("first-party", may_vouch=True)).status_code == 200
    (event,) = story.scorer.events
    assert {field: event[field] for field in CONTEXT if field != "timestamp"} == {
        field: value for field, value in CONTEXT.items() if field != "timestamp"
    }
    assert event["timestamp"] == 1754742896.0


def test_success_in_a_body_is_ignored(story: Story) -> None:
    """We find that out ourselves; a client that sends it is not refused."""
    assert story.login(context={"success": False}).status_code == 200
    assert story.login("alice", "wrong", context={"success": True}).status_code == 401


def test_an_address_that_can_be_read_in_two_ways_is_refused(story_with: Callable[..., Story]) -> None:
    """422 and the name of the field; the value is not repeated, and nobody is logged in by it."""
    story = story_with(auth_gateway_profile="demo")
    answer = story.login(context={"ip": "198.01.100.9"})
    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (422, "invalid_ip", "$.ip")
    assert "198" not in answer.text


def test_too_many_logins_at_once_are_told_to_come_back(story_with: Callable[..., Story]) -> None:
    """503 with Retry-After while the line is full, uncounted, and let in when there is room again."""
    story = story_with(password_workers=1, password_queue=1)
    gate = threading.Event()

    async def take_every_place() -> list[asyncio.Task[bool]]:
        tasks = [asyncio.create_task(story.gateway.pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        return tasks

    waiting = story.runner.run(take_every_place())
    try:
        answers = [story.login("bob") for _ in range(FREE_FAILURES["account"] + 1)]
    finally:
        gate.set()
    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(503, "busy")}
    assert all(answer.headers["retry-after"] == "1" for answer in answers)
    story.runner.run(asyncio.wait_for(asyncio.gather(*waiting), 5))
    assert story.login("bob").status_code == 200
