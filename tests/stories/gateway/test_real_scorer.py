"""Both services as the demo starts them: what the real scorer says of who comes back."""

from typing import Any

import httpx2
import pyotp
import pytest

from demo.people import LISTED_NETWORK, NEW_PHONE_ABROAD, USUAL, Attempt
from tests.house import RunningHouse

HOME = USUAL.context
# Another operator of the same country, the same browser and device: the telephone leaves the house.
MOBILE = {**HOME, "ip": "2001:db8:5::33", "asn": 64510}
NEW_PHONE = Attempt(
    "alice",
    USUAL.password,
    {**NEW_PHONE_ABROAD.context, **{name: str(MOBILE[name]) for name in ("ip", "country", "region", "city")}},
)


@pytest.fixture
def gateway(house: RunningHouse) -> Any:
    """The gateway's address, Alice at home a few times before."""
    with house.gateway() as client:
        for _ in range(3):
            came = logged_in(client, USUAL)
            assert came.get("allowed") is True, came
        yield client
    house.forgive()


def logged_in(gateway: httpx2.Client, attempt: Attempt) -> Any:
    return gateway.post("/login", json=attempt.body()).json()


def refresh(gateway: httpx2.Client, token: str, context: dict[str, Any]) -> httpx2.Response:
    return gateway.post("/token", json={**context, "grant_type": "refresh_token", "refresh_token": token})


def test_from_the_house_to_the_street_a_session_goes_on(gateway: httpx2.Client) -> None:
    """And back again."""
    token = logged_in(gateway, USUAL)["tokens"]["refresh_token"]
    for context in (HOME, MOBILE, MOBILE, HOME):
        answer = refresh(gateway, token, context)
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]


def test_a_stolen_token_is_worth_nothing_on_another_network_and_browser(gateway: httpx2.Client) -> None:
    """Refused, and from a listed network the session ends."""
    token = logged_in(gateway, USUAL)["tokens"]["refresh_token"]
    thief = {**LISTED_NETWORK.context}
    answer = refresh(gateway, token, thief)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert answer.json()["incident_id"]
    assert refresh(gateway, token, HOME).status_code == 400


def test_a_stolen_token_is_not_refreshed_from_a_phone_abroad(gateway: httpx2.Client) -> None:
    """Neither from a network that nobody has listed."""
    token = logged_in(gateway, USUAL)["tokens"]["refresh_token"]
    answer = refresh(gateway, token, {**NEW_PHONE_ABROAD.context})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_relayed_code_opens_nothing(gateway: httpx2.Client, house: RunningHouse) -> None:
    """The challenge went to Alice's new phone; its answer comes from a listed network, with the right code."""
    asked = logged_in(gateway, NEW_PHONE)
    challenge = asked.get("challenge_id")
    assert challenge, asked
    body = {**LISTED_NETWORK.context, "challenge_id": challenge, "code": pyotp.TOTP(house.totp_secret).now()}
    answer = gateway.post("/login/complete", json=body)
    assert (answer.status_code, answer.json().get("denied")) == (403, True), answer.text
    assert gateway.post("/login/complete", json={"challenge_id": challenge, "code": "000000"}).status_code == 401
