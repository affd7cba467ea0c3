"""Both services as the demo starts them: a session is stolen after the login, and what is done with it is answered."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx2
import pyotp
import pytest

from demo.browser import Browser, Page
from demo.people import ALICE_PASSWORD, USUAL
from tests.house import RunningHouse
from tests.scorer_commands import new_credential

THIEF = {"ip": "203.0.113.77", "user_agent": "python-requests/2.32", "ja4": "t13d1011h1_61a7ad8aa9b6_3a8073edd8ef"}
EXPORTS = ("/crm/export", "/reports/7/export", "/billing/invoices/19/pdf")
REQUESTS = 10
PATIENCE_SECONDS = 5.0
"""From the signal to its effect, and the notice of the session before it."""


@pytest.fixture(scope="module")
def credential(house: RunningHouse) -> str:
    """What an API shows that tells the scorer of requests, and may vouch for nobody."""
    return new_credential(house.house.scorer_environment(), "stolen", "activity")


@pytest.fixture
def application(house: RunningHouse, credential: str) -> Iterator[httpx2.Client]:
    """That API."""
    bearer = {"authorization": f"Bearer {credential}"}
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

        assert stolen(application, session_id) < REQUESTS
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


@pytest.fixture
def website(house: RunningHouse) -> Iterator[str]:
    """An application that signs people in, and hears of logouts."""
    own = house.house
    own.application.environment = {**os.environ, "DEMO_CLIENT_SECRET": own.register_application()}
    own.application.start()
    own.application.wait_until_ready(own.application_url)
    yield own.application_url
    own.application.stop()


def stolen(application: httpx2.Client, session_id: str) -> int:
    """How many requests of the thief were taken for the owner's."""
    for number in range(REQUESTS):
        answer = application.post("/assess", json=request(session_id, EXPORTS[number % 3], **THIEF))
        if answer.status_code != 200 or answer.json()["action"] != "allow":
            return number
    return REQUESTS


def signed_in(house: RunningHouse, browser: Browser, page: Page) -> Page:
    """Alice is in, once she has shown what is asked for."""
    page = browser.fill(page, username="alice", password=ALICE_PASSWORD)
    return browser.fill(page, code=pyotp.TOTP(house.totp_secret).now()) if page.asks_for("code") else page


def sid_of(page: Page) -> str:
    """The session that the application shows."""
    found = re.search(r"<dt>sid<dd>([\w-]+)", page.text)
    assert found is not None, page.text
    return found[1]


def test_the_owner_of_a_stolen_session_is_asked_once_and_goes_on(
    house: RunningHouse, application: httpx2.Client, website: str
) -> None:
    """In the same session, by one factor; what the owner then does asks for nothing, and the thief has nothing."""
    looks = {"ip": "127.0.0.1", "user_agent": USUAL.context["user_agent"]}
    with Browser(looks["user_agent"]) as owner:
        session_id = sid_of(signed_in(house, owner, owner.open(f"{website}/sign-in")))
        own = request(session_id, "/crm/customers/4", **looks)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while application.post("/assess", json=own).status_code != 200:
            assert time.monotonic() < deadline, "the scorer was not told of the session"
        assert stolen(application, session_id) < REQUESTS
        while not (page := owner.open(f"{website}/sign-in")).asks_for("code"):
            assert time.monotonic() < deadline + PATIENCE_SECONDS, "nothing came of it"
        asked_at = time.time()
        while int(time.time()) == int(asked_at):  # no person types a code in the second in which they are asked
            page = owner.open(f"{website}/sign-in")
        # The code of this half minute may be the one that was used to sign in.
        page = owner.fill(page, code=pyotp.TOTP(house.totp_secret).at(int(time.time()) + 30))
        assert sid_of(page) == session_id
        assert sid_of(owner.open(f"{website}/sign-in")) == session_id  # not asked again
        while application.post("/assess", json=own).json().get("action") != "allow":
            assert time.monotonic() < deadline + 2 * PATIENCE_SECONDS, "the scorer was not told of the answer"
        assert sid_of(owner.open(f"{website}/sign-in")) == session_id
    rows = house.gateway_rows(f"SELECT revoked_at FROM sessions WHERE session_id = '{session_id}'")  # noqa: S608
    assert rows == [(None,)]


def test_an_alarm_outlives_both_services(house: RunningHouse, application: httpx2.Client) -> None:
    """Killed while the signal is being sent: once both are up again the session ends as soon as at any other time."""
    own, looks = house.house, {name: USUAL.context[name] for name in ("ip", "user_agent", "ja4")}
    with house.gateway() as gateway:
        allowed = gateway.post("/login", json=USUAL.body()).json()
    tokens, session_id = dict(allowed["tokens"]), allowed["session_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while application.post("/assess", json=request(session_id, "/crm/customers/4", **looks)).status_code != 200:
        assert time.monotonic() < deadline, "the scorer was not told of the session"

    assert own.gateway.process is not None
    os.kill(own.gateway.process.pid, signal.SIGSTOP)  # it takes the connection, and does nothing with it
    assert stolen(application, session_id) < REQUESTS
    while not is_being_sent(house, session_id):
        assert time.monotonic() < deadline + PATIENCE_SECONDS, "the signal was not sent"
    own.scorer.kill()
    own.gateway.kill()
    own.gateway.start()
    own.scorer.start()
    own.gateway.wait_until_ready(f"{own.gateway_url}/ready")
    own.scorer.wait_until_ready(f"{own.scorer_url}/ready")

    both_up = time.monotonic()
    with house.gateway() as gateway:
        while refreshed(gateway, tokens)[0] == 200:
            assert time.monotonic() < both_up + PATIENCE_SECONDS, "nothing came of it"
            time.sleep(0.1)
    told = f"SELECT count(*) FROM session_signals WHERE session_id = '{session_id}'"  # noqa: S608
    assert house.gateway_rows(told) == [(1,)]


def is_being_sent(house: RunningHouse, session_id: str) -> bool:
    """Whether the scorer has taken a signal of the session into its hands."""
    file = house.house.workplace.state / "scorer" / "scorer.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        sql = "SELECT body FROM outbox WHERE endpoint = 'gateway-signals' AND claimed_until > 0"
        return any(session_id.encode() in body for (body,) in connection.execute(sql))
