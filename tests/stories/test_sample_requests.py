"""The published sample requests work against the demo as they stand, in any order, twice, before and after others."""

import json
from typing import Any

import httpx2
import pytest

from demo.people import NEW_PHONE_ABROAD
from tests.house import RunningHouse

USUAL: dict[str, Any] = {
    "username": "alice", "password": "Password123!",
    "timestamp": "2025-08-09T12:34:56Z",
    "ip": "198.51.100.9", "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X)",
    "device_id": "dev-1", "success": True,
    "country": "US", "region": "CA", "city": "San Jose",
    "ja4": "t13d301000_1234_5678", "ja4h": "ge11nn100000_9999", "ja4s": "654321",
}  # fmt: skip
OTHER_FINGERPRINT = {**USUAL, "timestamp": "2025-08-09T18:34:56Z", "ja4": "t22213d301000_1234_5678"}
SUSPICIOUS: dict[str, Any] = {
    "username": "bob", "password": "S3cret!xyz",
    "timestamp": "2025-08-09T02:00:00Z",
    "ip": "203.0.113.200", "user_agent": "WeirdAgent/1.0",
    "device_id": "dev-x", "success": True,
    "country": "RU", "region": "XX", "city": "??",
    "ja4": "t13d301000_bad", "ja4h": "ge11nn100000_bad", "ja4s": "999999",
}  # fmt: skip
EVENT: dict[str, Any] = {
    "timestamp": "2025-08-09T12:00:00Z", "user_id": "u1", "ip": "198.51.100.9",
    "user_agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X)", "device_id": "dev-1", "success": True,
    "country": "US", "region": "CA", "city": "San Jose",
    "ja4": "t13d301000_1234_5678", "ja4h": "ge11nn100000_9999", "ja4s": "654321",
}  # fmt: skip
EXPLAINED = {
    "hour", "day_of_week", "success", "user_freq", "ip_freq", "device_freq", "ua_freq", "ja4_freq", "ja4h_freq",
    "ja4s_freq", "ip_rep", "asn", "asn_name", "geo_distance_km",
}  # fmt: skip


def login(gateway: httpx2.Client, body: dict[str, Any]) -> httpx2.Response:
    return gateway.post("/login", content=json.dumps(body), headers={"content-type": "application/json"})


def is_allowed(answer: httpx2.Response) -> bool:
    return answer.status_code == 200 and answer.json()["allowed"] is True


def is_denied(answer: httpx2.Response) -> bool:
    return answer.status_code == 403 and answer.json()["allowed"] is False and "incident_id" in answer.json()


@pytest.mark.parametrize("order", [(USUAL, SUSPICIOUS), (SUSPICIOUS, USUAL), (OTHER_FINGERPRINT, USUAL, SUSPICIOUS)])
def test_the_sample_logins_answer_as_published_in_any_order_twice(
    house: RunningHouse, order: tuple[dict[str, Any], ...]
) -> None:
    """The usual login is allowed and the suspicious one denied, whatever came before."""
    with house.gateway() as gateway:
        for body in (*order, *order):
            answer = login(gateway, body)
            assert is_denied(answer) if body is SUSPICIOUS else is_allowed(answer), answer.text


def test_the_sample_logins_answer_alike_after_a_step_up_abroad(house: RunningHouse) -> None:
    """A step-up asked in between changes neither answer."""
    with house.gateway() as gateway:
        assert gateway.post("/login", json=NEW_PHONE_ABROAD.body()).json()["mfa_required"] is True
        assert is_allowed(login(gateway, USUAL))
        assert is_denied(login(gateway, SUSPICIOUS))


def test_an_allowed_login_answers_with_the_published_fields(house: RunningHouse) -> None:
    """Session id and all token fields, no score for a caller who did not sign in as a client."""
    with house.gateway() as gateway:
        answer = login(gateway, USUAL).json()
    assert set(answer) == {"allowed", "session_id", "tokens"}
    tokens = answer["tokens"]
    assert {"access_token", "expires_in", "token_type", "refresh_token", "refresh_expires_in", "scope"} <= set(tokens)
    assert (tokens["expires_in"], tokens["refresh_expires_in"], tokens["token_type"]) == (900, 604800, "Bearer")


@pytest.mark.parametrize("as_form", [False, True])
def test_the_sample_refresh_works_as_json_and_as_a_form(house: RunningHouse, as_form: bool) -> None:
    """One grant, two encodings."""
    with house.gateway() as gateway:
        token = login(gateway, USUAL).json()["tokens"]["refresh_token"]
        grant = {"grant_type": "refresh_token", "refresh_token": token}
        answer = gateway.post("/token", data=grant) if as_form else gateway.post("/token", json=grant)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != token


def test_an_address_that_is_none_is_refused(house: RunningHouse) -> None:
    """198.01.100.9 has a leading zero: 422, not a guess."""
    with house.gateway() as gateway:
        answer = login(gateway, {**USUAL, "ip": "198.01.100.9"})
    assert answer.status_code == 422
    assert "198.01" not in answer.text


def test_the_sample_score_answers_with_the_published_fields(house: RunningHouse) -> None:
    """One event in, one explained score out."""
    with house.scorer() as scorer:
        answer = scorer.post("/score", json=EVENT).json()
    assert {"risk_score", "risk_level", "model_label", "explain", "ts_scored"} <= set(answer)
    assert set(answer["explain"]) >= EXPLAINED
    assert (answer["explain"]["hour"], answer["explain"]["day_of_week"], answer["explain"]["asn"]) == (12, 5, 64500)


def test_bulk_and_single_agree_to_the_bit(house: RunningHouse) -> None:
    """The same event scored alone and among others gets the same number."""
    events = [
        {**EVENT, "user_id": user, "ip": ip}
        for user in ("alice", "bob", "u1")
        for ip in ("198.51.100.9", "203.0.113.200")
    ]
    with house.scorer() as scorer:
        together = scorer.post("/bulk_score", json=events).json()
        alone = [scorer.post("/score", json=event).json() for event in events]
    assert [each["risk_score"] for each in together] == [each["risk_score"] for each in alone]
