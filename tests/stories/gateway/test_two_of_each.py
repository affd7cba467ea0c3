"""Two gateways and two scorers on one PostgreSQL server: whichever pair a person comes by, the decision is the same."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from plumbing.clock import FixedClock
from plumbing.randomness import SeededRandomness
from risk_scorer.app import create_app
from risk_scorer.assembly import assemble
from tests.integration.risk_scorer.service import settings_for, shared_lookups
from tests.postgresql import Server
from tests.stories.gateway.story import NOW, Story, running_story

AWAY = {"ip": "203.0.113.7", "user_agent": "curl/8", "device_id": "box"}
USUAL = {"ip": "198.51.100.9", "user_agent": "Mozilla/5.0", "device_id": "dev-1"}
PATIENCE_SECONDS = 20.0


@contextmanager
def scorer_at(place: Path, models: Path, database: str) -> Iterator[tuple[str, str]]:
    """A scorer on a socket and an event loop of its own: its address and a credential."""
    place.mkdir()
    key = models.parent / "training" / "signing.pub"
    settings = settings_for(place, risk_scorer_database=database, model_dir=models, model_public_keys=str(key))
    clock = FixedClock(NOW)
    scorer = assemble(settings, clock=clock, randomness=SeededRandomness(len(place.name)), lookups=shared_lookups())
    credential = scorer.credentials.add(place.name, ["score", "outcomes"])
    config = uvicorn.Config(create_app(settings, scorer=scorer), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", credential
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@pytest.fixture
def gateways(
    tmp_path: Path, trained_models: Path, postgresql_server: Server, postgresql_url: str
) -> Iterator[tuple[Story, Story]]:
    """Two gateways with one database and one state, each with a scorer of its own on the scorers' database."""
    scorers = postgresql_server.new_database()
    with ExitStack() as stack:
        stack.callback(postgresql_server.drop_database, scorers)
        found = []
        for name in ("first", "second"):
            url, credential = stack.enter_context(scorer_at(tmp_path / name, trained_models, scorers))
            given: dict[str, Any] = {"risk_api_url": url, "risk_api_credential": credential}
            given |= {"auth_gateway_database": postgresql_url}
            found.append(stack.enter_context(running_story(tmp_path / "state", **given)))
        yield found[0], found[1]


def asked(story: Story, client: tuple[str, str], context: dict[str, str]) -> tuple[Any, Any]:
    """What becomes of Alice's login in these circumstances, and its score."""
    answer = story.login("alice", auth=client, context=context).json()
    return answer.get("allowed"), answer["score"]["risk_score"]


def test_the_decision_is_the_same_whichever_is_asked(gateways: tuple[Story, Story]) -> None:
    """Alice's passed factor at one gateway makes her known at the other, by the scorer that was not told of it."""
    here, there = gateways
    client = here.client("app", may_vouch=True, may_see_scores=True)
    before = asked(here, client, USUAL)[1]
    challenge = there.login("alice", auth=client, context=USUAL).json()["challenge_id"]
    proof = {"challenge_id": challenge, "code": there.code(), **USUAL}
    passed = there.ask("POST", "/login/complete", json=proof, auth=client).json()
    assert passed["allowed"] is True, passed
    deadline = time.monotonic() + PATIENCE_SECONDS
    known = before
    while known >= before and time.monotonic() < deadline:
        there.runner.run(asyncio.sleep(0.5))  # what became of the login is on its way to the scorer
        known = asked(here, client, USUAL)[1]
    assert known < before
    for story in gateways:
        story.runner.run(asyncio.sleep(1.5))  # until nothing is on its way, and each has heard of it
    first, again = [asked(story, client, AWAY) for story in gateways]
    assert first == again
    assert first[1] > known
