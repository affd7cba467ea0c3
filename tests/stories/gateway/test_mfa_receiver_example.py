"""The example MFA system of the documentation, as a process of its own beside a real gateway: told by a real webhook,
it says yes, no and a wrong number, all signed by the official library.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.ports import free_port
from tests.running_provider import PATIENCE_SECONDS, Person, RunningProvider, running_provider

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "mfa_receiver.py"
SECRET = "whsec_Jk3Vt0Zq9s1xYb7cD2eF4gH6iK8lM0nP"


@pytest.fixture(scope="module")
def phone() -> Iterator[tuple[int, httpx2.Client]]:
    """The port that the example will have, and a way to it."""
    port = free_port()
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20.0) as http:
        yield port, http


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, phone: tuple[int, httpx2.Client]) -> Iterator[RunningProvider]:
    """A gateway that takes the example's word, and the example; somewhat risky logins."""
    settings = {
        "MFA_PUSH": "true",
        "MFA_WEBHOOK_URL": f"http://127.0.0.1:{phone[0]}/webhook",
        "WEBHOOK_SECRET": SECRET,
    }
    with running_provider(tmp_path_factory.mktemp("mfa"), **settings) as running:
        given = {"GATEWAY": running.issuer, "WEBHOOK_SECRET": SECRET, "PORT": str(phone[0])}
        process = subprocess.Popen([sys.executable, str(EXAMPLE)], env={**os.environ, **given})
        try:
            running.scorer.score = 65.0
            yield running
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def login(gateway: RunningProvider, person: Person) -> dict[str, Any]:
    with gateway.http() as http:
        answer: dict[str, Any] = http.post(
            "/login", json={"username": person.username, "password": person.password}
        ).json()
    return answer


def look(gateway: RunningProvider, challenge: dict[str, Any]) -> httpx2.Response:
    with gateway.http() as http:
        return http.post("/login/complete", json={"challenge_id": challenge["challenge_id"], "method": "push"})


def shown_to(person: Person, http: httpx2.Client) -> dict[str, Any]:
    """What the phone shows, once the webhook has come."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            found = http.get(f"/waiting/id-{person.username}").json()
        except httpx2.TransportError:
            found = []
        if found:
            shown: dict[str, Any] = found[0]
            return shown
        time.sleep(0.1)
    raise AssertionError("nobody was asked")


def test_the_person_types_the_number_and_is_in(gateway: RunningProvider, phone: tuple[int, httpx2.Client]) -> None:
    """A slip first; whoever waits is told so, and gets tokens after the right one."""
    person, http = gateway.person(), phone[1]
    challenge = login(gateway, person)
    shown = shown_to(person, http)
    assert shown["challenge_id"] == challenge["challenge_ref"]
    assert look(gateway, challenge).status_code == 202
    way = f"/answers/{shown['challenge_id']}"
    assert http.post(way, json={"verdict": "approved", "number": "00"}).status_code == 422
    assert http.post(way, json={"verdict": "approved", "number": challenge["number"]}).json() == {"verdict": "approved"}
    assert look(gateway, challenge).json()["allowed"] is True
    assert http.get(f"/waiting/id-{person.username}").json() == []


def test_the_person_says_no(gateway: RunningProvider, phone: tuple[int, httpx2.Client]) -> None:
    """And whoever began the login gets an incident id."""
    person, http = gateway.person(), phone[1]
    challenge = login(gateway, person)
    shown = shown_to(person, http)
    assert http.post(f"/answers/{shown['challenge_id']}", json={"verdict": "denied"}).status_code == 200
    answer = look(gateway, challenge)
    assert (answer.status_code, "incident_id" in answer.json()) == (403, True)


def test_a_forged_message_asks_nobody(gateway: RunningProvider, phone: tuple[int, httpx2.Client]) -> None:
    """The example looks at the signature first."""
    person, http = gateway.person(), phone[1]
    data = {"challenge_id": "c", "user_id": f"id-{person.username}"}
    login(gateway, person)
    shown_to(person, http)
    assert http.post("/webhook", json={"type": "login.mfa_required", "data": data}).status_code == 401
