"""A gateway and a scorer whose console is its client, both processes on real sockets, with an operator of each role."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pyotp

from auth_gateway.core.provider.client import ADMIN_SCOPES
from risk_scorer.adapters.storage import FILE_NAME
from tests.integration.risk_scorer.published import publish_model
from tests.migrated import migrated_scorer
from tests.running_provider import Person, RunningProvider, running_provider
from tests.scorer_commands import scorer_command
from tests.stories.scorer_process import Scorer, scorer

CLIENT = "console"
ROLES = ("reader", "analyst", "admin")
_ONWARD = re.compile(r'http-equiv="refresh" content="0;url=([^"]*)"')
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass
class Place:
    """Both services, and who works here, by role; `stranger` has an account and no role."""

    provider: RunningProvider
    scorer: Scorer
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people come: another site than the gateway's, as it is elsewhere."""
        return f"http://localhost:{self.scorer.port}"

    def browser(self) -> "Browser":
        return Browser(self)

    def link(self, role: str = "reader") -> str:
        """Opens the console once, without the gateway."""
        return scorer_command(self.scorer.environment(), "operator-link", "--role", role).strip()

    def operators(self, *arguments: str) -> str:
        return scorer_command(self.scorer.environment(), "operators", *arguments)

    def code(self, person: Person) -> str:
        return pyotp.TOTP(person.totp).at(int(time.time()))


@contextmanager
def console_place(place: Path, *, gateway: Mapping[str, str] = {}, **changes: str) -> Iterator[Place]:
    """Up until the block ends; `changes` are settings of the scorer's."""
    publish_model(place / "models")
    migrated_scorer(place / "scorer" / FILE_NAME)
    with running_provider(place, **gateway) as provider, scorer(place) as found:
        url = f"http://localhost:{found.port}"
        registered = provider.client(
            CLIENT,
            grant_types=("authorization_code", "client_credentials"),
            redirect_uris=(f"{url}/operator/callback",),
            post_logout_redirect_uris=(f"{url}/operator/signed-out",),
            backchannel_logout_uri=f"{url}/operator/backchannel-logout",
            scopes=("openid", "profile", *ADMIN_SCOPES),
            audience=provider.issuer,
        )
        found.changes |= {
            "RISK_SCORER_PUBLIC_URL": url,
            "CONSOLE_ISSUER": provider.issuer,
            "CONSOLE_CLIENT_ID": CLIENT,
            "CONSOLE_CLIENT_SECRET": registered["secret"],
            **changes,
        }
        found.start()
        made = Place(provider, found)
        for role in (*ROLES, "stranger"):
            made.people[role] = provider.person()
            if role in ROLES:
                made.operators("add", made.people[role].username, "--role", role)
        yield made


class Browser:
    """Goes where pages send it and fills in their forms, without scripts."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # A connection for each request: nothing is left open that somebody would have to close.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._http = httpx2.Client(trust_env=False, timeout=20.0, follow_redirects=True, limits=limits)
        self.page: Any = None

    def open(self, address: str) -> httpx2.Response:
        """The page at which this ends."""
        self.page = self._http.get(address if "://" in address else self._place.url + address)
        return self._onward()

    def post(self, address: str = "", **typed: str) -> httpx2.Response:
        """Send the form of this page."""
        here = str(self.page.url)
        to = self._place.url + address if address else here
        origin = "/".join(to.split("/")[:3])
        fields = {**dict(_HIDDEN.findall(self.page.text)), **typed}
        self.page = self._http.post(to, data=fields, headers={"origin": origin, "sec-fetch-site": "same-origin"})
        return self._onward()

    def sign_in(self, role: str, to: str = "/dashboard", *, strong: bool = False) -> httpx2.Response:
        """The whole way by the gateway; with a second factor where `strong`."""
        person = self._place.people[role]
        self.open(f"/operator/begin?to={to}" + ("&fresh=1" if strong else ""))
        self.post(username=person.username, password=person.password)
        if strong:
            self.post(code=self._place.code(person))
        return self.page

    def _onward(self) -> httpx2.Response:
        while found := _ONWARD.search(self.page.text):
            self.page = self._http.get(urljoin(str(self.page.url), unescape(found[1])))
        return self.page
