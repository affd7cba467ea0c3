"""Somebody at the gateway whom an operator acts on, with the sessions that they are signed in by."""

from dataclasses import dataclass, field
from typing import Any

import httpx2
from playwright.sync_api import Page

from auth_gateway.user_risks import risk_desk
from tests.browser.place import follow
from tests.browser.stations import link_in_letter, send
from tests.console_place import Place
from tests.running_provider import Person


@dataclass
class SignedPerson:
    """`tokens` are the newest refresh tokens, by session."""

    place: Place
    person: Person
    http: httpx2.Client
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        return f"id-{self.person.username}"

    @property
    def page(self) -> str:
        return f"/dashboard/users/{self.user_id}"

    def sign_in(self) -> None:
        """Once more."""
        answer = self.login()
        self.tokens[answer["session_id"]] = answer["tokens"]["refresh_token"]

    def login(self, password: str = "") -> Any:
        """What the gateway answers to the next login."""
        body = {"username": self.person.username, "password": password or self.person.password}
        return self.http.post("/login", json=body).json()

    def may_come_in(self, password: str = "") -> bool:
        """Whether the next login is let in, without a factor."""
        return "tokens" in self.login(password)

    def refreshes(self) -> list[int]:
        """The status of each session's next refresh."""
        return [self._refresh(session) for session in self.tokens]

    def hold(self) -> None:
        """Somebody found them compromised before."""
        desk = risk_desk(self.place.provider.gateway)
        desk.verdict(desk.named(self.person.username), "compromised", by="tests", why="a list of stolen passwords")

    def renew(self, page: Page, password: str) -> None:
        """The owner's way to another password: a letter, and the code of their authenticator."""
        issuer = self.place.provider.issuer
        page.goto(f"{issuer}/recover")
        page.locator("#named").fill(self.person.username)
        send(page)
        page.goto(link_in_letter(self.place.provider.gateway, issuer, "recover"))
        page.locator("form:has([value=totp]) input[name=code]").fill(self.place.code(self.person))
        follow(page, "form:has([value=totp]) button")
        page.locator("#password").fill(password)
        send(page)

    def _refresh(self, session: str) -> int:
        body = {"grant_type": "refresh_token", "refresh_token": self.tokens[session]}
        answer = self.http.post("/token", json=body)
        if answer.status_code == 200:
            self.tokens[session] = answer.json()["refresh_token"]
        return answer.status_code
