"""An application that signs people in at the gateway by OpenID Connect, as any standard client would: authorization
code with PKCE, tokens checked against the published keys, logout from either side.

Usage: python -m demo.application PORT ISSUER CLIENT_ID, with the client's secret in DEMO_CLIENT_SECRET. It keeps its
sessions in memory and speaks plain HTTP on this machine: to look at, not to copy into production.
"""

import base64
import hashlib
import html
import os
import secrets
import sys
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LARGEST_BODY = 64 * 1024
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo application</title>
<meta name="viewport" content="width=device-width"><h1>Demo application</h1>{body}</html>"""


@dataclass
class Relying:
    """What the application knows: the provider's document and keys, sign-ins under way, and who is signed in."""

    issuer: str
    client_id: str
    secret: str
    base_url: str
    http: httpx2.Client
    under_way: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        if not self.known:
            self.known = self.http.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status().json()
            if self.known["issuer"] != self.issuer:
                raise ValueError("another issuer's document")
        return self.known

    def begin(self, level: str | None) -> str:
        """Where to send the browser."""
        state, verifier, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        self.under_way[state] = {"verifier": verifier, "nonce": nonce}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": f"{self.base_url}/callback",
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"acr_values": level} if level else {}),
        }
        return f"{self.document()['authorization_endpoint']}?{urlencode(asked)}"

    def finish(self, answer: dict[str, str]) -> str:
        """The key of the new session of ours.

        Raises: ValueError when the answer is not to a request of ours, or its tokens are not what they should be.
        """
        asked = self.under_way.pop(answer.get("state", ""), None)
        if asked is None or answer.get("iss") != self.issuer or "code" not in answer:
            raise ValueError(answer.get("error", "an answer that nobody asked for"))
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": f"{self.base_url}/callback",
            "code_verifier": asked["verifier"],
        }
        tokens = self.http.post(self.document()["token_endpoint"], data=form, auth=(self.client_id, self.secret))
        if tokens.status_code != HTTPStatus.OK:
            raise ValueError(tokens.json().get("error", "no tokens"))
        claims = self.checked(tokens.json()["id_token"])
        if claims.get("nonce") != asked["nonce"]:
            raise ValueError("an ID token of another request")
        bearer = {"authorization": f"Bearer {tokens.json()['access_token']}"}
        person = self.http.get(self.document()["userinfo_endpoint"], headers=bearer).raise_for_status().json()
        key = secrets.token_urlsafe(24)
        self.people[key] = {**claims, **person, "id_token": tokens.json()["id_token"]}
        return key

    def checked(self, token: str) -> dict[str, Any]:
        """The claims of a token of the provider for this application."""
        keys = KeySet.import_key_set(self.http.get(self.document()["jwks_uri"]).json())
        try:
            claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.issuer}, aud={"essential": True, "value": self.client_id}
            ).validate(claims)
        except JoseError as error:
            raise ValueError(f"a token that is not the provider's ({error})") from None
        return dict(claims)

    def forget(self, logout_token: str) -> None:
        """The provider says that a session is over."""
        claims = self.checked(logout_token)
        if LOGOUT_EVENT not in claims.get("events", {}) or "nonce" in claims:
            raise ValueError("no logout token")
        for key in [key for key, person in self.people.items() if person.get("sid") == claims.get("sid")]:
            del self.people[key]

    def logout_address(self, key: str) -> str:
        """Where to send the browser so that the provider's session ends too."""
        person = self.people.pop(key)
        asked = {"id_token_hint": person["id_token"], "post_logout_redirect_uri": f"{self.base_url}/"}
        return f"{self.document()['end_session_endpoint']}?{urlencode(asked)}"


class Application(BaseHTTPRequestHandler):
    """Its pages; `relying` is set by `main`."""

    relying: Relying

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/sign-in":
            self.redirect(self.relying.begin(asked.get("level")))
        elif address.path == "/callback":
            self.callback(asked)
        elif address.path == "/sign-out" and self.key() in self.relying.people:
            self.redirect(self.relying.logout_address(self.key()))
        elif address.path == "/":
            self.home()
        else:
            self.show(HTTPStatus.NOT_FOUND, "<p>There is nothing here.</p>")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        form = parse_qs(self.rfile.read(length).decode("ascii", "replace")) if 0 < length <= LARGEST_BODY else {}
        try:
            self.relying.forget(form.get("logout_token", [""])[0])
        except ValueError:
            self.show(HTTPStatus.BAD_REQUEST, "<p>No.</p>")
            return
        self.show(HTTPStatus.OK, "")

    def callback(self, answer: dict[str, str]) -> None:
        try:
            key = self.relying.finish(answer)
        except ValueError as error:
            self.show(HTTPStatus.BAD_REQUEST, f"<p>Not signed in: {html.escape(str(error))}.</p>")
            return
        self.redirect("/", cookie=f"application={key}; Path=/; HttpOnly; SameSite=Lax")

    def home(self) -> None:
        person = self.relying.people.get(self.key())
        if person is None:
            self.show(HTTPStatus.OK, '<p>Nobody is signed in.</p><p><a href="/sign-in">Sign in</a></p>')
            return
        shown = {name: person.get(name) for name in ("sub", "name", "acr", "amr", "sid")}
        facts = "".join(f"<dt>{name}<dd>{html.escape(str(value))}" for name, value in shown.items())
        links = '<p><a href="/sign-in?level=aal2">Step up</a> · <a href="/sign-out">Sign out</a></p>'
        self.show(HTTPStatus.OK, f"<dl>{facts}</dl>{links}")

    def key(self) -> str:
        morsel = SimpleCookie(self.headers.get("cookie", "")).get("application")
        return morsel.value if morsel else ""

    def show(self, status: int, body: str) -> None:
        page = PAGE.format(body=body).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("cache-control", "no-store")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def redirect(self, where: str, cookie: str | None = None) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("location", where)
        self.send_header("content-length", "0")
        if cookie:
            self.send_header("set-cookie", cookie)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Addresses hold codes; nothing of them is logged."""


def main() -> None:
    port, issuer, client_id = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    http = httpx2.Client(trust_env=False, timeout=10.0)
    relying = Relying(issuer, client_id, os.environ["DEMO_CLIENT_SECRET"], f"http://localhost:{port}", http)
    Application.relying = relying
    ThreadingHTTPServer(("127.0.0.1", port), Application).serve_forever()


if __name__ == "__main__":
    main()
