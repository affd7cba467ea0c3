"""Programs that look after webhooks: who may, what they can do, and what they are told when it cannot be."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.flows import replays
from auth_gateway.telling import deliveries, listeners
from tests.stories.gateway.applications import ISSUER, Application, refused, register
from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.story import NOW, Story

SIGNS = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778"
SIEM = {"name": "siem", "url": "https://siem.example/in"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER)


def soc(story: Story, *scopes: str) -> Application:
    """A program of the security team's."""
    scopes = scopes or ("webhooks:manage",)
    return register(story, "soc", scopes=scopes, audience=ISSUER, grant_types=("client_credentials",), redirect_uris=())


class Admin:
    """Asks with a token that opens it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.headers = {"authorization": f"Bearer {soc(story).act().json()['access_token']}"}

    def __call__(self, method: str, path: str = "", **options: Any) -> Any:
        return self.story.ask(method, f"/admin/webhooks{path}", headers=self.headers, **options)


def recent(story: Story) -> list[AuditEvent]:
    """The newest lines of the trail, the oldest of them first."""
    return story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 50))[::-1]


def was_tried(story: Story, message_id: str) -> bool:
    """Whether an attempt has ended and another one is not under way: asking for one is then asking for something."""
    found = deliveries(story.gateway).find("siem", message_id)
    return found.attempts > 0 and (found.next_attempt_at or NOW) > NOW


@pytest.fixture
def admin(story: Story) -> Admin:
    return Admin(story)


def test_a_webhook_lives_from_its_first_secret_to_its_end(story: Story, admin: Admin) -> None:
    """The secret is in one answer alone, and the trail says which program did it."""
    added = admin("POST", json={**SIEM, "filter": {"types": ["login.*"]}, "privacy": {"ip": "none"}})
    assert added.status_code == 201
    secret, webhook = added.json()["secret"], added.json()["webhook"]
    assert secret.startswith("whsec_")
    assert webhook["privacy"] == {"ip": "none", "user": "id", "user_agent": False}
    assert admin("GET").json() == {"webhooks": [webhook]}
    assert admin("GET", "/siem").json() == admin("GET", f"/{webhook['destination_id']}").json() == webhook
    rotated = admin("POST", "/siem/rotate-secret").json()["secret"]
    assert rotated != secret
    assert admin("POST", "/siem/rotate-secret", json={"overlap_seconds": 0}).status_code == 200
    disabled = admin("POST", "/siem/disable", json={"reason": "moving"}).json()
    assert (disabled["disabled_reason"], disabled["disabled_at"]) == ("moving", NOW)
    assert refused(admin("POST", "/siem/test")) == (409, "destination_disabled")
    assert admin("POST", "/siem/enable").json() == webhook
    assert secret not in admin("GET").text
    assert admin("DELETE", "/siem").status_code == 204
    assert refused(admin("GET", "/siem")) == (404, "unknown_destination")
    done = [(line.kind, line.client_id) for line in recent(story) if line.kind.startswith("webhook.")]
    assert done == [
        (f"webhook.{what}", "soc")
        for what in ("added", "secret_rotated", "secret_rotated", "disabled", "enabled", "removed")
    ]


def test_its_terms_are_changed_where_they_stand(story: Story, admin: Admin) -> None:
    """What is not named stays, within the parts too; the trail says who changed what, once, and without its value."""
    terms = {"filter": {"types": ["login.*"], "min_score": 60}, "privacy": {"ip": "none"}, "tenant": "acme"}
    before = admin("POST", json={**SIEM, **terms}).json()["webhook"]
    change = {
        "url": "https://siem.example/v2",
        "filter": {"min_score": 80, "clients": ["web"]},
        "folding": {"burst": 9},
    }
    answer = admin("PATCH", "/siem", json=change)
    expected = {
        **before,
        "url": "https://siem.example/v2",
        "filter": {"types": ["login.*"], "min_score": 80.0, "clients": ["web"]},
        "folding": {"is_on": True, "burst": 9, "per_minute": 60.0},
    }
    assert (answer.status_code, answer.json()) == (200, expected)
    assert admin("PATCH", "/siem", json=change).json() == admin("PATCH", "/siem", json={}).json() == expected
    assert admin("GET", "/siem").json() == expected
    lines = [line for line in recent(story) if line.kind == "webhook.changed"]
    detail = f"{before['destination_id']} url filter.min_score filter.clients folding.burst"
    assert [(line.client_id, line.detail, line.facts) for line in lines] == [("soc", detail, Facts(by="soc"))]
    plain = admin("PATCH", "/siem", json={"folding": None, "filter": {"types": [], "min_score": 0, "clients": []}})
    assert plain.json() == {**expected, "folding": None, "filter": {"min_score": 0.0}}


def test_messages_are_listed_and_tried_again(story: Story, admin: Admin) -> None:
    """A test is one of them; a page names the next."""
    admin("POST", json=SIEM)
    sent = admin("POST", "/siem/test")
    assert (sent.status_code, sent.json()["event_type"]) == (202, "webhook.test")
    one = f"/siem/deliveries/{sent.json()['message_id']}"
    until(story, partial(was_tried, story, sent.json()["message_id"]))
    assert admin("GET", one).json()["status"] == "waiting"
    assert admin("POST", f"{one}/retry").status_code == 202
    story.clock.advance(1)
    admin("POST", "/siem/test")
    first = admin("GET", "/siem/deliveries?limit=1").json()
    second = admin("GET", f"/siem/deliveries?limit=1&before={first['next']}").json()
    # An attempt may go on between two looks: its count and problem are not compared.
    assert ([row["message_id"] for row in second["deliveries"]], second["next"]) == ([sent.json()["message_id"]], None)
    assert second["deliveries"][0].keys() == admin("GET", one).json().keys()
    assert admin("GET", "/siem/deliveries?status=dead").json() == {"deliveries": [], "next": None}
    assert admin("POST", "/siem/retry").json() == {"retried": 0}
    assert refused(admin("GET", "/siem/deliveries/msg_none")) == (404, "unknown_delivery")
    assert refused(admin("POST", "/siem/deliveries/msg_none/retry")) == (404, "unknown_delivery")
    assert len(deliveries(story.gateway).page("siem").deliveries) == 2


@pytest.fixture
def waiting_replays(monkeypatch: pytest.MonkeyPatch) -> None:
    """No replay gets on, as if too much waited for its receiver."""
    monkeypatch.setattr(replays, "MOST_WAITING", 0)


@pytest.mark.usefixtures("waiting_replays")
def test_a_span_is_told_again(admin: Admin) -> None:
    """One at a time; it can be stopped."""
    admin("POST", json=SIEM)
    span = {"from": "2026-01-31T08:00:00Z", "to": "2026-01-31T09:00:00+01:00", "types": ["login.*"]}
    assert refused(admin("POST", "/siem/replays", json=span)) == (400, "invalid_span")
    span["to"] = "2026-01-31T10:00:00+01:00"
    begun = admin("POST", "/siem/replays", json=span)
    assert (begun.status_code, begun.json()["state"], begun.json()["types"]) == (202, "running", ["login.*"])
    assert begun.json()["to"] - begun.json()["from"] == 3600
    assert refused(admin("POST", "/siem/replays", json={"from": span["from"]})) == (409, "replay_running")
    assert admin("GET", "/siem/replays").json() == {"replays": [begun.json()]}
    assert admin("DELETE", "/siem/replays/running").status_code == 204
    assert admin("GET", "/siem/replays").json()["replays"][0]["state"] == "stopped"
    assert refused(admin("DELETE", "/siem/replays/running")) == (409, "no_replay")


@pytest.mark.usefixtures("waiting_replays")
def test_what_is_asked_of_messages_is_written_down_with_who_asked(story: Story, admin: Admin) -> None:
    """A program by its name, a command as the operator; nothing for what was refused or changed nothing."""
    known = admin("POST", json=SIEM).json()["webhook"]["destination_id"]
    sent = admin("POST", "/siem/test").json()["message_id"]
    until(story, partial(was_tried, story, sent))
    admin("POST", f"/siem/deliveries/{sent}/retry")
    until(story, partial(was_tried, story, sent))
    admin("POST", "/siem/retry")  # nothing is dead
    give_up = partial(story.gateway.outbox.give_up, endpoint=known, now=NOW, error="gone")
    story.gateway.database.write_sync(give_up)
    admin("POST", "/siem/retry")
    run = admin("POST", "/siem/replays", json={"from": "2026-01-31T08:00:00Z"}).json()["replay_id"]
    admin("POST", "/siem/replays", json={"from": "2026-01-31T08:00:00Z"})  # one runs
    admin("DELETE", "/siem/replays/running")
    admin("DELETE", "/siem/replays/running")  # none runs
    until(story, partial(was_tried, story, sent))
    deliveries(story.gateway).retry("siem", sent)
    lines = [line for line in recent(story) if line.kind.startswith("webhook.")]
    by_soc = ("soc", Facts(by="soc"))
    assert [(line.kind, line.detail, line.client_id, line.facts) for line in lines[1:]] == [
        ("webhook.tested", known, *by_soc),
        ("webhook.retried", f"{known} {sent}", *by_soc),
        ("webhook.retried", f"{known} dead 1", *by_soc),
        ("webhook.replayed", f"{known} {run}", *by_soc),
        ("webhook.replay_stopped", f"{known} {run}", *by_soc),
        ("webhook.retried", f"{known} {sent}", None, Facts(by=OPERATOR)),
    ]


BAD: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("POST", "", {"json": {"name": "x"}}, 422, "invalid_request"),
    ("POST", "", {"json": {**SIEM, "secret": "whsec_mine"}}, 422, "invalid_request"),
    ("POST", "", {"json": {**SIEM, "kind": "pigeon"}}, 422, "invalid_request"),
    ("POST", "", {"json": {**SIEM, "kind": "ssf"}}, 400, "invalid_destination"),
    ("POST", "", {"json": {**SIEM, "kind": "file", "url": "file:events"}}, 400, "invalid_destination"),
    ("POST", "", {"json": {**SIEM, "url": "https://169.254.169.254/latest"}}, 400, "invalid_destination"),
    ("POST", "", {"json": {**SIEM, "filter": {"types": ["login.maybe"]}}}, 400, "invalid_destination"),
    ("POST", "", {"json": {**SIEM, "filter": {"min_score": 101}}}, 400, "invalid_destination"),
    ("POST", "", {"json": {**SIEM, "name": "there"}}, 409, "destination_exists"),
    ("POST", "", {"content": b"{"}, 400, "malformed_json"),
    ("POST", "", {"content": b"{}", "headers": {"content-type": "text/plain"}}, 415, "unsupported_media_type"),
    ("POST", "", {"content": b"x" * 40_000}, 413, "body_too_large"),
    ("PATCH", "/there", {"json": {"kind": "file"}}, 422, "invalid_request"),
    ("PATCH", "/there", {"json": {"name": "elsewhere"}}, 422, "invalid_request"),
    ("PATCH", "/there", {"json": {"filter": {"min_score": None}}}, 422, "invalid_request"),
    ("PATCH", "/there", {"json": {"filter": {"types": ["login.maybe"]}}}, 400, "invalid_destination"),
    ("PATCH", "/there", {"json": {"folding": {"burst": 0}}}, 400, "invalid_destination"),
    ("PATCH", "/there", {"json": {"url": "https://169.254.169.254/latest"}}, 400, "invalid_destination"),
    ("PATCH", "/there", {"json": {"url": ""}}, 400, "invalid_destination"),
    ("PATCH", "/there", {"content": b"[]"}, 422, "invalid_request"),
    ("POST", "/there/rotate-secret", {"json": {"overlap_seconds": -1}}, 400, "invalid_overlap"),
    ("POST", "/there/rotate-secret", {"json": {"overlap_seconds": "1"}}, 422, "invalid_request"),
    ("POST", "/there/disable", {"json": {"reason": ""}}, 422, "invalid_request"),
    ("GET", "/there/deliveries?status=lost", {}, 422, "invalid_request"),
    ("GET", "/there/deliveries?limit=x", {}, 422, "invalid_request"),
    ("GET", "/there/deliveries?limit=0", {}, 400, "invalid_page"),
    ("GET", "/there/deliveries?before=x", {}, 400, "invalid_page"),
    ("GET", "/there/deliveries?before=5_%00", {}, 422, "invalid_request"),
    ("GET", "/there/deliveries/%00", {}, 404, "unknown_delivery"),
    ("GET", "/%ED%A0%80", {}, 404, "unknown_destination"),
    ("GET", "/" + "x" * 300, {}, 404, "unknown_destination"),
    ("POST", "/there/replays", {"json": {"from": "2026-01-31T08:00:00"}}, 422, "invalid_request"),
    ("POST", "/there/replays", {"json": {"from": "2026-01-31T08:00:00Z", "types": ["x"]}}, 400, "invalid_destination"),
    ("POST", "/nobody/replays", {"json": {"from": "2026-01-31T08:00:00Z"}}, 404, "unknown_destination"),
    *((method, f"/nobody{path}", {"json": {}} if method == "PATCH" else {}, 404, "unknown_destination")
      for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/enable"), ("POST", "/disable"),
        ("POST", "/rotate-secret"), ("POST", "/test"), ("GET", "/deliveries"), ("GET", "/deliveries/m"),
        ("POST", "/deliveries/m/retry"), ("POST", "/retry"), ("GET", "/replays"), ("DELETE", "/replays/running"),
    )),
]  # fmt: skip


def test_what_means_nothing_is_refused_with_a_code(story: Story, admin: Admin) -> None:
    """And nothing of it is repeated, and nothing came to be."""
    assert admin("POST", json={**SIEM, "name": "there"}).status_code == 201
    for method, path, options, status, code in BAD:
        given = dict(options)
        headers = {**admin.headers, **given.pop("headers", {})}
        answer = story.ask(method, f"/admin/webhooks{path}", headers=headers, **given)
        assert refused(answer) == (status, code), (method, path, options)
        assert "maybe" not in answer.text
    assert [(each.name, each.url) for each in listeners(story.gateway).list()] == [("there", SIEM["url"])]


def test_each_address_is_closed_to_whoever_lacks_the_scope(story: Story) -> None:
    """401 without a token, 403 with another scope; both say how to get in."""
    token = soc(story, "events:read").act().json()["access_token"]
    paths = story.ask("GET", "/openapi.json").json()["paths"]
    ours = [(method, path) for path in paths if path.startswith("/admin/webhooks") for method in paths[path]]
    assert len(ours) == 16
    for method, path in ours:
        address = path.format(name="siem", message_id="msg_1")
        none = story.ask(method.upper(), address)
        assert (*refused(none), "Bearer" in none.headers["www-authenticate"]) == (401, "unauthorized", True)
        other = story.ask(method.upper(), address, headers={"authorization": f"Bearer {token}"})
        assert refused(other) == (403, "insufficient_scope")
        assert 'scope="webhooks:manage"' in other.headers["www-authenticate"]


def test_it_is_closed_where_others_could_make_tokens(story_with: Callable[..., Story]) -> None:
    """Every API that verifies HS256 tokens has the secret that signs them, so none of them opens this."""
    story = story_with(jwt_issuer=ISSUER, jwt_secret=SIGNS)
    token = soc(story).act().json()["access_token"]
    for headers in ({"authorization": f"Bearer {token}"}, {}):
        answer = story.ask("GET", "/admin/webhooks", headers=headers)
        assert refused(answer) == (403, "admin_closed")


def test_without_a_provider_there_is_nothing_there(story_with: Callable[..., Story]) -> None:
    """Nobody could get a token; the command line does the same."""
    assert story_with().ask("GET", "/admin/webhooks").status_code == 404
