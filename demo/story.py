"""The walk: logins in plain words, each with what was promised and whether it came true."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyotp
from rich.console import Console

from demo import working_life
from demo.browser import Browser, Page
from demo.people import ALICE_PASSWORD, LISTED_NETWORK, NEW_PHONE_ABROAD, USUAL, Attempt

STEP_SECONDS = 30
WITHIN_SECONDS = 10.0


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
    company: httpx2.Client
    application: httpx2.Client
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

    def assess(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the scorer says of one event of the application's, once the gateway has told it of the session."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            answer = self.application.post("/assess", json=event)
            if answer.status_code == 200 or time.monotonic() > deadline:
                assessment: Mapping[str, Any] = answer.json()
                promise(answer.status_code == 200, answer.status_code, assessment)
                return assessment
            time.sleep(0.1)

    def until_refused(self, reason: str | None) -> None:
        """Refresh until that is refused for this reason. Raises: BrokenPromise when it is not in time."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < deadline:
            status, answer = self.refresh(self.tokens["refresh_token"])
            if status == 200:
                self.tokens = {**self.tokens, "refresh_token": answer["refresh_token"]}
            elif answer.get("reason") == reason:
                return
            time.sleep(0.05)
        raise BrokenPromise(f"status {status}, answer {answer}")

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


def sign_in(walk: Walk, browser: Browser) -> Page:
    """Alice's page at the application once she is in."""
    page = browser.open(f"{walk.application_url}/sign-in")
    page = browser.fill(page, username="alice", password=ALICE_PASSWORD)
    if page.asks_for("code"):
        walk.challenges += 1
        page = browser.fill(page, code=walk.totp_code())
    promise(page.address == f"{walk.application_url}/" and "alice" in page.text, page.status, {"page": page.address})
    return page


def application(walk: Walk) -> None:
    """Alice signs in to an application by OpenID Connect, on the gateway's own page, and out again."""
    with Browser(USUAL.context["user_agent"]) as browser:
        page = sign_in(walk, browser)
        walk.say("In: the application checked her ID token against the published keys. A new browser, so a code too.")
        page = browser.open(f"{walk.application_url}/sign-out")
        promise("Nobody is signed in" in page.text, page.status, {"page": page.address})
        walk.say("Out: her session at the gateway ended with the application's.")


def risk_after_the_login(walk: Walk) -> None:
    """Four ordinary weeks; then Alice's rights grow, and at night somebody exports in her session: out, everywhere."""
    status, answer = walk.login(USUAL)
    promise(status == 200 and answer.get("allowed") is True, status, answer)
    walk.tokens = answer["tokens"]
    looks = {name: USUAL.context[name] for name in ("ip", "user_agent", "device_id", "ja4")}
    past = working_life.weeks(time.time(), looks)
    answers = walk.company.post("/assess/bulk", json=past).json()
    promise(all(each.get("action") == "allow" for each in answers), 200, {"bulk": answers[-1]})
    walk.say(f"{len(past)} events of Alice and {working_life.COLLEAGUES} colleagues: nobody is asked for anything.")
    session = {"user_id": "alice", "session_id": answer["session_id"], **looks}
    walk.assess(working_life.event({**session, **working_life.SUPPORT}, "/tickets", time.time()))
    began, grown = time.monotonic(), {**session, **working_life.ADMIN}
    escalated = walk.assess(working_life.event(grown, "/tickets", time.time(), change=working_life.escalation()))
    walk.until_refused("interaction_required")
    walk.say(f"Rights that no colleague has: {_told(escalated)}. Her session rests until she shows a factor.")
    sent = working_life.EXPORTED_BYTES
    exported = walk.assess(working_life.event(grown, "/customers/export", time.time(), sent=sent))
    walk.until_refused(None)
    took_seconds = time.monotonic() - began
    walk.say(
        f"An export of {sent // 10**6} MB: {_told(exported)}. {took_seconds:.1f} s after the first sign all is over."
    )


def _told(assessment: Mapping[str, Any]) -> str:
    """The score and its first reasons."""
    reasons = [signal["code"] for signal in assessment["signals"] if signal["code"] != "baseline"]
    return f"{assessment['total_score']:.0f} ({', '.join(reasons[:3])})"


STEPS: tuple[Callable[[Walk], None], ...] = (
    usual_device,
    new_phone_abroad,
    known_bad_network,
    refresh,
    stolen_refresh_token,
    application,
    risk_after_the_login,
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
