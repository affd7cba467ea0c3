"""Events of another provider are pushed to us (RFC 8935): believed only when all is right, and done once."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auth_gateway.adapters.storage.transmitters import StoredTransmitters
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.core.ssf.effects import Effects
from auth_gateway.core.ssf.transmitter import poll_purpose
from auth_gateway.signals import signal_sources
from auth_gateway.user_risks import risk_desk
from tests.stories.gateway.applications import ISSUER, session_of
from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.other_provider import (
    COMPROMISED,
    REVOKED,
    THEIRS,
    US,
    OtherProvider,
    added,
    alice,
    published,
    push,
    standing,
)
from tests.stories.gateway.signals import CAEP, RISC, VERIFICATION
from tests.stories.gateway.story import NOW, Story, running_story

DAY = 86_400
OTHER = OtherProvider()
STRANGER = OtherProvider()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One gateway for all that changes nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AUTH_GATEWAY_CONFIG", raising=False)
        given = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test"}
        with running_story(tmp_path_factory.mktemp("shared") / "state", **given) as running:
            added(running, OTHER)
            yield running


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, and takes the other one's events."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    added(story, OTHER)
    return story


def runs(story: Story, session_id: str) -> bool:
    found = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, session_id))
    return found is not None and found.revoked_at is None


def risk_of(story: Story, user_id: str = "id-alice") -> float:
    return story.gateway.database.read(lambda tx: StoredUserRisks().find(tx, user_id)).value


def lines(story: Story) -> list[Any]:
    found = story.gateway.database.read(lambda tx: story.gateway.audit.recent(tx, 100))
    return [line for line in found if line.kind == "signal.received"]


def test_a_session_ends_here_that_was_revoked_there(story: Story) -> None:
    """All of the person's, where none is named; written down with the transmitter, the token and what was done."""
    first, second = session_of(story), session_of(story)
    others = session_of(story, "bob")
    answer = push(story, OTHER.token(jti="one"))
    assert (answer.status_code, answer.content) == (202, b"")
    assert (runs(story, first.session_id), runs(story, second.session_id)) == (False, False)
    assert runs(story, others.session_id)
    (line,) = lines(story)
    assert (line.user_id, line.rule, line.detail) == ("id-alice", "session-revoked", "other one revoke (2 ended)")
    assert story.audited()[-2:] == [("session.revoked", "signal_received"), ("signal.received", "session-revoked")]


def test_only_the_session_ends_that_is_named(story: Story) -> None:
    """And only where it is that person's."""
    named, other = session_of(story), session_of(story)
    subject = {"format": "complex", "user": alice(), "session": {"format": "opaque", "id": named.session_id}}
    stolen = {**subject, "user": {**alice(), "sub": "id-bob"}}
    assert push(story, OTHER.token(sub_id=stolen)).status_code == 202
    assert runs(story, named.session_id)
    assert push(story, OTHER.token(sub_id=subject)).status_code == 202
    assert (runs(story, named.session_id), runs(story, other.session_id)) == (False, True)


def test_a_compromised_credential_raises_the_persons_risk(story: Story) -> None:
    """By another provider's word, which is named in the history; then policy refuses what it refuses at high."""
    assert push(story, OTHER.token(COMPROMISED, {"credential_type": "password"}, jti="leak")).status_code == 202
    desk = risk_desk(story.gateway)
    shown = desk.show(desk.of_id("id-alice"))
    change = shown.history[0].change
    assert (shown.value, shown.level) == (85.0, "high")
    assert (change.source, change.reason, change.by, change.why) == (
        "received",
        "credential-compromise",
        "other",
        "leak",
    )
    assert story.login().status_code == 403


def test_who_reports_the_same_again_raises_nothing_again(story: Story) -> None:
    """At its bound the risk stays where it is: neither the history nor anybody who is told grows by a flood."""
    for _ in range(6):
        story.clock.advance(1.0)
        assert push(story, OTHER.token(f"{RISC}account-credential-change-required", {})).status_code == 202
    raised = [line for line in story.audited(with_risk=True) if line[0] == "risk.user_raised"]
    desk = risk_desk(story.gateway)
    assert len(raised) == len(desk.show(desk.of_id("id-alice")).history) == 2
    assert [kind for kind, _ in story.audited()].count("signal.received") == 6


@pytest.mark.parametrize(
    ("event", "payload", "raised"),
    [
        (f"{CAEP}risk-level-change", {"principal": "USER", "current_level": "HIGH"}, 85.0),
        (f"{CAEP}risk-level-change", {"principal": "USER", "current_level": "MEDIUM"}, 65.0),
        (f"{CAEP}risk-level-change", {"principal": "USER", "current_level": "LOW"}, 0.0),
        (f"{CAEP}risk-level-change", {"principal": "TENANT", "current_level": "HIGH"}, 0.0),
        (f"{CAEP}risk-level-change", {"principal": ["USER"], "current_level": "HIGH"}, 0.0),
        (f"{CAEP}assurance-level-change", {"change_direction": "decrease"}, 30.0),
        (f"{CAEP}assurance-level-change", {"change_direction": "increase"}, 0.0),
        (f"{CAEP}device-compliance-change", {"current_status": "not-compliant"}, 65.0),
        (f"{CAEP}device-compliance-change", {"current_status": "compliant"}, 0.0),
        (f"{CAEP}credential-change", {"credential_type": "password", "change_type": "update"}, 0.0),
        (f"{RISC}account-credential-change-required", {}, 65.0),
        (f"{RISC}account-disabled", {"reason": "hijacking"}, 65.0),
        (f"{RISC}account-enabled", {}, 0.0),
        (f"{RISC}account-purged", {}, 0.0),
        (f"{RISC}identifier-changed", {"new-value": "x@y.example"}, 0.0),
        (f"{RISC}recovery-activated", {}, 30.0),
        (f"{RISC}opt-out-initiated", {}, 0.0),
    ],
)
def test_what_each_event_adds_unless_the_operator_says_otherwise(
    shared: Story, event: str, payload: dict[str, Any], raised: float
) -> None:
    """Bad news raises, good news does nothing."""
    shared.forgive()
    assert push(shared, OTHER.token(event, payload)).status_code == 202
    assert risk_of(shared) == pytest.approx(raised)


def test_the_operator_says_what_an_event_does(story: Story) -> None:
    """For each transmitter and type; a frozen account is an operator's to open, and no event opens it."""
    session = session_of(story)
    sources = signal_sources(story.gateway)
    disabled = f"{RISC}account-disabled"
    sources.set_effects("other", {disabled: Effects(freezes=True), REVOKED: Effects()})
    assert push(story, OTHER.token()).status_code == 202
    assert runs(story, session.session_id)
    assert push(story, OTHER.token(disabled)).status_code == 202
    assert not runs(story, session.session_id)
    assert ("user.frozen", "signal_received") in story.audited()
    assert push(story, OTHER.token(f"{RISC}account-enabled")).status_code == 202
    account = story.gateway.database.read(lambda tx: story.gateway.users.by_id(tx, "id-alice"))
    assert account is not None
    assert account.is_frozen


def test_a_token_that_comes_again_is_acknowledged_and_does_nothing(story: Story) -> None:
    """However often; another transmitter's `jti` is another one."""
    token = OTHER.token(COMPROMISED, jti="same")
    assert [push(story, token).status_code for _ in range(3)] == [202, 202, 202]
    assert risk_of(story) == 85.0
    assert len(lines(story)) == 1
    assert (standing(story).taken, standing(story).repeated) == (1, 2)
    added(story, OTHER, name="second")
    assert push(story, token, name="second").status_code == 202
    assert len(lines(story)) == 2


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param({"format": "iss_sub", "iss": ISSUER, "sub": "nobody"}, id="no-such-person"),
        pytest.param({"format": "iss_sub", "iss": THEIRS, "sub": "id-alice"}, id="another-issuer"),
        pytest.param({"format": "opaque", "id": "nobody"}, id="opaque"),
        pytest.param({"format": "email", "email": "nobody@example.com"}, id="email"),
        pytest.param({"format": "account", "uri": "acct:alice@other.example"}, id="account-elsewhere"),
        pytest.param({"format": "phone_number", "phone_number": "+12065550100"}, id="phone"),
        pytest.param({"format": "complex", "session": {"format": "opaque", "id": "none"}}, id="session"),
        pytest.param({"format": "complex", "tenant": {"format": "opaque", "id": "t"}}, id="tenant"),
        pytest.param({"format": "iss_sub", "iss": ISSUER, "sub": "a\x00b"}, id="nul"),
    ],
)
def test_a_person_whom_nobody_knows_is_acknowledged_and_nothing_is_told(shared: Story, subject: dict[str, Any]) -> None:
    """The answer is that of somebody who is known; it is counted and written down about nobody."""
    before, counted = len(lines(shared)), standing(shared).unknown_subject
    answer = push(shared, OTHER.token(COMPROMISED, sub_id=subject))
    assert (answer.status_code, answer.content) == (202, b"")
    assert len(lines(shared)) == before
    assert standing(shared).unknown_subject == counted + 1


@pytest.mark.parametrize(
    "subject",
    [
        alice(),
        {"format": "opaque", "id": "id-alice"},
        {"format": "account", "uri": "acct:alice@id.example"},
        {"format": "email", "email": "Ada@example.com"},
        {"format": "complex", "user": alice(), "device": {"format": "opaque", "id": "d"}},
        {"format": "aliases", "identifiers": [{"format": "opaque", "id": "nobody"}, alice()]},
    ],
    ids=lambda subject: subject["format"],
)
def test_a_person_is_found_by_every_name_that_is_theirs(story: Story, subject: dict[str, Any]) -> None:
    """By our id, a verified address, a user name; on its own, with what else is said, or as one of several."""
    if subject["format"] == "email":
        story.gateway.accounts.add("ada", "a heron reads the tide", user_id="id-ada", email="ada@example.com")
    assert push(story, OTHER.token(COMPROMISED, sub_id=subject)).status_code == 202
    (line,) = lines(story)
    assert line.user_id == ("id-ada" if subject["format"] == "email" else "id-alice")


def test_an_address_that_nobody_has_verified_is_nobodys(story: Story) -> None:
    """Anybody may have written it down."""
    story.gateway.accounts.add("eve", "a heron reads the tide", user_id="id-eve", email="eve@example.com")
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email_verified = 0 WHERE user_id = 'id-eve'")
    push(story, OTHER.token(COMPROMISED, sub_id={"format": "email", "email": "eve@example.com"}))
    assert lines(story) == []


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_every_algorithm_that_is_taken_is(shared: Story, algorithm: str) -> None:
    """Signed by an independent library."""
    token = OTHER.signed(OTHER.claims(f"{CAEP}session-presented"), algorithm)
    assert push(shared, token).status_code == 202


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned() -> str:
    head = {"alg": "none", "typ": "secevent+jwt", "kid": "ES256"}
    return f"{b64(json.dumps(head).encode())}.{b64(json.dumps(OTHER.claims()).encode())}."


def with_public_key_as_secret() -> str:
    """HS256 with a key that everybody has (RFC 8725, section 2.1)."""
    head = b64(b'{"alg":"HS256","typ":"secevent+jwt","kid":"RS256"}')
    said = f"{head}.{b64(json.dumps(OTHER.claims()).encode())}"
    secret = json.dumps(json.loads(OTHER.jwks())["keys"][1]).encode()
    return f"{said}.{b64(hmac.digest(secret, said.encode(), hashlib.sha256))}"


def tampered() -> str:
    head, _, signature = OTHER.token().split(".")
    return f"{head}.{b64(json.dumps(OTHER.claims(jti='mine')).encode())}.{signature}"


FORGED: list[tuple[str, Callable[[], str | bytes], str]] = [
    ("stranger", lambda: STRANGER.token(), "authentication_failed"),
    ("tampered", tampered, "authentication_failed"),
    ("none", unsigned, "invalid_request"),
    ("hs256", with_public_key_as_secret, "invalid_key"),
    ("unknown-kid", lambda: OTHER.signed(OTHER.claims(), kid="other"), "invalid_key"),
    ("kid-of-another-kind", lambda: OTHER.signed(OTHER.claims(), kid="RS256"), "invalid_key"),
    ("own-key-in-header", lambda: OTHER.signed(OTHER.claims(), jwk={"kty": "EC"}), "invalid_key"),
    ("jku", lambda: OTHER.signed(OTHER.claims(), jku="https://evil.example"), "invalid_request"),
    ("access-token", lambda: OTHER.signed(OTHER.claims(), typ="at+jwt"), "invalid_request"),
    ("id-token", lambda: OTHER.signed(OTHER.claims(), typ="JWT"), "invalid_request"),
    ("untyped", lambda: OTHER.signed(OTHER.claims(), typ=None), "invalid_request"),
    ("issuer", lambda: OTHER.token(iss="https://other.example"), "invalid_issuer"),
    ("audience", lambda: OTHER.token(aud="https://id.example"), "invalid_audience"),
    ("no-audience-of-ours", lambda: OTHER.token(aud=["a", "b"]), "invalid_audience"),
    ("too-old", lambda: OTHER.token(iat=int(NOW) - DAY - 1), "invalid_request"),
    ("too-early", lambda: OTHER.token(iat=int(NOW) + 61), "invalid_request"),
    ("no-iat", lambda: OTHER.token(iat=None), "invalid_request"),
    ("iat-text", lambda: OTHER.token(iat="now"), "invalid_request"),
    ("no-jti", lambda: OTHER.token(jti=None), "invalid_request"),
    ("empty-jti", lambda: OTHER.token(jti=""), "invalid_request"),
    ("long-jti", lambda: OTHER.token(jti="j" * 257), "invalid_request"),
    ("jti-of-controls", lambda: OTHER.token(jti="a\x1b[2Jb"), "invalid_request"),
    ("exp", lambda: OTHER.token(exp=int(NOW) + 60), "invalid_request"),
    ("sub", lambda: OTHER.token(sub="id-alice"), "invalid_request"),
    ("no-event", lambda: OTHER.token(events={}), "invalid_request"),
    ("two-events", lambda: OTHER.token(events={REVOKED: {}, COMPROMISED: {}}), "invalid_request"),
    ("events-list", lambda: OTHER.token(events=[REVOKED]), "invalid_request"),
    ("event-text", lambda: OTHER.token(events={REVOKED: "now"}), "invalid_request"),
    ("no-subject", lambda: OTHER.token(sub_id=None), "invalid_request"),
    ("subject-without-format", lambda: OTHER.token(sub_id={"id": "id-alice"}), "invalid_request"),
    ("subject-of-numbers", lambda: OTHER.token(sub_id={"format": "opaque", "id": 7}), "invalid_request"),
    (
        "nested-aliases",
        lambda: OTHER.token(
            sub_id={"format": "aliases", "identifiers": [{"format": "aliases", "identifiers": [alice()]}]}
        ),
        "invalid_request",
    ),
    (
        "level-of-its-own",
        lambda: OTHER.token(f"{CAEP}risk-level-change", {"current_level": "AWFUL"}),
        "invalid_request",
    ),
    ("empty", lambda: "", "invalid_request"),
    ("words", lambda: "not a token", "invalid_request"),
    ("json", lambda: json.dumps(OTHER.claims()), "invalid_request"),
    ("bytes", lambda: b"\xff\x00\xfe", "invalid_request"),
    ("no-json-inside", lambda: OTHER.signed(b"{"), "invalid_request"),
    ("deep", lambda: OTHER.signed(b'{"a":' * 1500 + b"1" + b"}" * 1500), "invalid_request"),
    ("large-claims", lambda: OTHER.token(txn="x" * 8_200), "invalid_request"),
]


@pytest.mark.parametrize(("token", "expected"), [case[1:] for case in FORGED], ids=[case[0] for case in FORGED])
def test_what_is_not_right_is_refused_in_the_words_of_the_standard(
    shared: Story, token: Callable[[], str | bytes], expected: str
) -> None:
    """And does nothing, and nothing of it is repeated."""
    before = (len(lines(shared)), standing(shared))
    answer = push(shared, token())
    said = answer.json()
    assert (answer.status_code, said["err"], set(said)) == (400, expected, {"err", "description"})
    assert "id-alice" not in answer.text
    assert "evil" not in answer.text
    assert (len(lines(shared)), standing(shared)) == before


def test_the_bounds_of_age_are_part_of_it(shared: Story) -> None:
    """A day, and a minute ahead."""
    for iat in (int(NOW) - DAY, int(NOW) + 60):
        assert push(shared, OTHER.token(f"{CAEP}session-presented", iat=iat)).status_code == 202


def test_another_media_type_or_encoding_is_no_request(shared: Story) -> None:
    """RFC 8935, section 2.1."""
    token = OTHER.token()
    for headers in ({"content-type": "application/jwt"}, {"content-type": ""}, {"content-encoding": "gzip"}):
        answer = push(shared, token, **headers)
        assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")
    typed = {"content-type": "Application/SecEvent+JWT; charset=utf-8"}
    assert push(shared, OTHER.token(f"{CAEP}session-presented"), **typed).status_code == 202


def test_a_huge_body_is_not_read(shared: Story) -> None:
    """Whatever it is."""
    answer = push(shared, b"x" * 16_385)
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("name", ["nobody", "txr_one", "%00", "a" * 65, "..%2fother"])
def test_an_address_that_no_transmitter_has_is_none(shared: Story, name: str) -> None:
    """404, whatever is pushed."""
    assert push(shared, OTHER.token(), name=name).status_code == 404


def test_a_transmitter_that_must_show_a_secret_shows_it(story: Story) -> None:
    """Before anything of its token is looked at."""
    secrets: list[str] = []
    added(story, OTHER, name="guarded", show=secrets.append)
    for authorization in ("", "Bearer wrong", secrets[0], f"Basic {secrets[0]}"):
        answer = push(story, "not a token", name="guarded", authorization=authorization)
        assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed")
    token = OTHER.token()
    assert push(story, token, name="guarded", authorization=f"Bearer {secrets[0]}").status_code == 202
    dump = (story.gateway.settings.auth_gateway_state / "gateway.db").read_bytes()
    assert secrets[0].encode() not in dump


def test_a_disabled_transmitter_is_refused_until_it_is_enabled(story: Story) -> None:
    """In the word that makes a sender wait; a removed one has no address."""
    sources, token = signal_sources(story.gateway), OTHER.token()
    sources.set_enabled("other", is_enabled=False)
    assert push(story, token).json()["err"] == "access_denied"
    sources.set_enabled("other", is_enabled=True)
    assert push(story, token).status_code == 202
    sources.remove("other")
    assert push(story, OTHER.token()).status_code == 404


def test_what_a_transmitter_says_of_its_stream_is_kept(story: Story) -> None:
    """A verification with its state, and another status; both are about nobody."""
    about = {"format": "opaque", "id": "stream-1"}
    updated = VERIFICATION.replace("verification", "stream-updated")
    assert push(story, OTHER.token(VERIFICATION, {"state": "s\x1b1"}, sub_id=about)).status_code == 202
    assert push(story, OTHER.token(updated, {"status": "paused", "reason": "rest"}, sub_id=about)).status_code == 202
    found = standing(story)
    assert (found.verified_state, found.verified_at) == ("s?1", NOW)
    assert (found.stream_status, found.stream_reason, found.unknown_subject) == ("paused", "rest", 0)


def test_an_event_that_nobody_here_understands_is_counted(story: Story) -> None:
    """Acknowledged, so that it does not come again for ever."""
    assert push(story, OTHER.token("https://example.com/events/weather")).status_code == 202
    assert (standing(story).taken, standing(story).not_understood, lines(story)) == (1, 1, [])


def test_a_storage_that_fails_loses_nothing(story: Story) -> None:
    """503, and the same token counts when it works again."""
    token = OTHER.token(COMPROMISED)
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE user_risk RENAME TO hidden")
    assert push(story, token).status_code in {500, 503}
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO user_risk")
    assert (risk_of(story), lines(story), standing(story).taken) == (0.0, [], 0)
    assert push(story, token).status_code == 202
    assert risk_of(story) == 85.0


def test_the_key_of_one_transmitter_signs_for_no_other(story: Story) -> None:
    """Neither under its own name nor under the other's."""
    added(story, STRANGER, name="stranger", issuer="https://stranger.example")
    assert push(story, STRANGER.token()).json()["err"] == "authentication_failed"
    assert push(story, STRANGER.token(), name="stranger").json()["err"] == "invalid_issuer"
    assert US in STRANGER.claims()["aud"]


def test_keys_that_cannot_be_had_make_a_transmitter_come_again(story_with: Callable[..., Story]) -> None:
    """503 with a time, not a word that would make it drop the token; then it counts."""
    given = {"jwt_issuer": "http://localhost:9000", "risk_api_credential": "rgs_test", "auth_gateway_profile": "demo"}
    story = story_with(**given)
    alices = story.gateway.database.read(lambda tx: story.gateway.users.find(tx, "alice"))
    assert alices is not None
    token = OTHER.token(COMPROMISED, sub_id={"format": "opaque", "id": alices.user_id})
    with published(OTHER.jwks()) as place:
        place.status = 500
        added(story, OTHER, jwks_uri=place.url)
        answers = [push(story, token) for _ in range(5)]
        assert {answer.status_code for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        assert place.asked == 1
        place.status = 200
        story.clock.advance(30)
        assert push(story, token).status_code == 202
    assert risk_of(story, alices.user_id) == 85.0


def test_a_running_gateway_polls_by_itself(story_with: Callable[..., Story], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has an address for it and is enabled, turn by turn."""
    monkeypatch.setattr("auth_gateway.wiring.ssf.POLL_SECONDS", 0.02)
    given = {"jwt_issuer": "http://localhost:9000", "risk_api_credential": "rgs_test", "auth_gateway_profile": "demo"}
    story = story_with(**given)
    with published('{"sets": {}}') as place:
        added(story, OTHER, poll_url=place.url)
        until(story, lambda: place.asked > 2)
        assert standing(story).poll_problem == ""


def test_a_new_sealing_key_seals_the_token_of_a_poll_endpoint_anew(story: Story) -> None:
    """It is what it was, and older keys open it no more."""
    made = added(story, OTHER, name="polled", poll_url="https://other.example/poll", poll_token="their-token")
    transmitters = StoredTransmitters()
    before = story.gateway.database.read(lambda tx: transmitters.poll_token(tx, made.transmitter_id))
    story.gateway.resealing()
    after = story.gateway.database.read(lambda tx: transmitters.poll_token(tx, made.transmitter_id))
    assert before != after
    purpose = poll_purpose(made.transmitter_id)
    assert story.gateway.vault.open(after or b"", purpose) == b"their-token"
    assert story.gateway.vault.is_sealed_now(after or b"", purpose)
