"""Our signatures are the ones that the official library takes, and its are the ones that we take."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

import pytest
from standardwebhooks import webhooks
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from plumbing.randomness import SeededRandomness
from webhooks.announcement import announcement, message_id
from webhooks.signing import (
    BadSignature,
    bearer_signer,
    hex_signature,
    new_secret,
    parse_secret,
    secret_text,
    signature,
    standard_signer,
    verify,
)

NOW = 1_767_225_600
OLD, NEW, FOREIGN = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
BODY = announcement("login.denied", at=NOW, data={"user_id": "ann", "city": "Zürich"})
ID = message_id("evt_1")


@pytest.fixture(autouse=True)
def held_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The official library reads the machine's clock; here it is always NOW."""

    class Held(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Held:
            return cls.fromtimestamp(NOW, tz)

    monkeypatch.setattr(webhooks, "datetime", Held)


def headers(*keys: bytes, at: int = NOW) -> dict[str, str]:
    return dict(standard_signer(keys)(ID, at, BODY))


def test_the_published_vector_is_met() -> None:
    """The example that the Standard Webhooks libraries test themselves with."""
    # Source: standard-webhooks/standard-webhooks, libraries/*/tests ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    mark = signature(key, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=b'{"test": 2432232314}')
    assert mark == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("keys", [(NEW,), (NEW, OLD), (OLD, NEW)])
def test_the_official_library_takes_our_messages(keys: tuple[bytes, ...]) -> None:
    """With either of two active secrets, as a receiver holds one while secrets change."""
    for key in keys:
        told = Webhook(secret_text(key)).verify(BODY, headers(*keys))
        assert told["type"] == "login.denied"
        assert told["data"] == {"user_id": "ann", "city": "Zürich"}
        assert datetime.fromisoformat(told["timestamp"]).timestamp() == NOW


TAMPERED: dict[str, Callable[[dict[str, str]], tuple[bytes, dict[str, str]]]] = {
    "body": lambda h: (BODY.replace(b"denied", b"allows"), h),
    "one bit of the body": lambda h: (BODY[:-1] + bytes([BODY[-1] ^ 1]), h),
    "an added byte": lambda h: (BODY + b" ", h),
    "id": lambda h: (BODY, {**h, "webhook-id": "msg_other"}),
    "time": lambda h: (BODY, {**h, "webhook-timestamp": str(NOW - 1)}),
    "signature": lambda h: (BODY, {**h, "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()}),
    "version": lambda h: (BODY, {**h, "webhook-signature": h["webhook-signature"].replace("v1,", "v2,")}),
    "no signature": lambda h: (BODY, {**h, "webhook-signature": ""}),
    "no version": lambda h: (BODY, {**h, "webhook-signature": h["webhook-signature"][3:]}),
    "no header": lambda h: (BODY, {name: value for name, value in h.items() if name != "webhook-id"}),
    "a time in words": lambda h: (BODY, {**h, "webhook-timestamp": "now"}),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_changed_message_is_refused_by_both(tamper: Callable[[dict[str, str]], tuple[bytes, dict[str, str]]]) -> None:
    """By the official library and by our own check alike."""
    body, changed = tamper(headers(NEW))
    with pytest.raises((WebhookVerificationError, ValueError)):  # it unpacks a mark without a version by force
        Webhook(secret_text(NEW)).verify(body, changed)
    with pytest.raises(BadSignature):
        verify([NEW], changed, body, now=NOW)


def test_another_secret_is_refused_by_both() -> None:
    """A signature is only as good as who can make it."""
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(FOREIGN)).verify(BODY, headers(NEW, OLD))
    with pytest.raises(BadSignature, match="no_match"):
        verify([FOREIGN], headers(NEW, OLD), BODY, now=NOW)


@pytest.mark.parametrize("away", [-600, -310, 310, 600])
def test_a_message_of_another_time_is_refused_by_both(away: int) -> None:
    """A caught message cannot be sent again later."""
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(NEW)).verify(BODY, headers(NEW, at=NOW + away))
    with pytest.raises(BadSignature, match=r"too_old|too_new"):
        verify([NEW], headers(NEW, at=NOW + away), BODY, now=NOW)


@pytest.mark.parametrize(("away", "is_taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_five_minutes_are_tolerated(away: int, is_taken: bool) -> None:
    """The limit itself is allowed, in both directions."""
    given = headers(NEW, at=NOW + away)
    if is_taken:
        assert verify([NEW], given, BODY, now=NOW) == ID
    else:
        with pytest.raises(BadSignature):
            verify([NEW], given, BODY, now=NOW)


def test_we_take_what_the_official_library_signs() -> None:
    """Any one signature of several suffices, whatever the case of the header names."""
    mark = Webhook(secret_text(NEW)).sign(ID, datetime.fromtimestamp(NOW, UTC), BODY.decode())
    given = {"Webhook-Id": ID, "WEBHOOK-TIMESTAMP": str(NOW), "webhook-signature": f"v1a,zzz {mark}"}
    assert verify([OLD, NEW], given, BODY, now=NOW) == ID


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", ["", "é", "\ud800", "²", "9" * 5_000, "-1", "\x00", "v1,", "v1,é"])
def test_hostile_headers_are_refused_not_crashed_on(name: str, value: str) -> None:
    """Whatever a header holds, the answer is a refusal."""
    with pytest.raises(BadSignature):
        verify([NEW], {**headers(NEW), name: value}, BODY, now=NOW)


def test_the_plain_signature_is_hex_hmac_over_the_exact_body() -> None:
    """RFC 4231, test case 2."""
    assert (
        hex_signature(b"Jefe", b"what do ya want for nothing?")
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_the_plain_signature_goes_along_under_its_name() -> None:
    """Only when it is asked for."""
    given = standard_signer([NEW], plain_header="X-Signature", plain_key=b"shared")(ID, NOW, BODY)
    assert given["X-Signature"] == hex_signature(b"shared", BODY)
    assert set(headers(NEW)) == {"webhook-id", "webhook-timestamp", "webhook-signature"}


def test_a_credential_can_stand_for_a_signature() -> None:
    """For a receiver of our own; the id goes along, so that it can drop repetitions."""
    assert bearer_signer("rgs_x")(ID, NOW, BODY) == {"authorization": "Bearer rgs_x", "webhook-id": ID}


@pytest.mark.parametrize("count", [0, 3])
def test_one_or_two_secrets_are_active(count: int) -> None:
    """None would sign nothing; more than two means that a change never ends."""
    with pytest.raises(ValueError, match="one or two"):
        standard_signer([NEW] * count)


@pytest.mark.parametrize(("size", "is_taken"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(size: int, is_taken: bool) -> None:
    """As the specification says."""
    text = secret_text(bytes(size))
    if is_taken:
        assert parse_secret(text) == bytes(size)
    else:
        with pytest.raises(ValueError, match="24 to 64"):
            parse_secret(text)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_***", "hunter2hunter2", base64.b64encode(NEW).decode(), "whsec_é"]
)
def test_a_malformed_secret_is_refused_without_being_repeated(text: str) -> None:
    """The error goes to a log."""
    with pytest.raises(ValueError, match="webhook secret") as refused:
        parse_secret(text)
    assert not text.removeprefix("whsec_") or text.removeprefix("whsec_") not in str(refused.value)


def test_a_new_secret_is_one_that_we_take() -> None:
    """32 random bytes."""
    assert len(parse_secret(new_secret(SeededRandomness(1)))) == 32


def test_an_announcement_has_the_recommended_shape() -> None:
    """Type, ISO 8601 time in UTC, data; the exact bytes are made once."""
    body = announcement("login.high_risk", at=1_700_000_000.25, data={"risk_score": 91.5})
    assert body == b'{"type":"login.high_risk","timestamp":"2023-11-14T22:13:20.250Z","data":{"risk_score":91.5}}'
