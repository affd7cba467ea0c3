"""Events are pushed to a real receiver on this machine (RFC 8935), which fails, hangs, refuses, and comes back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.signals import RISC, VERIFICATION, Inbox, Receiver, distributed, inbox, receiver
from tests.stories.gateway.story import Story

ISSUER = "http://localhost:9000"
FREEZING = [f"{RISC}account-disabled", f"{RISC}account-enabled"]


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway of the demo profile, which alone sends to this machine."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", auth_gateway_profile="demo")
    distributed(story)
    return story


@pytest.fixture
def shop(story: Story) -> Receiver:
    """A receiver without a stream."""
    return receiver(story, "shop")


@pytest.fixture
def place() -> Iterator[Inbox]:
    """Where events are pushed to."""
    with inbox() as found:
        yield found


def rows(story: Story, columns: str) -> list[Any]:
    with story.gateway.database.engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {columns} FROM outbox WHERE endpoint LIKE 'ssf_%'").all()  # noqa: S608
        return [tuple(row) for row in found]


def passing(story: Story, seconds: float, condition: Callable[[], bool]) -> None:
    """Let the gateway work while its clock runs, until the condition holds."""

    def ticked() -> bool:
        story.clock.advance(seconds)
        return condition()

    until(story, ticked)


def events_in(shop: Receiver, bodies: list[bytes]) -> list[tuple[str, str]]:
    """Short event types and people."""
    claims = [shop.verified(body.decode()) for body in bodies]
    return [(next(iter(each["events"])).rpartition("/")[2], each["sub_id"]["sub"]) for each in claims]


def test_an_event_is_pushed_as_one_token(story: Story, shop: Receiver, place: Inbox) -> None:
    """The media type, the receiver's own authorization, and nothing else that is ours to prove."""
    shop.pushed(place.url, events=FREEZING, delivery={"authorization_header": "Bearer from-the-receiver"})
    story.gateway.accounts.freeze("bob")
    until(story, lambda: len(place.taken) == 1)
    assert [name for name, _ in events_in(shop, place.taken)] == ["account-disabled"]
    headers, _ = place.requests[0]
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["authorization"] == "Bearer from-the-receiver"
    assert headers["accept"] == "application/json"
    until(story, lambda: [delivered for (delivered,) in rows(story, "delivered_at") if delivered] != [])


def test_a_verification_is_pushed_too(story: Story, shop: Receiver, place: Inbox) -> None:
    """It proves the very way that events take."""
    stream = shop.pushed(place.url, events=[])
    shop.at("verification", json={"stream_id": stream["stream_id"], "state": "s"})
    until(story, lambda: len(place.taken) == 1)
    assert shop.verified(place.taken[0].decode())["events"] == {VERIFICATION: {"state": "s"}}


def test_what_a_receiver_fails_to_take_comes_again_as_the_same_bytes(
    story: Story, shop: Receiver, place: Inbox
) -> None:
    """In each person's order, whatever it answers meanwhile."""
    place.answers = [(status, b"") for status in (500, 503, 302, 429, 410)]
    shop.pushed(place.url, events=FREEZING)
    for _ in range(3):
        story.gateway.accounts.freeze("bob")
        story.gateway.accounts.unfreeze("bob")
    passing(story, 10, lambda: len(place.taken) == 6)
    names = [name for name, _ in events_in(shop, place.taken)]
    assert names == ["account-disabled", "account-enabled"] * 3
    assert len({body for _, body in place.requests[:6]}) == 1


def test_a_receiver_that_hangs_gets_it_when_it_answers_again(story: Story, shop: Receiver, place: Inbox) -> None:
    """The attempt ends by its deadline, or is answered late: nothing is lost and nothing else waits for it."""
    shop.pushed(place.url, events=FREEZING)
    place.is_hanging = True
    story.gateway.accounts.freeze("bob")
    distributed(story)
    until(story, lambda: [attempts for (attempts,) in rows(story, "attempts")] == [1])
    assert place.taken == []
    place.is_hanging = False
    passing(story, 10, lambda: [delivered for (delivered,) in rows(story, "delivered_at") if delivered] != [])
    assert {name for name, _ in events_in(shop, place.taken)} == {"account-disabled"}


def test_a_token_that_is_refused_for_what_it_says_is_a_dead_letter(story: Story, shop: Receiver, place: Inbox) -> None:
    """It stays with the receiver's word, is not sent again, and holds up nothing."""
    place.answers = [(400, b'{"err": "invalid_audience", "description": "no"}')]
    shop.pushed(place.url, events=FREEZING)
    story.gateway.accounts.freeze("bob")
    story.gateway.accounts.unfreeze("bob")
    until(story, lambda: len(place.taken) == 1)
    assert [name for name, _ in events_in(shop, place.taken)] == ["account-enabled"]
    until(story, lambda: ("set_invalid_audience",) in rows(story, "last_error"))
    assert [dead is not None for (dead, error) in rows(story, "dead_at, last_error") if error] == [True]


def test_what_may_be_mended_is_tried_again(story: Story, shop: Receiver, place: Inbox) -> None:
    """A key that is not known yet, an authorization that is not right yet, and words that are none of the protocol."""
    said = [b'{"err": "invalid_key"}', b'{"err": "access_denied"}', b'{"err": "' + b"x" * 5_000 + b'"}', b"not json"]
    place.answers = [*((400, each) for each in said), (401, b""), (403, b"")]
    shop.pushed(place.url, events=FREEZING)
    story.gateway.accounts.freeze("bob")
    passing(story, 10, lambda: len(place.taken) == 1)
    assert len(place.requests) == 7
    assert len({body for _, body in place.requests}) == 1
    assert not any("xxx" in str(error) for (error,) in rows(story, "last_error"))


def test_a_paused_stream_sends_nothing_until_it_goes_again(story: Story, shop: Receiver, place: Inbox) -> None:
    """Also what was already being tried stops; it counts as no attempt."""
    place.answers = [(500, b"")]
    stream = shop.pushed(place.url, events=FREEZING)
    said = {"stream_id": stream["stream_id"]}
    story.gateway.accounts.freeze("bob")
    until(story, lambda: len(place.requests) == 1)
    shop.at("status", json={**said, "status": "paused"})
    distributed(story)
    for _ in range(20):
        story.clock.advance(10)
        shop.at("status", "GET", params=said)
        until(story, lambda: True)
    assert len(place.requests) == 1
    shop.at("status", json={**said, "status": "enabled"})
    passing(story, 1, lambda: len(place.taken) == 1)
    assert place.requests[0][1] == place.requests[1][1]


def test_a_new_address_and_authorization_count_from_the_next_attempt_on(
    story: Story, shop: Receiver, place: Inbox
) -> None:
    """What waited for the old address goes to the new one; the old one's authorization does not."""
    place.answers = [(500, b"")] * 1_000
    stream = shop.pushed(place.url, events=FREEZING, delivery={"authorization_header": "Bearer old"})
    story.gateway.accounts.freeze("bob")
    until(story, lambda: len(place.requests) == 1)
    with inbox() as other:
        delivery = {**stream["delivery"], "endpoint_url": other.url}
        shop.at("configuration", "PATCH", json={"stream_id": stream["stream_id"], "delivery": delivery})
        passing(story, 1, lambda: len(other.taken) == 1)
        assert "authorization" not in other.requests[0][0]
        assert other.taken[0] == place.requests[0][1]


def test_a_stream_that_is_pushed_can_be_polled_instead(story: Story, shop: Receiver, place: Inbox) -> None:
    """What could not be delivered waits there."""
    place.answers = [(500, b"")] * 1_000
    stream = shop.pushed(place.url, events=FREEZING)
    poll = {"stream_id": stream["stream_id"], "delivery": {"method": "urn:ietf:rfc:8936"}}
    story.gateway.accounts.freeze("bob")
    until(story, lambda: len(place.requests) == 1)
    polled = shop.at("configuration", "PATCH", json=poll).json()
    found = list[Any]()

    def is_found() -> bool:  # an attempt that is on its way holds it for a while
        found.extend(shop.drained(polled))
        return bool(found)

    passing(story, 120, is_found)
    assert [next(iter(claims["events"])) for claims in found] == [FREEZING[0]]


def test_a_removed_stream_gets_nothing_more(story: Story, shop: Receiver, place: Inbox) -> None:
    """What waited for it says why it went nowhere."""
    place.answers = [(500, b"")]
    stream = shop.pushed(place.url, events=FREEZING)
    story.gateway.accounts.freeze("bob")
    until(story, lambda: len(place.requests) == 1)
    shop.at("configuration", "DELETE", params={"stream_id": stream["stream_id"]})
    story.gateway.accounts.unfreeze("bob")
    distributed(story)
    passing(story, 10, lambda: all(dead is not None for (dead,) in rows(story, "dead_at")))
    assert len(place.requests) == 1
