"""A browser with a cookie jar, and an application that sends it to the gateway and redeems what comes back."""

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from auth_gateway.core.provider.client import RegisteredClient
from plumbing.credentials import new_credential
from tests.stories.gateway.story import HOME, NOW, PASSWORD, Story

ISSUER = "https://id.example"
CALLBACK = "https://app.example/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

GRANTS = ("authorization_code", "refresh_token")

FOREIGN_SCRIPT = re.compile(r'<script(?! src="/assets/[a-z-]+\.js\?v=[0-9a-f]{12}" defer></script>)')
"""What a page must not have: a script that is no file of ours."""
_PASSKEY_OPTIONS = re.compile(r'data-options="[^"]*"')


def without_chance(page: str) -> str:
    """A page's text without what differs from one time to the next: the challenge for passkeys."""
    return _PASSKEY_OPTIONS.sub("", page)


def registered(story: Story, client_id: str = "app", **registration: Any) -> str:
    """Register an application; its secret, "" for one without."""
    given = {
        "client_name": "Example App",
        "grant_types": GRANTS,
        "redirect_uris": (CALLBACK,),
        **registration,
    }
    client = RegisteredClient(client_id=client_id, **given)
    secret, digest = new_credential(story.gateway.randomness, "rgc")
    kept = digest if client.token_endpoint_auth_method == "client_secret_basic" else b""
    assert story.gateway.database.write_sync(lambda tx: story.gateway.clients.add(tx, client, kept, NOW))
    return secret


def asked(client_id: str = "app", **changed: Any) -> dict[str, str]:
    """The parameters of an authorization request."""
    given = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "st",
        "nonce": "no",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changed,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


@dataclass
class Browser:
    """Keeps cookies as a browser does, and remembers the page it is at."""

    story: Story
    peer: str = HOME
    agent: str = "Firefox"
    cookies: dict[str, str] = field(default_factory=dict)
    page: httpx2.Response | None = None
    where: str = ""

    def ask(self, method: str, address: str, **options: Any) -> httpx2.Response:
        headers = {"user-agent": self.agent, **options.pop("headers", {})}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self.story.ask(method, address, peer=self.peer, headers=headers, **options)
        for set_cookie in response.headers.get_list("set-cookie"):
            name, _, rest = set_cookie.partition("=")
            value = rest.partition(";")[0]
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return response

    def follow(self, response: httpx2.Response) -> httpx2.Response:
        """Follow redirects while they stay with the gateway."""
        while response.status_code == 303 and response.headers["location"].startswith(ISSUER):
            self.where = response.headers["location"]
            response = self.ask("GET", self.where)
        self.page = response
        return response

    def authorize(self, client_id: str = "app", **changed: Any) -> httpx2.Response:
        """Sent by the application; the page or the way back that this ends at."""
        return self.follow(self.ask("GET", f"{ISSUER}/authorize?{urlencode(asked(client_id, **changed))}"))

    def fields(self) -> dict[str, str]:
        """What the form of this page brings back unseen."""
        assert self.page is not None
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', self.page.text))

    def post(self, headers: dict[str, str] | None = None, **typed: str) -> httpx2.Response:
        """Send the form of this page."""
        data = {**self.fields(), **typed}
        given = {"origin": ISSUER, "sec-fetch-site": "same-origin", **(headers or {})}
        return self.follow(self.ask("POST", self.where, data=data, headers=given))

    def password(self, username: str = "alice", password: str = PASSWORD) -> httpx2.Response:
        return self.post(username=username, password=password)

    def code(self, code: str | None = None) -> httpx2.Response:
        return self.post(code=self.story.code() if code is None else code)

    def sign_in(self, username: str = "alice", client_id: str = "app", **changed: Any) -> dict[str, str]:
        """The whole way by password; what the application gets."""
        self.authorize(client_id, **changed)
        return returned(self.password(username))


def returned(response: httpx2.Response) -> dict[str, str]:
    """What the application finds in the address that the browser comes back to."""
    assert response.status_code == 303, (response.status_code, response.text)
    location = response.headers["location"]
    assert location.startswith(CALLBACK + "?"), location
    query = parse_qs(urlsplit(location).query, strict_parsing=True)
    assert query["iss"] == [ISSUER]
    return {name: value for name, (value,) in query.items() if name != "iss"}


def redeem(story: Story, code: str, *, client_id: str = "app", secret: str = "", **options: Any) -> httpx2.Response:
    """The application's own request."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    if secret:
        options["auth"] = (client_id, secret)
    else:
        form["client_id"] = client_id
    return story.ask("POST", f"{ISSUER}/token", data=form, **options)
