"""Events are fetched (RFC 8936): handed out until they are acknowledged, to one poll at a time."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stories.gateway.applications import ISSUER, refused
from tests.stories.gateway.signals import RISC, Receiver, distributed, receiver
from tests.stories.gateway.story import Story, running_story

FREEZING = [f"{RISC}account-disabled", f"{RISC}account-enabled"]


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, with nothing left to tell."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    distributed(story)
    return story


@pytest.fixture
def shop(story: Story) -> Receiver:
    """A receiver without a stream."""
    return receiver(story, "shop")


def happened(story: Story, times: int = 1, *people: str) -> None:
    """Each of them is frozen and opened again, so often: two events each time."""
    for _ in range(times):
        for person in people or ("bob",):
            story.gateway.accounts.freeze(person)
            story.gateway.accounts.unfreeze(person)
    distributed(story)


def names(shop: Receiver, sets: dict[str, str]) -> list[str]:
    found = []
    for jti, token in sets.items():
        claims = shop.verified(token)
        assert claims["jti"] == jti
        found.append(next(iter(claims["events"])).rpartition("/")[2])
    return found


def test_so_many_come_as_were_asked_for_and_whether_more_wait(story: Story, shop: Receiver) -> None:
    """Oldest first; none for zero, which only says whether some wait."""
    stream = shop.stream(events=FREEZING)
    happened(story)
    assert shop.poll(stream, maxEvents=0) == {"sets": {}, "moreAvailable": True}
    first = shop.poll(stream, maxEvents=1)
    assert (names(shop, first["sets"]), first["moreAvailable"]) == (["account-disabled"], True)
    second = shop.poll(stream, maxEvents=1, ack=list(first["sets"]))
    assert (names(shop, second["sets"]), second["moreAvailable"]) == (["account-enabled"], False)
    assert shop.poll(stream, maxEvents=0, ack=list(second["sets"])) == {"sets": {}, "moreAvailable": False}


def test_more_of_other_people_is_said_to_wait(story: Story, shop: Receiver) -> None:
    """One poll leaves something over."""
    stream = shop.stream(events=FREEZING)
    happened(story, 1, "alice", "bob")
    assert shop.poll(stream, maxEvents=3)["moreAvailable"] is True


def test_what_was_not_acknowledged_comes_again(story: Story, shop: Receiver) -> None:
    """After a while, for whoever died with it; what was acknowledged never."""
    stream = shop.stream(events=FREEZING)
    happened(story)
    first = shop.poll(stream)["sets"]
    assert names(shop, first) == ["account-disabled", "account-enabled"]
    assert shop.poll(stream)["sets"] == {}
    story.clock.advance(15)
    again = shop.poll(stream, ack=[next(iter(first))])["sets"]
    assert names(shop, again) == ["account-enabled"]
    shop.poll(stream, ack=list(again))
    story.clock.advance(15)
    assert shop.poll(stream)["sets"] == {}


def test_an_acknowledgement_counts_late_and_twice_and_for_nothing(story: Story, shop: Receiver) -> None:
    """Also after the lease, again, of what another stream has, and of what never was."""
    stream, other = shop.stream(events=FREEZING), shop.stream(events=FREEZING)
    happened(story)
    first = shop.poll(stream)["sets"]
    story.clock.advance(60)
    odd = ["evt_never", "", "\x00", "x" * 256]
    assert shop.poll(stream, ack=[*first, *first, *odd])["sets"] == {}
    assert len(shop.poll(other)["sets"]) == 2


def test_a_token_that_is_refused_is_not_handed_out_again(story: Story, shop: Receiver) -> None:
    """It is a dead letter with the receiver's word, and holds up nothing."""
    stream = shop.stream(events=FREEZING)
    happened(story)
    first, second = shop.poll(stream)["sets"]
    said = {first: {"err": "invalid_key", "description": "x"}, second: {"err": "odd \x00 word"}}
    assert shop.poll(stream, setErrs=said)["sets"] == {}
    story.clock.advance(60)
    assert shop.poll(stream)["sets"] == {}
    with story.gateway.database.engine.connect() as connection:
        query = "SELECT last_error FROM outbox WHERE dead_at IS NOT NULL ORDER BY created_at"
        assert connection.exec_driver_sql(query).scalars().all() == ["set_invalid_key", "set_unknown"]


def test_two_polls_at_once_share_the_work(story: Story, shop: Receiver, rounds: int) -> None:
    """Nothing goes to both, nothing to none, and nobody's later event to one while the other has an earlier one."""
    stream = shop.stream(events=FREEZING)
    happened(story, rounds, "alice", "bob")
    seen: list[tuple[int, str, str]] = []

    async def poller(name: int) -> None:
        acknowledged: list[str] = []
        while True:
            said = {"returnImmediately": True, "maxEvents": 3, "ack": acknowledged}
            sets = (await shop.waiting(stream, **said))["sets"]
            if not sets and not acknowledged:
                return
            seen.extend((name, jti, token) for jti, token in sets.items())
            acknowledged = list(sets)
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(poller(1), poller(2))

    while True:
        before = len(seen)
        story.runner.run(both())
        if len(seen) == before:
            break
    assert len(seen) == len({jti for _, jti, _ in seen}) == rounds * 4
    for person in ("id-alice", "id-bob"):
        theirs = [claims for _, _, token in seen if (claims := shop.verified(token))["sub_id"]["sub"] == person]
        told = [next(iter(claims["events"])).rpartition("/")[2] for claims in theirs]
        assert told == ["account-disabled", "account-enabled"] * rounds


def test_a_poll_waits_until_something_is_there(story: Story, shop: Receiver) -> None:
    """And is answered then, not when its time is over."""
    stream = shop.stream(events=FREEZING)

    async def frozen_meanwhile() -> tuple[dict[str, Any], float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        polling = asyncio.create_task(shop.waiting(stream))
        await asyncio.sleep(0.2)
        assert not polling.done()
        await asyncio.to_thread(story.gateway.accounts.freeze, "bob")
        return await polling, loop.time() - began

    polled, seconds = story.runner.run(frozen_meanwhile())
    assert names(shop, polled["sets"]) == ["account-disabled"]
    assert seconds < 10


def test_a_poll_that_waits_ends_when_the_gateway_is_told_to_stop(tmp_path: Path) -> None:
    """It is answered with nothing, and holds up no graceful end."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with running_story(tmp_path / "state", jwt_issuer=ISSUER, risk_api_credential="rgs_test") as story:
            shop = receiver(story, "shop")
            stream = shop.stream(events=FREEZING)

            async def stopped_meanwhile() -> tuple[dict[str, Any], float]:
                loop = asyncio.get_running_loop()
                began = loop.time()
                polling = asyncio.create_task(shop.waiting(stream))
                await asyncio.sleep(0.2)
                assert not polling.done()
                signal.raise_signal(signal.SIGTERM)
                return await polling, loop.time() - began

            polled, seconds = story.runner.run(stopped_meanwhile())
            assert polled == {"sets": {}, "moreAvailable": False}
            assert seconds < 10
            assert shop.poll(stream, returnImmediately=False)["sets"] == {}
    finally:
        signal.signal(signal.SIGTERM, before)


NO_POLLS = [
    b"",
    b"[]",
    b'{"maxEvents": -1}',
    b'{"maxEvents": "1"}',
    b'{"maxEvents": 1.5}',
    b'{"returnImmediately": 1}',
    b'{"ack": "x"}',
    b'{"ack": [1]}',
    b'{"ack": [' + b",".join([b'"x"'] * 1_001) + b"]}",
    b'{"setErrs": {"x": "invalid_key"}}',
    b'{"setErrs": {"x": {}}}',
    b'{"ack": ["\\ud800"]}',
]


def test_what_is_no_poll_is_a_400(shop: Receiver) -> None:
    """With a code of ours, and nothing is repeated."""
    for body in NO_POLLS:
        answer = shop.ask("POST", "/ssf/poll/ssf_x", content=body)
        assert answer.status_code == 400, body[:60]
        assert answer.json()["error"] in {"malformed_json", "invalid_request"}


def test_a_poll_of_a_hundred_million_events_gets_a_hundred(story: Story, shop: Receiver) -> None:
    """However many were asked for."""
    stream = shop.stream(events=FREEZING)
    happened(story, 51)
    polled = shop.poll(stream, maxEvents=100_000_000)
    assert (len(polled["sets"]), polled["moreAvailable"]) == (100, True)
    story.clock.advance(15)
    assert shop.poll(stream, maxEvents=2)["moreAvailable"] is True


def test_a_stream_that_is_pushed_is_not_polled(story: Story, shop: Receiver) -> None:
    """There is nothing at that address."""
    stream = shop.pushed("https://receiver.example/events")
    assert refused(shop.ask("POST", f"/ssf/poll/{stream['stream_id']}", json={})) == (404, "unknown_stream")
