"""Receivers of Shared Signals keep their streams: the configuration, status, subject and verification endpoints."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.stories.gateway.applications import ISSUER, refused
from tests.stories.gateway.signals import CAEP, EVERYTHING, POLL, PUSH, RISC, VERIFICATION, Receiver, receiver
from tests.stories.gateway.story import Story

AWAY = {"method": PUSH, "endpoint_url": "https://receiver.example/events"}


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


@pytest.fixture
def shop(story: Story) -> Receiver:
    """A receiver without a stream."""
    return receiver(story, "shop")


def test_the_document_is_what_the_framework_asks_for(story: Story) -> None:
    """Version, issuer, keys, both ways, every endpoint, how to get in, and whom new streams are about."""
    answer = story.ask("GET", "/.well-known/ssf-configuration")
    document = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert (document["spec_version"], document["issuer"]) == ("1_0", ISSUER)
    assert document["delivery_methods_supported"] == [PUSH, POLL]
    assert document["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
    assert document["default_subjects"] == "ALL"
    addresses = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 6
    assert all(address.startswith(f"{ISSUER}/") for address in addresses)
    for address in addresses:
        path = urlsplit(address).path
        assert {story.ask(method, path).status_code for method in ("GET", "POST")} & {200, 401}


def test_an_issuer_with_a_path_has_its_document_between_host_and_path(story_with: Callable[..., Story]) -> None:
    """Section 7.2: the path comes last."""
    story = story_with(jwt_issuer="https://id.example/one")
    answer = story.ask("GET", "/.well-known/ssf-configuration/one")
    assert answer.json()["issuer"] == "https://id.example/one"
    assert story.ask("GET", "/.well-known/ssf-configuration").status_code == 404


def test_without_a_provider_there_are_no_streams(story_with: Callable[..., Story]) -> None:
    """A SET names its issuer by an address."""
    story = story_with()
    assert story.ask("GET", "/.well-known/ssf-configuration").status_code == 404
    assert story.ask("POST", "/ssf/streams", json={}).status_code == 404


ADDRESSES = [
    *((method, "/ssf/streams") for method in ("POST", "GET", "PATCH", "PUT", "DELETE")),
    *((method, "/ssf/status") for method in ("GET", "POST")),
    *(("POST", path) for path in ("/ssf/subjects/add", "/ssf/subjects/remove", "/ssf/verify", "/ssf/poll/ssf_x")),
]


def test_every_address_asks_for_a_token_of_its_scope(story: Story) -> None:
    """401 without one, 403 for one that opens something else; before anything is read."""
    other = receiver(story, "siem", scopes=("events:read",))
    for method, path in ADDRESSES:
        body: dict[str, Any] = {} if method in {"GET", "DELETE"} else {"content": b"\x00not json"}
        assert refused(story.ask(method, path, **body)) == (401, "unauthorized")
        assert refused(other.ask(method, path, **body)) == (403, "insufficient_scope")


def test_a_new_stream_is_told_as_it_is(shop: Receiver) -> None:
    """201 with what was asked for, what of that there is, and where to fetch it: polled unless it says otherwise."""
    made = shop.stream(events=[f"{CAEP}session-revoked", "https://other.example/event"], description="Shop")
    stream_id = made["stream_id"]
    assert made == {
        "stream_id": stream_id,
        "iss": ISSUER,
        "aud": "shop",
        "events_supported": EVERYTHING,
        "events_requested": [f"{CAEP}session-revoked", "https://other.example/event"],
        "events_delivered": [f"{CAEP}session-revoked"],
        "delivery": {"method": POLL, "endpoint_url": f"{ISSUER}/ssf/poll/{stream_id}"},
        "min_verification_interval": 5,
        "description": "Shop",
    }
    assert shop.at("configuration", "GET", params={"stream_id": stream_id}).json() == made
    assert shop.at("configuration", "GET").json() == [made]
    assert shop.at("status", "GET", params={"stream_id": stream_id}).json() == {
        "stream_id": stream_id,
        "status": "enabled",
    }


def test_whoever_asks_for_no_event_gets_none(shop: Receiver) -> None:
    """Nothing is sent that nobody said they can use."""
    assert shop.at("configuration", json={}).json()["events_delivered"] == []


def test_the_authorization_of_an_endpoint_is_never_shown_again(story: Story, shop: Receiver) -> None:
    """Neither told nor kept in the clear; null takes it away, and another address does not inherit it."""
    made = shop.stream(delivery={**AWAY, "authorization_header": "Bearer very-secret"})
    stream_id = made["stream_id"]
    assert made["delivery"] == AWAY

    def kept() -> bytes | None:
        with story.gateway.database.engine.connect() as connection:
            found: bytes | None = connection.exec_driver_sql("SELECT sealed_authorization FROM streams").scalar()
            return found

    first = kept()
    assert first is not None
    assert b"very-secret" not in first
    shop.at("configuration", "PATCH", json={"stream_id": stream_id, "delivery": AWAY})
    assert kept() is not None
    elsewhere = {**AWAY, "endpoint_url": "https://elsewhere.example/events"}
    shop.at("configuration", "PATCH", json={"stream_id": stream_id, "delivery": elsewhere})
    assert kept() is None
    shop.at("configuration", "PATCH", json={"stream_id": stream_id, "delivery": {**AWAY, "authorization_header": "x"}})
    assert kept() is not None
    shop.at("configuration", "PATCH", json={"stream_id": stream_id, "delivery": {**AWAY, "authorization_header": None}})
    assert kept() is None


def test_patch_changes_what_it_says_and_put_everything(shop: Receiver) -> None:
    """What a PUT leaves out is gone; what a PATCH leaves out stays."""
    made = shop.stream(events=[f"{CAEP}session-revoked"], description="one", delivery=AWAY)
    stream_id = made["stream_id"]
    patched = shop.at("configuration", "PATCH", json={"stream_id": stream_id, "description": "two"})
    assert patched.json() == {**made, "description": "two"}
    put = shop.at(
        "configuration", "PUT", json={"stream_id": stream_id, "events_requested": [f"{RISC}account-disabled"]}
    )
    assert put.json()["events_delivered"] == [f"{RISC}account-disabled"]
    assert put.json()["delivery"]["method"] == POLL
    assert "description" not in put.json()
    assert shop.at("configuration", "GET").json() == [put.json()]


def test_what_is_ours_to_say_may_be_repeated_and_must_be_right(shop: Receiver) -> None:
    """The configuration as it was read is a request; one that says otherwise is refused and changes nothing."""
    made = shop.stream()
    assert shop.at("configuration", "PUT", json=made).json() == made
    wrong = {
        "iss": "https://other.example",
        "aud": ["shop", "other"],
        "events_delivered": [],
        "events_supported": [],
        "min_verification_interval": 1,
        "delivery": {"method": POLL, "endpoint_url": "https://other.example/poll"},
    }
    for name, value in wrong.items():
        answer = shop.at("configuration", "PATCH", json={**made, "description": "x", name: value})
        assert refused(answer) == (400, "invalid_request"), name
    assert shop.at("configuration", "PUT", json={**made, "aud": ["shop"]}).json() == made


def test_a_removed_stream_is_gone(story: Story, shop: Receiver) -> None:
    """204 once, 404 from then on."""
    stream_id = shop.stream()["stream_id"]
    params = {"stream_id": stream_id}
    assert shop.at("configuration", "DELETE", params=params).status_code == 204
    assert refused(shop.at("configuration", "DELETE", params=params)) == (404, "unknown_stream")
    assert refused(shop.at("configuration", "GET", params=params)) == (404, "unknown_stream")
    assert shop.at("configuration", "GET").json() == []
    kinds = [kind for kind, _ in story.audited()]
    assert [kind for kind in kinds if kind.startswith("stream.")] == ["stream.added", "stream.removed"]


def test_a_stream_is_its_receivers_own(story: Story, shop: Receiver) -> None:
    """For another application there is none of that id, at any address, and nothing happens to it."""
    made = shop.stream()
    other = receiver(story, "other")
    stream_id = made["stream_id"]
    named = {"params": {"stream_id": stream_id}}
    said = {"stream_id": stream_id}
    subject = {"format": "email", "email": "alice@example.org"}
    answers = [
        other.at("configuration", "GET", **named),
        other.at("configuration", "PATCH", json={**said, "description": "mine"}),
        other.at("configuration", "PUT", json=said),
        other.at("configuration", "DELETE", **named),
        other.at("status", "GET", **named),
        other.at("status", json={**said, "status": "disabled"}),
        other.at("add_subject", json={**said, "subject": subject}),
        other.at("remove_subject", json={**said, "subject": subject}),
        other.at("verification", json=said),
        other.ask("POST", f"/ssf/poll/{stream_id}", json={"returnImmediately": True}),
    ]
    assert {refused(answer) for answer in answers} == {(404, "unknown_stream")}
    assert other.at("configuration", "GET").json() == []
    assert shop.at("configuration", "GET").json() == [made]
    assert shop.poll(made)["sets"] == {}


def test_an_application_that_goes_takes_its_streams_along(story: Story, shop: Receiver) -> None:
    """Whoever gets its id one day does not get them."""
    shop.stream()
    story.gateway.registrations.remove("shop")
    story.clock.advance(60)
    assert receiver(story, "shop").at("configuration", "GET").json() == []


def test_there_are_only_so_many_streams(shop: Receiver) -> None:
    """The eleventh is refused until one is removed."""
    made = [shop.stream() for _ in range(10)]
    assert refused(shop.at("configuration", json={})) == (409, "too_many_streams")
    shop.at("configuration", "DELETE", params={"stream_id": made[0]["stream_id"]})
    assert shop.at("configuration", json={}).status_code == 201


BAD_DELIVERIES: list[dict[str, Any]] = [
    {"method": PUSH},
    {"method": PUSH, "endpoint_url": "http://receiver.example/events"},
    {"method": PUSH, "endpoint_url": "https://127.0.0.1/events"},
    {"method": PUSH, "endpoint_url": "https://user:secret@receiver.example/"},
    {"method": PUSH, "endpoint_url": "https://receiver.example/\r\nx: y"},
    {"method": PUSH, "endpoint_url": "file:///etc/passwd"},
    {"method": "urn:ietf:rfc:9999", "endpoint_url": "https://receiver.example/"},
    {**AWAY, "authorization_header": "a\r\nx: y"},
    {**AWAY, "authorization_header": "ü"},
]


def test_events_are_sent_to_no_other_place_than_one_outside(shop: Receiver) -> None:
    """400 with one code and nothing of what was sent, at creation and at a change, which changes nothing."""
    made = shop.stream()
    for delivery in BAD_DELIVERIES:
        for answer in (
            shop.at("configuration", json={"delivery": delivery}),
            shop.at("configuration", "PATCH", json={"stream_id": made["stream_id"], "delivery": delivery}),
        ):
            assert refused(answer) == (400, "invalid_delivery"), delivery
            assert not any(str(value) in answer.text for name, value in delivery.items() if name != "method")
    assert shop.at("configuration", "GET").json() == [made]


NO_REQUESTS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"stream_id": 1}',
    b'{"stream_id": null}',
    b'{"stream_id":' + b"[" * 10_000,
    b'{"stream_id": "' + b"x" * 200 + b'"}',
]
NO_CONFIGURATIONS = [
    b'{"events_requested": "all", "stream_id": "x"}',
    b'{"delivery": [], "stream_id": "x"}',
    b'{"delivery": {}, "stream_id": "x"}',
    b'{"description": 7, "stream_id": "x"}',
    b'{"stream_id": "x", "aud": 5}',
]
TAKING_BODIES = [
    ("configuration", "PATCH"),
    ("configuration", "PUT"),
    *((name, "POST") for name in ("status", "add_subject", "remove_subject", "verification")),
]


def test_what_is_no_request_is_a_400(shop: Receiver) -> None:
    """With a code of ours, whatever it is; a missing stream_id too. Nothing is repeated."""
    for endpoint, method in TAKING_BODIES:
        for body in [*NO_REQUESTS, *(NO_CONFIGURATIONS if endpoint == "configuration" else [])]:
            answer = shop.at(endpoint, method, content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 400, (endpoint, body[:80])
            assert answer.json()["error"] in {"malformed_json", "invalid_request"}
            assert b"xxx" not in answer.content


def test_a_body_that_is_too_large_or_no_json_is_not_read(shop: Receiver) -> None:
    """413 and 415."""
    assert shop.at("configuration", content=b" " * 70_000).status_code == 413
    assert shop.at("configuration", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert refused(shop.at("configuration", json={"events_requested": ["x"] * 101})) == (400, "invalid_request")


def test_an_id_that_no_stream_has_is_a_404(shop: Receiver) -> None:
    """However it looks: the database never sees the odd ones."""
    for stream_id in ("", "\x00", "ssf_\x00", "../x", "ü", "a" * 128, "ssf_nothing", "%"):
        assert refused(shop.at("configuration", "GET", params={"stream_id": stream_id})) == (404, "unknown_stream")
        assert refused(shop.at("verification", json={"stream_id": stream_id})) == (404, "unknown_stream")


def test_a_stream_id_is_named_once(shop: Receiver) -> None:
    """Two are none, and where one is needed none is not all."""
    assert refused(shop.at("configuration", "GET", params=[("stream_id", "a"), ("stream_id", "b")]))[0] == 400
    assert refused(shop.at("configuration", "DELETE")) == (400, "invalid_request")
    assert refused(shop.at("status", "GET")) == (400, "invalid_request")


def test_a_reason_is_told_with_the_status(shop: Receiver) -> None:
    """As long as that status lasts."""
    said = {"stream_id": shop.stream()["stream_id"]}
    paused = shop.at("status", json={**said, "status": "paused", "reason": "maintenance"})
    assert paused.json() == {**said, "status": "paused", "reason": "maintenance"}
    assert shop.at("status", "GET", params=said).json() == paused.json()
    assert shop.at("status", json={**said, "status": "enabled"}).json() == {**said, "status": "enabled"}
    assert refused(shop.at("status", json={**said, "status": "paused", "reason": "a\x00b"})) == (400, "invalid_request")


def test_a_verification_comes_back_with_its_state(shop: Receiver) -> None:
    """About the stream itself; whoever asked for no event gets it too."""
    stream = shop.stream(events=[])
    said = {"stream_id": stream["stream_id"]}
    assert shop.at("verification", json={**said, "state": "a b/ü"}).status_code == 204
    (claims,) = shop.drained(stream)
    assert claims["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    assert claims["events"] == {VERIFICATION: {"state": "a b/ü"}}


def test_a_verification_without_a_state_has_none(story: Story, shop: Receiver) -> None:
    """And one that follows too soon is refused: 429, with the time to wait."""
    stream = shop.stream()
    said = {"stream_id": stream["stream_id"]}
    shop.at("verification", json=said)
    again = shop.at("verification", json=said)
    assert refused(again) == (429, "too_soon")
    assert int(again.headers["retry-after"]) >= 1
    story.clock.advance(5)
    assert shop.at("verification", json=said).status_code == 204
    assert [claims["events"] for claims in shop.drained(stream)] == [{VERIFICATION: {}}] * 2


def test_a_disabled_stream_is_not_verified(shop: Receiver) -> None:
    """Nothing goes over it."""
    said = {"stream_id": shop.stream()["stream_id"]}
    shop.at("status", json={**said, "status": "disabled"})
    assert refused(shop.at("verification", json=said)) == (400, "stream_disabled")


NO_SUBJECTS: list[dict[str, Any]] = [
    {},
    {"format": "phone_number", "phone_number": "+12065550123"},
    {"format": "email"},
    {"format": "email", "email": ""},
    {"format": "email", "email": 5},
    {"format": "email", "email": "a@example.org", "iss": "x"},
    {"format": ["email"], "email": "a@example.org"},
    {"format": "iss_sub", "iss": ISSUER},
    {"format": "opaque", "id": "x" * 257},
    {"format": "complex", "user": {"format": "opaque", "id": "x"}},
]


def test_what_is_no_subject_that_we_know_the_form_of_is_refused(shop: Receiver) -> None:
    """400, at both addresses."""
    stream_id = shop.stream()["stream_id"]
    for subject in NO_SUBJECTS:
        said = {"stream_id": stream_id, "subject": subject}
        assert refused(shop.at("add_subject", json=said)) == (400, "invalid_subject"), subject
        assert refused(shop.at("remove_subject", json=said)) == (400, "invalid_subject"), subject


def test_subjects_tell_nobody_who_is_here(shop: Receiver) -> None:
    """The same answer for those whom there is, those whom there is not, and those of other issuers."""
    said = {"stream_id": shop.stream()["stream_id"]}
    subjects = [
        {"format": "iss_sub", "iss": ISSUER, "sub": "id-alice"},
        {"format": "iss_sub", "iss": ISSUER, "sub": "id-nobody"},
        {"format": "iss_sub", "iss": "https://other.example", "sub": "id-alice"},
        {"format": "email", "email": "nobody@example.org"},
        {"format": "email", "email": "not an address"},
        {"format": "opaque", "id": "\x00\ud7ff"},
    ]
    added = [shop.at("add_subject", json={**said, "subject": subject}) for subject in subjects]
    removed = [shop.at("remove_subject", json={**said, "subject": subject}) for subject in subjects]
    assert {(answer.status_code, answer.content) for answer in added} == {(200, b"")}
    assert {(answer.status_code, answer.content) for answer in removed} == {(204, b"")}
