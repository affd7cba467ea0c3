"""Two gateways on one PostgreSQL server: what one of them does holds at the other, and once means once for both."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.postgresql import Server
from tests.stories.gateway.pairs import running_pair
from tests.stories.gateway.story import HOME, Story, running_story


@pytest.fixture
def story(tmp_path: Path, postgresql_url: str) -> Iterator[Story]:
    """A gateway in the production profile on PostgreSQL."""
    given = {"risk_api_credential": "rgs_test", "auth_gateway_database": postgresql_url}
    with running_story(tmp_path / "state", **given) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Story, Story]]:
    """Two gateways with one database and one vault key, each on an event loop and connections of its own."""
    given: dict[str, Any] = {"risk_api_credential": "rgs_test"}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_pair(tmp_path / "state", **given) as pair:
        yield pair


def at_once(pair: tuple[Story, Story], ask: Callable[[httpx2.AsyncClient], Any], each: int) -> list[httpx2.Response]:
    """The answers of so many requests at each gateway, all of them begun together."""
    start = threading.Barrier(2)

    def run(story: Story) -> list[httpx2.Response]:
        async def all_of_them() -> list[httpx2.Response]:
            transport = httpx2.ASGITransport(story.app, client=(HOME, 40_000), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
                start.wait(10)
                return await asyncio.gather(*(ask(client) for _ in range(each)))

        return story.runner.run(all_of_them())

    with ThreadPoolExecutor(2) as pool:
        return [answer for answers in pool.map(run, pair) for answer in answers]


def test_a_whole_life_of_a_session_on_postgresql(story: Story) -> None:
    """Step-up, refresh, reuse, the end; a client that vouches; the trail of it all."""
    story.scorer.score = 70.0
    challenged = story.login()
    assert challenged.json()["mfa_required"] is True
    story.scorer.score = 10.0
    passed = story.complete(challenged.json()["challenge_id"])
    assert passed.json()["allowed"] is True
    first = passed.json()["tokens"]["refresh_token"]
    second = story.refresh(first).json()["refresh_token"]
    story.clock.advance(60)
    assert story.refresh(second).status_code == 200
    assert story.refresh(first).status_code == 400
    assert story.refresh(second).status_code == 400
    name, secret = story.client("app", may_vouch=True, may_see_scores=True)
    vouched = story.login("bob", auth=(name, secret), context={"ip": "203.0.113.7"})
    assert vouched.json()["score"]["risk_score"] == 10.0
    kinds = [kind for kind, _ in story.audited()]
    assert {"challenge.passed", "token.refreshed", "token.reused", "login.allowed"} <= set(kinds)


def test_what_one_gateway_does_holds_at_the_other(pair: tuple[Story, Story]) -> None:
    """A session begun here is refreshed there; an account frozen there gets in nowhere."""
    here, there = pair
    tokens = here.login("bob").json()["tokens"]
    fresh = there.refresh(tokens["refresh_token"])
    assert fresh.status_code == 200
    assert there.claims(fresh.json()["access_token"])["sub"] == "id-bob"
    there.gateway.accounts.freeze("bob")
    assert here.refresh(fresh.json()["refresh_token"]).status_code == 400
    assert here.login("bob").status_code == 401


@pytest.mark.parametrize("each", [1, 3, 10])
def test_one_refresh_token_leads_to_one_next(pair: tuple[Story, Story], each: int, is_long: bool) -> None:
    """Whoever asks at the same moment gets the same successor, at both gateways; nobody gets an error."""
    for _ in range(200 if is_long else 5):
        token = pair[0].login("bob").json()["tokens"]["refresh_token"]
        body = {"grant_type": "refresh_token", "refresh_token": token}
        answers = at_once(pair, lambda client, body=body: client.post("/token", json=body), each)  # type: ignore[misc]
        assert [answer.status_code for answer in answers] == [200] * (2 * each)
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1


@pytest.mark.parametrize("each", [1, 3, 10])
def test_one_challenge_lets_one_in(pair: tuple[Story, Story], each: int, is_long: bool) -> None:
    """The same right code at both gateways: one session, and the others are told that it is over."""
    for _ in range(200 if is_long else 5):
        pair[0].clock.advance(86_400 if is_long else 60)  # a day has so many prompts, and so many looks at codes
        pair[0].scorer.score = 70.0
        challenge_id = pair[0].login().json()["challenge_id"]
        pair[0].scorer.score = 10.0
        body = {"challenge_id": challenge_id, "code": pair[0].code()}
        answers = at_once(pair, lambda client, body=body: client.post("/login/complete", json=body), each)  # type: ignore[misc]
        assert [answer.status_code for answer in answers].count(200) == 1
        assert max(answer.status_code for answer in answers) < 500


def test_while_the_server_is_away_the_answer_is_503_and_then_all_is_well(
    story: Story, postgresql_server: Server
) -> None:
    """Nobody gets in unseen, nobody gets a 500, and nobody has to start the gateway again."""
    token = story.login("bob").json()["tokens"]["refresh_token"]
    postgresql_server.stop()
    try:
        answers = [story.login("bob"), story.refresh(token)]
    finally:
        postgresql_server.start()
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(503, "storage_unavailable")] * 2
    story.runner.run(asyncio.sleep(0.6))
    assert story.refresh(token).status_code == 200
    assert story.login("bob").json()["allowed"] is True


def test_nul_in_what_is_sent_is_a_4xx(story: Story) -> None:
    """PostgreSQL has no place for it; the sender is told, wherever it hides."""
    nul = "a\0b"
    body = {"username": "bob", "password": "Password123!"}
    name, secret = story.client("app", may_vouch=True)
    answers = [
        story.login(nul),
        story.login(password=nul),
        story.ask("POST", "/login", json=body, auth=(nul, "x")),
        *(
            story.login("bob", auth=(name, secret), context={field: nul})
            for field in ("user_agent", "device_id", "ja4")
        ),
        story.complete(nul, nul),
        story.refresh(nul),
    ]
    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 500] == []
    assert all(nul not in answer.text for answer in answers)


def test_a_client_registered_at_one_gateway_is_known_at_the_other(pair: tuple[Story, Story]) -> None:
    """And told what it may see."""
    here, there = pair
    name, secret = here.client("app", may_see_scores=True)
    assert there.login("bob", auth=(name, secret)).json()["score"]["risk_score"] == 10.0
