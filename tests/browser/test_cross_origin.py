"""An application that is nothing but a page: real Chromium decides what it may read of the gateway's answers."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from auth_gateway.core.provider.client import RegisteredClient
from tests.browser.place import enter_password, running_gateway
from tests.stories.gateway.relying_party import VERIFIER, asked
from tests.stories.gateway.story import PASSWORD

pytestmark = pytest.mark.browser

# The application's own script: discovery, then the code, then the claims, as any client library does it.
SIGN_IN = """async ([issuer, form]) => {
  const known = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const keys = await (await fetch(known.jwks_uri)).json();
  const tokens = await (await fetch(known.token_endpoint, {method: 'POST', body: new URLSearchParams(form)})).json();
  const headers = {authorization: `Bearer ${tokens.access_token}`};
  const claims = await (await fetch(known.userinfo_endpoint, {headers})).json();
  return {issuer: known.issuer, keys: keys.keys.length, sub: claims.sub, tokens};
}"""
# The same with a key that no script can take away (RFC 9449): its proofs are a header, so the browser asks first.
SIGN_IN_BOUND = """async ([issuer, form]) => {
  const b64 = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const text = value => new TextEncoder().encode(value);
  const how = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
  const pair = await crypto.subtle.generateKey(how, false, ['sign']);
  const {kty, crv, x, y} = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const proof = async (htm, htu, more) => {
    const said = {jti: crypto.randomUUID(), htm, htu, iat: Math.floor(Date.now() / 1000), ...more};
    const head = {typ: 'dpop+jwt', alg: 'ES256', jwk: {kty, crv, x, y}};
    const input = [head, said].map(part => b64(text(JSON.stringify(part)))).join('.');
    return `${input}.${b64(await crypto.subtle.sign(how, pair.privateKey, text(input)))}`;
  };
  const [token, userinfo] = [`${issuer}/token`, `${issuer}/userinfo`];
  const answer = await fetch(token, {
    method: 'POST', headers: {dpop: await proof('POST', token, {})}, body: new URLSearchParams(form)});
  const tokens = await answer.json();
  const ath = b64(await crypto.subtle.digest('SHA-256', text(tokens.access_token)));
  const headers = {authorization: `DPoP ${tokens.access_token}`, dpop: await proof('GET', userinfo, {ath})};
  return {type: tokens.token_type, sub: (await (await fetch(userinfo, {headers})).json()).sub};
}"""
# What a page gets to read: status, error and the challenge, or that the browser keeps the answer to itself.
READ = """async ([address, how]) => {
  if (how.form) how.body = new URLSearchParams(how.form);
  try {
    const answer = await fetch(address, how);
    const {error} = await answer.json().catch(() => ({}));
    return [answer.status, error ?? null, answer.headers.get('www-authenticate')];
  } catch (problem) { return problem.name; }
}"""
KEPT = "TypeError"


@dataclass
class Place:
    """A gateway at `localhost`, and two pages at other ports of this machine; only one of them is registered."""

    issuer: str
    application: str
    stranger: str

    def code(self, page: Page) -> dict[str, str]:
        """Alice signs in and is back at the application; what its page redeems."""
        callback = f"{self.application}/cb"
        page.goto(f"{self.issuer}/authorize?{urlencode(asked('spa', redirect_uri=callback))}")
        enter_password(page)
        page.wait_for_url(f"{callback}?**")
        (code,) = parse_qs(urlsplit(page.url).query)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback}
        return {**form, "code_verifier": VERIFIER, "client_id": "spa"}


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>App</title><link rel=icon href='data:,'><h1>A page</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served_page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Alice, and an application without a server of its own."""
    with ExitStack() as stack:
        application, stranger = (stack.enter_context(served_page()) for _ in range(2))
        client = RegisteredClient(
            client_id="spa",
            application_type="native",
            token_endpoint_auth_method="none",
            grant_types=("authorization_code", "refresh_token"),
            redirect_uris=(f"{application}/cb",),
        )
        gateway, _scorer = stack.enter_context(running_gateway(tmp_path_factory.mktemp("gateway") / "state", "alice"))
        gateway.database.write_sync(lambda tx: gateway.clients.add(tx, client, b"", 0.0))
        yield Place(gateway.settings.jwt_issuer, application, stranger)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty page of a browser that was never here."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def read(page: Page, address: str, **how: Any) -> Any:
    return page.evaluate(READ, [address, how])


def test_a_page_signs_a_person_in_by_itself(page: Page, place: Place) -> None:
    """Discovery, keys, tokens and claims, from another origin, without a server between."""
    form = place.code(page)
    found = page.evaluate(SIGN_IN, [place.issuer, form])
    assert (found["issuer"], found["sub"]) == (place.issuer, "id-alice")
    assert found["keys"] >= 1
    refresh = {"grant_type": "refresh_token", "refresh_token": found["tokens"]["refresh_token"], "client_id": "spa"}
    assert read(page, f"{place.issuer}/token", method="POST", form=refresh) == [200, None, None]


def test_a_page_holds_a_key_of_its_own(page: Page, place: Place) -> None:
    """Tokens that are worth nothing without it; the browser asks before it sends the proof."""
    assert page.evaluate(SIGN_IN_BOUND, [place.issuer, place.code(page)]) == {"type": "DPoP", "sub": "id-alice"}


def test_a_page_reads_why_it_was_refused(page: Page, place: Place) -> None:
    """The error in the body, and the challenge in its header."""
    page.goto(place.application)
    form = {"grant_type": "authorization_code", "client_id": "spa"}
    assert read(page, f"{place.issuer}/token", method="POST", form=form) == [400, "invalid_request", None]
    bearer = {"authorization": "Bearer none"}
    status, error, challenge = read(page, f"{place.issuer}/userinfo", headers=bearer)
    assert (status, error) == (401, "invalid_token")
    assert challenge.startswith("Bearer ")


def test_a_page_that_nobody_registered_reads_nothing(page: Page, place: Place) -> None:
    """Neither what it may send without asking, nor what its browser asks for first, not even with good tokens."""
    tokens = page.evaluate(SIGN_IN, [place.issuer, place.code(page)])["tokens"]
    page.goto(place.stranger)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "spa"}
    for path in ("/token", "/revoke", "/par", "/device_authorization"):
        assert read(page, place.issuer + path, method="POST", form={**form, "token": "none"}) == KEPT
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert read(page, f"{place.issuer}/userinfo", headers=bearer) == KEPT
    assert read(page, f"{place.issuer}/.well-known/jwks.json")[0] == 200


def test_cookies_open_nothing_for_any_page(page: Page, place: Place) -> None:
    """A request that takes them along is not read, and where they count no page reads at all."""
    place.code(page)
    form = {"grant_type": "authorization_code", "client_id": "spa"}
    token = f"{place.issuer}/token"
    assert read(page, token, method="POST", form=form, credentials="include") == KEPT
    quiet = f"{place.issuer}/authorize?{urlencode(asked('spa', redirect_uri=f'{place.application}/cb', prompt='none'))}"
    for address in (quiet, f"{place.issuer}/logout", f"{place.issuer}/health"):
        assert read(page, address, credentials="include") == KEPT
    login = {"username": "alice", "password": PASSWORD}
    assert read(page, f"{place.issuer}/login", method="POST", form=login) == KEPT
