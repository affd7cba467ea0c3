"""The walk: logins in plain words, each with what was promised and whether it came true."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyotp
from rich.console import Console

from demo.browser import Browser
from demo.people import ALICE_PASSWORD, LISTED_NETWORK, NEW_PHONE_ABROAD, USUAL, Attempt

STEP_SECONDS = 30


class BrokenPromise(Exception):
    """A step did not go as told; the text says what came instead."""


@dataclass
class Walk:
    """State that one step leaves for the next."""

    gateway: httpx2.Client
    totp_secret: str
    receiver_dies: Callable[[], None]
    receiver_returns: Callable[[], None]
    application_url: str
    console: Console
    tokens: dict[str, Any] = field(default_factory=dict)
    last_totp_step: int = 0
    challenges: int = 0

    def login(self, attempt: Attempt) -> tuple[int, Mapping[str, Any]]:
        answer = self.gateway.post("/login", json=attempt.body())
        return answer.status_code, answer.json()

    def refresh(self, refresh_token: str) -> tuple[int, Mapping[str, Any]]:
        answer = self.gateway.post("/token", json={"grant_type": "refresh_token", "refresh_token": refresh_token})
        return answer.status_code, answer.json()

    def complete(self, challenge_id: str) -> tuple[int, Mapping[str, Any]]:
        answer = self.gateway.post("/login/complete", json={"challenge_id": challenge_id, "code": self.totp_code()})
        return answer.status_code, answer.json()

    def totp_code(self) -> str:
        """The code of a time step that was not used yet (each counts once)."""
        while (step := int(time.time()) // STEP_SECONDS) <= self.last_totp_step:
            time.sleep(0.2)
        self.last_totp_step = step
        return pyotp.TOTP(self.totp_secret).at(step * STEP_SECONDS)

    def say(self, text: str) -> None:
        self.console.print(f"   {text}", highlight=False)


def promise(kept: bool, status: int, answer: Mapping[str, Any]) -> None:
    if not kept:
        shown = {name: value for name, value in answer.items() if name != "tokens"}
        raise BrokenPromise(f"status {status}, answer {shown}")


def usual_device(walk: Walk) -> None:
    """Alice from her usual Mac, at home in San Jose: let in."""
    status, answer = walk.login(USUAL)
    promise(status == 200 and answer.get("allowed") is True, status, answer)
    walk.tokens = answer["tokens"]
    walk.say(f"Allowed. Session {answer['session_id']}, access token for {walk.tokens['expires_in']} s.")


def new_phone_abroad(walk: Walk) -> None:
    """Alice with the right password from a phone and a country never seen before: asked for a second factor."""
    status, answer = walk.login(NEW_PHONE_ABROAD)
    promise(answer.get("allowed") is False and answer.get("mfa_required") is True, status, answer)
    walk.challenges += 1
    walk.say(f"Not yet: “{answer['message']}”")
    status, done = walk.complete(answer["challenge_id"])
    promise(status == 200 and done.get("allowed") is True, status, done)
    walk.say("Her authenticator's code was right: allowed, and the phone is known from now on.")


def known_bad_network(walk: Walk) -> None:
    """Somebody with Bob's password, from a listed network, a browser's name over a Go program's TLS: refused."""
    status, answer = walk.login(LISTED_NETWORK)
    promise(status == 403 and answer.get("allowed") is False and bool(answer.get("incident_id")), status, answer)
    walk.say(f"Denied. Nothing is told but an incident id: {answer['incident_id']}")
    walk.receiver_dies()
    walk.say("(The webhook receiver was just killed, in the middle of the walk.)")


def refresh(walk: Walk) -> None:
    """Alice's application trades its refresh token for new tokens."""
    status, answer = walk.refresh(walk.tokens["refresh_token"])
    promise(status == 200 and answer["refresh_token"] != walk.tokens["refresh_token"], status, answer)
    walk.tokens = {**walk.tokens, "stolen": walk.tokens["refresh_token"], "refresh_token": answer["refresh_token"]}
    walk.say("New access token, new refresh token; the old one is spent.")


def stolen_refresh_token(walk: Walk) -> None:
    """A thief uses a spent refresh token: the whole family dies, the thief's and Alice's."""
    status, answer = walk.refresh(walk.tokens["refresh_token"])
    promise(status == 200, status, answer)
    newest = answer["refresh_token"]
    status, answer = walk.refresh(walk.tokens["stolen"])
    promise(status == 400 and answer.get("error") == "invalid_grant", status, answer)
    status, answer = walk.refresh(newest)
    promise(status == 400 and answer.get("error") == "invalid_grant", status, answer)
    walk.say(
        "The spent token was refused, and Alice's newest token with it: she signs in again, the thief has nothing."
    )
    walk.receiver_returns()
    walk.say("(The webhook receiver was started again.)")


def application(walk: Walk) -> None:
    """Alice signs in to an application by OpenID Connect, on the gateway's own page, and out again."""
    with Browser(USUAL.context["user_agent"]) as browser:
        page = browser.open(f"{walk.application_url}/sign-in")
        page = browser.fill(page, username="alice", password=ALICE_PASSWORD)
        if page.asks_for("code"):
            walk.challenges += 1
            page = browser.fill(page, code=walk.totp_code())
        promise(
            page.address == f"{walk.application_url}/" and "alice" in page.text, page.status, {"page": page.address}
        )
        walk.say("In: the application checked her ID token against the published keys. A new browser, so a code too.")
        page = browser.open(f"{walk.application_url}/sign-out")
        promise("Nobody is signed in" in page.text, page.status, {"page": page.address})
        walk.say("Out: her session at the gateway ended with the application's.")


STEPS: tuple[Callable[[Walk], None], ...] = (
    usual_device,
    new_phone_abroad,
    known_bad_network,
    refresh,
    stolen_refresh_token,
    application,
)


def tell(walk: Walk) -> bool:
    """Walk all steps; True only if every one went as promised."""
    for number, step in enumerate(STEPS, start=1):
        walk.console.print(f"[bold]{number}. {step.__doc__}[/bold]", highlight=False)
        try:
            step(walk)
        except (BrokenPromise, httpx2.HTTPError, KeyError) as broken:
            walk.console.print(f"   [red]Not as promised:[/red] {broken}", highlight=False)
            return False
    return True
