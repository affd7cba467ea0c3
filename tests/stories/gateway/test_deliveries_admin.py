"""Programs that look after deliveries: everybody who gets messages, how each stands, and what is dead once more."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.stories.gateway.applications import ISSUER, refused, register
from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.story import NOW, Story
from tests.stories.gateway.test_webhooks_admin import soc, was_tried

SECRET = "s3cr3t-in-a-path"
SIEM = {"name": "siem", "url": f"https://siem.example:8443/{SECRET}?key={SECRET}"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, and has a receiver in its settings."""
    secret = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
    return story_with(jwt_issuer=ISSUER, webhook_url=f"https://hooks.example/{SECRET}", webhook_secret=secret)


class Admin:
    """Asks with a token that opens it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.headers = {"authorization": f"Bearer {soc(story).act().json()['access_token']}"}

    def __call__(self, method: str, path: str = "", **options: Any) -> Any:
        return self.story.ask(method, f"/admin/{path}", headers=self.headers, **options)


@pytest.fixture
def admin(story: Story) -> Admin:
    return Admin(story)


def added(admin: Admin) -> str:
    found: str = admin("POST", "webhooks", json=SIEM).json()["webhook"]["destination_id"]
    return found


def stream(story: Story) -> str:
    """A stream of Shared Signals that is polled."""
    receiver = register(
        story,
        "okta",
        scopes=("streams:manage",),
        audience=ISSUER,
        grant_types=("client_credentials",),
        redirect_uris=(),
    )
    headers = {"authorization": f"Bearer {receiver.act().json()['access_token']}"}
    asked = {"events_requested": ["https://schemas.openid.net/secevent/caep/event-type/session-revoked"]}
    made: str = story.ask("POST", "/ssf/streams", headers=headers, json=asked).json()["stream_id"]
    return made


def test_everybody_is_listed_with_how_they_stand_and_no_secret(story: Story, admin: Admin) -> None:
    """Settings, destinations and streams; of an address the host alone."""
    siem, okta = added(admin), stream(story)
    sent = admin("POST", f"deliveries/{siem}/test").json()["message_id"]
    until(story, partial(was_tried, story, sent))
    answer = admin("GET", "deliveries")
    assert SECRET not in answer.text
    found = {each["receiver"]: each for each in answer.json()["receivers"]}
    assert {name: (each["kind"], each["way"], each["place"], each["state"]) for name, each in found.items()} == {
        "mfa": ("setting", "webhook", "hooks.example", "enabled"),
        "webhook": ("setting", "webhook", "hooks.example", "enabled"),
        siem: ("destination", "webhook", "siem.example:8443", "enabled"),
        okta: ("stream", "poll", "", "enabled"),
    }
    standing = found[siem]
    assert (standing["waiting"], standing["dead"], standing["oldest_at"], standing["failed_at"]) == (1, 0, NOW, NOW)
    assert standing["failed_error"]
    assert standing["delivered_at"] is None
    page = admin("GET", f"deliveries/{siem}")
    assert SECRET not in page.text
    assert [each["message_id"] for each in page.json()["deliveries"]] == [sent]
    assert page.json()["receiver"] == standing


def test_what_is_dead_is_tried_again_whoever_it_is_for(story: Story, admin: Admin) -> None:
    """By its message or all of it, of a stream as of a destination; of what is not there the caller is told."""
    siem, okta = added(admin), stream(story)
    assert admin("POST", f"deliveries/{okta}/test").json() == {"message_id": None}
    for receiver in (siem, okta):
        admin("POST", f"deliveries/{siem}/test")
        story.gateway.database.write_sync(
            partial(story.gateway.outbox.give_up, endpoint=receiver, now=NOW, error="gone")
        )
        dead = admin("GET", f"deliveries/{receiver}?status=dead").json()
        assert dead["receiver"]["dead"] == len(dead["deliveries"]) == 1
        one = {"message_id": dead["deliveries"][0]["message_id"]}
        assert admin("POST", f"deliveries/{receiver}/retry", json=one).json() == {"retried": 1}
        story.gateway.database.write_sync(
            partial(story.gateway.outbox.give_up, endpoint=receiver, now=NOW, error="gone")
        )
        assert admin("POST", f"deliveries/{receiver}/retry").json()["retried"] >= 1
        assert admin("GET", f"deliveries/{receiver}").json()["receiver"]["dead"] == 0


def test_what_means_nothing_is_refused_with_a_code(story: Story, admin: Admin) -> None:
    """And nobody without the scope learns who gets messages."""
    siem = added(admin)
    admin("POST", "webhooks/siem/disable", json={"reason": "moving"})
    for method, path, options, expected in (
        ("GET", "deliveries/nobody", {}, (404, "unknown_receiver")),
        ("GET", "deliveries/siem", {}, (404, "unknown_receiver")),  # it is known by its id
        ("GET", "deliveries/%00", {}, (404, "unknown_receiver")),
        ("GET", f"deliveries/{siem}?status=lost", {}, (422, "invalid_request")),
        ("GET", f"deliveries/{siem}?status=dead&status=pending", {}, (422, "invalid_request")),
        ("GET", f"deliveries/{siem}?limit=0", {}, (400, "invalid_page")),
        ("GET", f"deliveries/{siem}?before=x", {}, (400, "invalid_page")),
        ("POST", "deliveries/nobody/retry", {}, (404, "unknown_receiver")),
        ("POST", "deliveries/webhook/retry", {"json": {"message_id": "m"}}, (404, "unknown_delivery")),
        ("POST", "deliveries/webhook/retry", {"json": {"message": "m"}}, (422, "invalid_request")),
        ("POST", f"deliveries/{siem}/retry", {}, (409, "receiver_disabled")),
        ("POST", f"deliveries/{siem}/test", {}, (409, "destination_disabled")),
        ("POST", "deliveries/webhook/test", {}, (409, "no_test")),
    ):
        assert refused(admin(method, path, **options)) == expected, (method, path)
    weak = register(
        story, "weak", scopes=("risk:read",), audience=ISSUER, grant_types=("client_credentials",), redirect_uris=()
    )
    headers = {"authorization": f"Bearer {weak.act().json()['access_token']}"}
    for method, path in (("GET", ""), ("GET", f"/{siem}"), ("POST", f"/{siem}/retry"), ("POST", f"/{siem}/test")):
        assert story.ask(method, f"/admin/deliveries{path}", headers=headers).status_code == 403
