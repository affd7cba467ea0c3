"""Many refreshes at once: most are told to come back, and logins go on being scored."""

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx2

from auth_gateway.api.token import MOST_AT_ONCE
from auth_gateway.flows.recheck import MOST_REFRESHES_SCORED
from tests.stories.gateway.story import HOME, PASSWORD, Story

JUNK = {"grant_type": "refresh_token", "refresh_token": "A" * 43}


def client_of(story: Story) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000))
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway.example")


def test_a_flood_of_junk_tokens_is_turned_away_at_once_and_a_login_is_scored(story: Story) -> None:
    """503 with Retry-After beyond the places; the login beside it has its score, and then there is room again."""

    async def flood() -> tuple[list[httpx2.Response], httpx2.Response]:
        async with client_of(story) as client:
            junk = [client.post("/token", json=JUNK) for _ in range(400)]
            login = client.post("/login", json={"username": "bob", "password": PASSWORD})
            *answers, let_in = await asyncio.gather(*junk, login)
        return answers, let_in

    answers, login = story.runner.run(flood())
    found = Counter((answer.status_code, answer.json()["error"]) for answer in answers)
    assert set(found) == {(400, "invalid_grant"), (503, "busy")}
    assert MOST_AT_ONCE <= found[400, "invalid_grant"] < 400
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
    assert login.status_code == 200
    assert story.audited()[-1] == ("login.allowed", "low")
    assert story.refresh("A" * 43).json()["error"] == "invalid_grant"


def test_refreshes_that_wait_for_their_score_leave_places_for_logins(story: Story) -> None:
    """Half of the connections are theirs; the next is told to come back, its token unspent, and a login is scored."""
    tokens = [story.login("bob").json()["tokens"]["refresh_token"] for _ in range(MOST_REFRESHES_SCORED + 1)]
    gate, waiting = threading.Event(), threading.Semaphore(0)

    def judge(event: Mapping[str, Any]) -> float:
        if event.get("kind") == "refresh":
            waiting.release()
            gate.wait(20)
        return 10.0

    story.scorer.judge = judge

    async def crowd() -> tuple[list[httpx2.Response], httpx2.Response, httpx2.Response]:
        async with client_of(story) as client:
            ask = [{"grant_type": "refresh_token", "refresh_token": token} for token in tokens]
            first = [asyncio.create_task(client.post("/token", json=body)) for body in ask[:-1]]
            try:
                for _ in first:
                    assert await asyncio.to_thread(waiting.acquire, timeout=4)
                one_more = await client.post("/token", json=ask[-1])
                login = await client.post("/login", json={"username": "bob", "password": PASSWORD})
            finally:
                gate.set()
            return await asyncio.gather(*first), one_more, login

    answers, one_more, login = story.runner.run(crowd())
    assert {answer.status_code for answer in answers} == {200}
    assert (one_more.status_code, one_more.json()["error"], one_more.headers["retry-after"]) == (503, "busy", "1")
    assert login.status_code == 200
    assert story.refresh(tokens[-1]).status_code == 200
