"""Both services as the demo starts them: what a reviewer is shown of a person has the scorer's own word in it."""

import json
import time
from typing import Any

import httpx2
import pytest

from demo.people import USUAL
from tests.gateway_commands import gateway_command
from tests.house import RunningHouse
from tests.scorer_commands import new_credential

PATIENCE_SECONDS = 10.0


def event(session_id: str, **identity: str) -> dict[str, Any]:
    """One request of Alice's, as an API saw it."""
    looks = {name: USUAL.context[name] for name in ("ip", "user_agent", "ja4")}
    done = {"endpoint": "/crm/customers/4", "status_code": 200, "service": "crm"}
    return {"identity": {"user_id": "alice", "session_id": session_id, **looks, **identity}, "event": done}


@pytest.fixture
def session_id(house: RunningHouse) -> str:
    """A session of Alice's in which the scorer has seen one request."""
    bearer = {"authorization": f"Bearer {new_credential(house.house.scorer_environment(), 'desk', 'activity')}"}
    with house.gateway() as gateway, httpx2.Client(base_url=house.house.scorer_url, trust_env=False) as application:
        begun: str = gateway.post("/login", json=USUAL.body()).json()["session_id"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while application.post("/assess", json=event(begun), headers=bearer).status_code != 200:
            assert time.monotonic() < deadline, "the scorer was not told of the session"
    return begun


def test_a_summary_has_what_the_scorer_saw(house: RunningHouse, session_id: str) -> None:
    """By the API and by the command, with the session that both know."""
    own = house.house
    registered = gateway_command(
        own.gateway.environment, "clients", "add", "reviewers", "--grant", "client_credentials", "--scope", "risk:read"
    )
    secret = next(word for word in registered.stdout.split() if word.startswith("rgc_"))
    with house.gateway() as gateway:
        form = {"grant_type": "client_credentials", "scope": "risk:read"}
        token = gateway.post("/token", data=form, auth=("reviewers", secret)).json()["access_token"]
        bearer = {"authorization": f"Bearer {token}"}
        by_program = gateway.get("/accounts/alice/summary", headers=bearer).json()
    by_command = json.loads(gateway_command(own.gateway.environment, "users", "summary", "alice", "--json").stdout)
    assert by_command.keys() == by_program.keys()
    for told in (by_program, by_command):
        assert told["behaviour_missing"] is None
        assert told["behaviour"]["user_id"] == "alice"
        assert session_id in [each["session_id"] for each in told["sessions"]]
        assert session_id in [each["session_id"] for each in told["behaviour"]["sessions"]]
        assert told["behaviour"]["events"][0]["endpoint"] == "/crm/customers/{id}"
    line = gateway_command(own.gateway.environment, "users", "summary", "alice").stdout.splitlines()[-1]
    assert line.split("\t") == ["behaviour", str(by_program["behaviour"]["score"]), "low"]
