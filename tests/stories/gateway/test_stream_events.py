"""What really happens reaches the streams that asked for it: signed, about the right person, once."""

from collections.abc import Callable
from typing import Any

import pytest
from joserfc.errors import JoseError

from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.cli.keys import replace_keys
from auth_gateway.core.ssf.stream import UNCOLLECTED_SECONDS
from auth_gateway.upkeep import housekeeping
from auth_gateway.user_risks import risk_desk
from tests.stories.gateway.applications import ISSUER
from tests.stories.gateway.signals import CAEP, RISC, Receiver, distributed, receiver
from tests.stories.gateway.story import NOW, PASSWORD, Story


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


def told(story: Story, shop: Receiver, stream: dict[str, Any]) -> list[tuple[str, str]]:
    """Event types, short, and the person of each, in the order in which they came."""
    distributed(story)
    found = []
    for claims in shop.drained(stream):
        (name,) = claims["events"]
        subject = claims["sub_id"].get("user", claims["sub_id"])
        found.append((name.rpartition("/")[2], subject["sub"]))
    return found


def email_of(story: Story, username: str, address: str, *, is_verified: bool) -> None:
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE users SET email = ?, email_verified = ? WHERE username = ?", (address, is_verified, username)
        )


def test_what_happens_to_people_is_told_as_others_know_it(story: Story, shop: Receiver) -> None:
    """A second factor, a new password, an end of a session, a frozen account and an open one, in their order."""
    stream = shop.stream()
    story.scorer.score = 70.0
    story.complete(story.login().json()["challenge_id"])
    story.gateway.accounts.set_password("alice", PASSWORD + "2")
    story.gateway.accounts.freeze("bob")
    story.gateway.accounts.unfreeze("bob")
    assert told(story, shop, stream) == [
        ("assurance-level-change", "id-alice"),
        ("credential-change", "id-alice"),
        ("session-revoked", "id-alice"),
        ("account-disabled", "id-bob"),
        ("account-enabled", "id-bob"),
    ]


def test_a_token_says_what_happened_when_and_to_which_session(story: Story, shop: Receiver) -> None:
    """`jti` is the event's own id, `txn` that of its cause, and the subject is the session of ID tokens."""
    stream = shop.stream(events=[f"{CAEP}session-revoked"])
    session_id = story.login().json()["session_id"]
    story.clock.advance(60)
    story.gateway.revoke.session(session_id, reason="operator")
    distributed(story)
    (claims,) = shop.drained(stream)
    assert claims["iat"] == NOW + 60
    assert claims["jti"] == f"{claims['txn']}.{session_id}"
    assert claims["sub_id"] == {
        "format": "complex",
        "user": {"format": "iss_sub", "iss": ISSUER, "sub": "id-alice"},
        "session": {"format": "opaque", "id": session_id},
    }
    assert claims["events"] == {
        f"{CAEP}session-revoked": {
            "event_timestamp": NOW + 60,
            "initiating_entity": "admin",
            "reason_admin": {"en": "An operator ended the session."},
        }
    }


def test_each_stream_gets_what_it_asked_for_in_its_own_name(story: Story, shop: Receiver) -> None:
    """Two receivers, two audiences, one event id; the algorithm is that of each one's ID tokens."""
    bank = receiver(story, "bank", id_token_signed_response_alg="RS256")
    ours, theirs = shop.stream(events=[f"{RISC}account-disabled"]), bank.stream()
    other = shop.stream(events=[f"{RISC}account-enabled"])
    story.gateway.accounts.freeze("bob")
    distributed(story)
    (first,), (second,) = shop.drained(ours), bank.drained(theirs)
    assert (first["aud"], second["aud"]) == ("shop", "bank")
    assert first["jti"] == second["jti"]
    assert shop.drained(other) == []


def test_an_analysts_word_changes_a_persons_risk(story: Story, shop: Receiver) -> None:
    """To the highest level, with the one before, and back; their sessions end with it."""
    stream = shop.stream(events=[f"{CAEP}risk-level-change"])
    desk, gateway = risk_desk(story.gateway), story.gateway
    account = gateway.database.read(lambda tx: gateway.users.find(tx, "alice"))
    assert account is not None
    for word in ("compromised", "safe"):
        desk.verdict(account, word, by="eve", why="ticket 7")
        story.clock.advance(1)
    distributed(story)
    payloads = [claims["events"][f"{CAEP}risk-level-change"] for claims in shop.drained(stream)]
    assert [(each["previous_level"], each["current_level"]) for each in payloads] == [("LOW", "HIGH"), ("HIGH", "LOW")]
    assert "ticket" not in str(payloads)


def test_a_token_is_signed_once(story: Story, shop: Receiver) -> None:
    """Whoever asks again gets the same bytes."""
    stream = shop.stream()
    story.gateway.accounts.freeze("bob")
    distributed(story)
    first = shop.poll(stream)["sets"]
    assert len(first) == 1
    story.clock.advance(16)
    assert shop.poll(stream)["sets"] == first


def test_a_token_that_outlived_its_key_is_signed_anew(story: Story, shop: Receiver) -> None:
    """The same claims under the same `jti`, by a key that is published now."""
    stream = shop.stream()
    story.gateway.accounts.freeze("bob")
    distributed(story)
    ((jti, old),) = shop.poll(stream)["sets"].items()
    before = shop.verified(old)
    replace_keys(story.gateway, 0)
    story.clock.advance(7 * 86_400 - 60)
    story.runner.run(story.gateway.ring.reload())
    shop.token = shop.app.act().json()["access_token"]
    ((again, fresh),) = shop.poll(stream)["sets"].items()
    assert (again, shop.verified(fresh)) == (jti, before)
    assert fresh != old
    with pytest.raises((JoseError, ValueError)):
        shop.verified(old)


def test_a_subject_that_was_removed_is_told_of_no_more(story: Story, shop: Receiver) -> None:
    """Until it is added again; everybody else counts all the time."""
    stream = shop.stream(events=[f"{RISC}account-disabled"])
    said = {"stream_id": stream["stream_id"], "subject": {"format": "iss_sub", "iss": ISSUER, "sub": "id-bob"}}
    shop.at("remove_subject", json=said)
    story.gateway.accounts.freeze("bob")
    story.gateway.accounts.freeze("alice")
    assert told(story, shop, stream) == [("account-disabled", "id-alice")]
    shop.at("add_subject", json=said)
    story.gateway.accounts.unfreeze("bob")
    story.gateway.accounts.freeze("bob")
    assert told(story, shop, stream) == [("account-disabled", "id-bob")]


def test_with_no_default_subjects_only_those_count_that_were_added(story_with: Callable[..., Story]) -> None:
    """By id, by the provider's name for them, or by a verified address however it is written."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test", ssf_default_subjects="NONE")
    distributed(story)
    shop = receiver(story, "shop")
    assert shop.document["default_subjects"] == "NONE"
    stream = shop.stream(events=[f"{RISC}account-disabled"])
    email_of(story, "alice", "Alice@example.org", is_verified=True)
    email_of(story, "bob", "bob@example.org", is_verified=False)
    said = {"stream_id": stream["stream_id"]}
    names = [{"format": "email", "email": address} for address in ("alice@EXAMPLE.org", "bob@example.org")]
    for name in names:
        shop.at("add_subject", json={**said, "subject": name})
    unverified = {"format": "opaque", "id": "id-bob"}
    shop.at("add_subject", json={**said, "subject": unverified, "verified": False})
    for username in ("alice", "bob"):
        story.gateway.accounts.freeze(username)
    assert told(story, shop, stream) == [("account-disabled", "id-alice")]
    shop.at("add_subject", json={**said, "subject": unverified})
    story.gateway.accounts.unfreeze("bob")
    story.gateway.accounts.freeze("bob")
    assert told(story, shop, stream) == [("account-disabled", "id-bob")]


def test_subjects_are_written_down_covered(story: Story, shop: Receiver) -> None:
    """An address that a receiver names may be nobody's here: the database holds none."""
    stream = shop.stream()
    subject = {"format": "email", "email": "stranger@example.org"}
    shop.at("remove_subject", json={"stream_id": stream["stream_id"], "subject": subject})
    with story.gateway.database.engine.connect() as connection:
        ((kept,),) = connection.exec_driver_sql("SELECT covered FROM stream_subjects").all()
    assert len(kept) == 64
    assert "stranger" not in kept


def test_a_paused_stream_keeps_its_events_and_a_disabled_one_does_not(story: Story, shop: Receiver) -> None:
    """They go out when it is enabled again, or are given up."""
    stream = shop.stream(events=[f"{RISC}account-disabled", f"{RISC}account-enabled"])
    said = {"stream_id": stream["stream_id"]}
    shop.at("status", json={**said, "status": "paused"})
    story.gateway.accounts.freeze("bob")
    assert told(story, shop, stream) == []
    shop.at("status", json={**said, "status": "enabled"})
    assert told(story, shop, stream) == [("account-disabled", "id-bob")]
    story.gateway.accounts.unfreeze("bob")
    distributed(story)
    shop.at("status", json={**said, "status": "disabled"})
    story.gateway.accounts.freeze("bob")
    assert told(story, shop, stream) == []
    shop.at("status", json={**said, "status": "enabled"})
    assert told(story, shop, stream) == []
    with story.gateway.database.engine.connect() as connection:
        query = "SELECT last_error FROM outbox WHERE dead_at IS NOT NULL"
        assert connection.exec_driver_sql(query).scalars().all() == ["stream_disabled"]


def test_what_nobody_collects_is_given_up_after_a_week(story: Story, shop: Receiver) -> None:
    """The outbox does not grow for a receiver that is gone; it says so, and a younger event still waits."""
    stream = shop.stream()
    story.gateway.accounts.freeze("bob")
    distributed(story)
    story.clock.advance(UNCOLLECTED_SECONDS)
    story.gateway.accounts.freeze("alice")
    distributed(story)
    story.clock.advance(1)
    story.runner.run(housekeeping(story.gateway)())
    with story.gateway.database.engine.connect() as connection:
        query = "SELECT last_error, dead_at FROM outbox WHERE dead_at IS NOT NULL"
        assert connection.exec_driver_sql(query).all() == [("not_collected", NOW + UNCOLLECTED_SECONDS + 1)]
    shop.token = shop.app.act().json()["access_token"]
    assert told(story, shop, stream) == [("account-disabled", "id-alice")]


def test_a_new_sealing_key_seals_what_endpoints_ask_for_anew(story: Story, shop: Receiver) -> None:
    """It opens as before."""
    delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://receiver.example/", "authorization_header": "x"}
    stream_id = shop.stream(delivery=delivery)["stream_id"]
    streams, gateway = StoredStreams(), story.gateway
    before = gateway.database.read(lambda tx: streams.authorization(tx, stream_id))
    gateway.resealing()
    after = gateway.database.read(lambda tx: streams.authorization(tx, stream_id))
    assert before is not None
    assert after is not None
    assert after != before
    assert gateway.vault.open(after, f"stream:{stream_id}") == b"x"


def test_a_stream_of_many_events_loses_none(story: Story, shop: Receiver, is_long: bool) -> None:
    """However they are fetched: in order for each person, each once."""
    count = 1_000 if is_long else 60
    stream = shop.stream(events=[f"{RISC}account-disabled", f"{RISC}account-enabled"])
    for _ in range(count // 4):
        for username in ("alice", "bob"):
            story.gateway.accounts.freeze(username)
            story.gateway.accounts.unfreeze(username)
    distributed(story)
    found: list[tuple[str, str]] = []
    acknowledged: list[str] = []
    while polled := shop.poll(stream, ack=acknowledged, maxEvents=7)["sets"]:
        acknowledged = list(polled)
        for token in polled.values():
            claims = shop.verified(token)
            found.append((claims["sub_id"]["sub"], next(iter(claims["events"])).rpartition("/")[2]))
    assert len(found) == count // 4 * 4
    for person in ("id-alice", "id-bob"):
        theirs = [name for sub, name in found if sub == person]
        assert theirs == ["account-disabled", "account-enabled"] * (count // 4)
