"""Two gateways: the one tells, the other takes, pushed and polled; and two processes that get one token at once."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec
import pytest

from auth_gateway.adapters.ssf.remote_streams import PolledStreams
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.signals import collecting, receiving, signal_sources
from tests.stories.gateway.applications import ISSUER, session_of
from tests.stories.gateway.other_provider import COMPROMISED, OtherProvider, added, push, standing
from tests.stories.gateway.pairs import running_pair
from tests.stories.gateway.signals import EVERYTHING, Receiver, distributed, inbox, receiver
from tests.stories.gateway.story import NOW, PASSWORD, Story, running_story
from webhooks.fetching import Unfetched, Wanted

TELLING = "http://localhost:9000"


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[tuple[Story, Story]]:
    """One that tells (a demo, since it sends to this machine) and one that takes; each knows a Bob by the same
    address."""
    with ExitStack() as stack:
        given = {"risk_api_credential": "rgs_test"}
        told = {**given, "jwt_issuer": TELLING, "auth_gateway_profile": "demo"}
        telling = stack.enter_context(running_story(tmp_path / "telling", **told))
        taking = stack.enter_context(running_story(tmp_path / "taking", jwt_issuer=ISSUER, **given))
        distributed(telling)
        yield telling, taking


def taken_from(telling: Story, taking: Story, **terms: Any) -> None:
    """The transmitter's keys are those that it publishes."""
    keys = telling.ask("GET", "/.well-known/jwks.json").text
    known = {"issuer": TELLING, "audiences": ("receiver",), "jwks": keys, **terms}
    added(taking, OtherProvider(keys={}), **known)


def risk_of(story: Story, user_id: str) -> float:
    return story.gateway.database.read(lambda tx: StoredUserRisks().find(tx, user_id)).value


def test_what_one_gateway_pushes_the_other_takes(gateways: tuple[Story, Story]) -> None:
    """Its own tokens pass every check and count once. Whom it names by its own issuer is nobody here, unless both have
    one directory."""
    telling, taking = gateways
    taken_from(telling, taking)
    with inbox() as place:
        app = receiver(telling)
        stream = app.pushed(place.url)
        app.at("verification", json={"stream_id": stream["stream_id"], "state": "hello"})
        telling.gateway.accounts.freeze("bob")
        distributed(telling)
        for _ in range(300):
            telling.runner.run(asyncio.sleep(0.01))
            if len(place.taken) >= 2:
                break
        tokens = list(place.taken)
    assert len(tokens) >= 2
    for token in [*tokens, *tokens]:
        assert push(taking, token).status_code == 202
    found = standing(taking)
    assert (found.taken, found.repeated, found.verified_state) == (len(tokens), len(tokens), "hello")
    assert found.unknown_subject == len(tokens) - 1
    frozen = telling.gateway.database.read(lambda tx: telling.gateway.users.find(tx, "bob"))
    assert frozen is not None
    taking.gateway.accounts.add("their-bob", PASSWORD, user_id=frozen.user_id)
    taken_from(telling, taking, name="shared", shares_ids=True)
    assert [push(taking, token, name="shared").status_code for token in tokens] == [202] * len(tokens)
    assert risk_of(taking, frozen.user_id) == pytest.approx(65)


class OverAsgi:
    """Fetches from a gateway that listens nowhere; fails while it shall."""

    def __init__(self, app: Receiver) -> None:
        self.app = app
        self.is_down = False
        self.polls: list[dict[str, Any]] = []

    async def __call__(self, wanted: Wanted) -> bytes:
        if self.is_down:
            raise Unfetched("connect_failed")
        self.polls.append(msgspec.json.decode(wanted.body))
        transport = httpx2.ASGITransport(self.app.story.app, client=("198.51.100.9", 40_000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as http:
            path = urlsplit(wanted.url).path
            answer = await http.post(path, content=wanted.body, headers=dict(wanted.headers))
        if answer.status_code != 200:
            raise Unfetched(f"status_{answer.status_code}", status=answer.status_code)
        return answer.content


def test_what_one_gateway_keeps_the_other_fetches(gateways: tuple[Story, Story]) -> None:
    """A hundred at a time, acknowledged once they count, until nothing is left; a token that is wrong is told so."""
    telling, taking = gateways
    app = receiver(telling)
    stream = app.stream(events=EVERYTHING)
    poll_url = "https://telling.example" + urlsplit(stream["delivery"]["endpoint_url"]).path
    taken_from(telling, taking, poll_url=poll_url, poll_token=app.token)
    fetch = OverAsgi(app)
    collect = collecting(taking.gateway, receiving(taking.gateway, told=lambda: None))
    collect = type(collect)(**{**_fields(collect), "streams": PolledStreams(fetch)})
    for _ in range(60):
        telling.gateway.accounts.freeze("bob")
        telling.gateway.accounts.unfreeze("bob")
    distributed(telling)
    fetch.is_down = True
    taking.runner.run(collect())
    assert (standing(taking).poll_problem, standing(taking).taken) == ("connect_failed", 0)
    fetch.is_down = False
    taking.runner.run(collect())
    assert (standing(taking).poll_problem, standing(taking).taken, standing(taking).polled_at) == ("", 120, NOW)
    assert len(fetch.polls[0]["ack"]) == 0
    assert sorted(len(each["ack"]) for each in fetch.polls[1:]) == [20, 100]
    assert app.drained(stream) == []
    fetch.polls.clear()
    taking.runner.run(collect())
    assert len(fetch.polls) == 1


def test_a_fetched_token_that_is_wrong_is_refused_to_its_transmitter(gateways: tuple[Story, Story]) -> None:
    """With the word and the `jti` that it came under; the others count."""
    telling, taking = gateways
    app = receiver(telling)
    stream = app.stream(events=EVERYTHING)
    poll_url = "https://telling.example" + urlsplit(stream["delivery"]["endpoint_url"]).path
    taken_from(telling, taking, poll_url=poll_url, poll_token=app.token, audiences=("somebody-else",))
    fetch = OverAsgi(app)
    collect = collecting(taking.gateway, receiving(taking.gateway, told=lambda: None))
    collect = type(collect)(**{**_fields(collect), "streams": PolledStreams(fetch)})
    telling.gateway.accounts.freeze("bob")
    distributed(telling)
    taking.runner.run(collect())
    (said,) = fetch.polls[-1]["setErrs"].values()
    assert (said["err"], standing(taking).taken) == ("invalid_audience", 0)
    assert app.drained(stream) == []


def test_what_waits_for_a_disabled_transmitter_is_kept_there(gateways: tuple[Story, Story]) -> None:
    """Neither asked for, nor acknowledged or refused when it is disabled in between."""
    telling, taking = gateways
    app = receiver(telling)
    stream = app.stream(events=EVERYTHING)
    poll_url = "https://telling.example" + urlsplit(stream["delivery"]["endpoint_url"]).path
    taken_from(telling, taking, poll_url=poll_url, poll_token=app.token)
    fetch, sources = OverAsgi(app), signal_sources(taking.gateway)
    collect = collecting(taking.gateway, receiving(taking.gateway, told=lambda: None))
    collect = type(collect)(**{**_fields(collect), "streams": PolledStreams(fetch)})
    telling.gateway.accounts.freeze("bob")
    distributed(telling)
    found = sources.find("other")
    sources.set_enabled("other", is_enabled=False)
    taking.runner.run(collect())
    assert fetch.polls == []
    taking.runner.run(collect.poll(found))
    assert [(each["ack"], each["setErrs"]) for each in fetch.polls] == [([], {})]
    assert standing(taking).taken == 0


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b'{"sets": [], "moreAvailable": false}', b'{"sets": {"a": 7}}', b"{" * 5_000],
    ids=["empty", "list", "sets-list", "set-number", "deep"],
)
def test_a_poll_endpoint_that_lies_harms_nobody(gateways: tuple[Story, Story], answer: bytes) -> None:
    """It is noted, and asked again at the next turn."""
    telling, taking = gateways
    taken_from(telling, taking, poll_url="https://telling.example/poll")

    async def fetch(_wanted: Wanted) -> bytes:
        return answer

    collect = collecting(taking.gateway, receiving(taking.gateway, told=lambda: None))
    collect = type(collect)(**{**_fields(collect), "streams": PolledStreams(fetch)})
    taking.runner.run(collect())
    assert standing(taking).poll_problem == "bad_answer"


def _fields(collect: Any) -> dict[str, Any]:
    return {name: getattr(collect, name) for name in collect.__dataclass_fields__}


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Story, Story]]:
    """Two processes' worth of gateway on one database, each on an event loop and connections of its own."""
    given: dict[str, Any] = {"risk_api_credential": "rgs_test", "jwt_issuer": ISSUER}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_pair(tmp_path / "state", **given) as pair:
        yield pair


def test_one_token_at_two_doors_at_once_counts_once(pair: tuple[Story, Story]) -> None:
    """Every answer is 202, and there is one effect: decided by the database."""
    other, first = OtherProvider(), pair[0]
    added(first, other)
    sessions = [session_of(first), session_of(first)]
    token, start = other.token(COMPROMISED), threading.Barrier(2)

    def run(story: Story) -> list[int]:
        async def all_of_them() -> list[int]:
            transport = httpx2.ASGITransport(story.app, client=("198.51.100.9", 40_000), raise_app_exceptions=False)
            headers = {"content-type": "application/secevent+jwt"}
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as http:
                start.wait(10)
                asked = (http.post("/ssf/events/other", content=token, headers=headers) for _ in range(5))
                return [answer.status_code for answer in await asyncio.gather(*asked)]

        return story.runner.run(all_of_them())

    with ThreadPoolExecutor(2) as pool:
        assert [status for answers in pool.map(run, pair) for status in answers] == [202] * 10
    kinds = [kind for kind, _ in first.audited(with_risk=True)]
    assert (kinds.count("signal.received"), kinds.count("risk.user_raised")) == (1, 1)
    assert kinds.count("session.revoked") == len(sessions)
    assert (standing(first).taken, standing(first).repeated) == (1, 9)
    assert risk_of(first, "id-alice") == 85.0
    assert signal_sources(pair[1].gateway).find("other").name == "other"
