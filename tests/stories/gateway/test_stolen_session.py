"""Both services as the demo starts them: a session is stolen after the login, and what is done with it is answered."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from demo.people import USUAL
from tests.house import RunningHouse

THIEF = {"ip": "203.0.113.77", "user_agent": "python-requests/2.32", "ja4": "t13d1011h1_61a7ad8aa9b6_3a8073edd8ef"}
EXPORTS = ("/crm/export", "/reports/7/export", "/billing/invoices/19/pdf")
REQUESTS = 10
PATIENCE_SECONDS = 5.0
"""From the signal to its effect, and the notice of the session before it."""


@pytest.fixture
def application(house: RunningHouse) -> Iterator[httpx2.Client]:
    """An API that tells the scorer of each request, and may vouch for nobody."""
    bearer = {"authorization": f"Bearer {house.house.make_credential('stolen', 'activity')}"}
    with httpx2.Client(base_url=house.house.scorer_url, headers=bearer, trust_env=False, timeout=20.0) as client:
        yield client
    house.forgive()


def request(session_id: str, path: str, **looks: str) -> dict[str, Any]:
    """One request as the API saw it."""
    event = {"endpoint": path, "status_code": 200, "latency_ms": 80, "bytes_out": 4_000_000, "service": "crm"}
    return {"identity": {"user_id": "alice", "session_id": session_id, **looks}, "event": event}


def refreshed(gateway: httpx2.Client, tokens: dict[str, str]) -> tuple[int, str | None]:
    """Whether the thief's copy still refreshes, and what is said instead."""
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **USUAL.context}
    answer = gateway.post("/token", json=form)
    if answer.status_code == 200:
        tokens["refresh_token"] = answer.json()["refresh_token"]
    return answer.status_code, answer.json().get("reason")


def test_a_stolen_session_is_stopped_before_its_tenth_request(house: RunningHouse, application: httpx2.Client) -> None:
    """Another network and browser take exports: the copied tokens are dead, and the owner goes on with a new login."""
    with house.gateway() as gateway:
        allowed = gateway.post("/login", json=USUAL.body()).json()
        tokens, session_id = dict(allowed["tokens"]), allowed["session_id"]
        own = {name: USUAL.context[name] for name in ("ip", "user_agent", "ja4")}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while application.post("/assess", json=request(session_id, "/crm/customers/4", **own)).status_code != 200:
            assert time.monotonic() < deadline, "the scorer was not told of the session"
        assert refreshed(gateway, tokens)[0] == 200

        asked_at = None
        for number in range(REQUESTS):
            answer = application.post("/assess", json=request(session_id, EXPORTS[number % 3], **THIEF))
            if answer.status_code != 200 or answer.json()["action"] != "allow":
                asked_at = number
                break
        assert asked_at is not None, answer.text
        while (said := refreshed(gateway, tokens))[0] == 200:
            assert time.monotonic() < deadline + PATIENCE_SECONDS, "nothing came of it"
        assert said[0] == 400
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert gateway.get("/userinfo", headers=bearer).status_code == 401
        assert house.gateway_rows(f"SELECT asked_at FROM sessions WHERE session_id = '{session_id}'")  # noqa: S608

        again = gateway.post("/login", json=USUAL.body()).json()
        assert again["allowed"] is True
        assert again["session_id"] != session_id
        assert refreshed(gateway, dict(again["tokens"]))[0] == 200
        assert refreshed(gateway, tokens)[0] == 400
