"""Hostile requests against every door of the OpenID provider, over real sockets: no 500, no secret echoed, no crash."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

from auth_gateway.core.provider.client import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, REFRESH_TOKEN
from tests.contract.hostile import CANARY_PASSWORD, CANARY_TOKEN, Endpoint, hostile_requests
from tests.contract.hostile_forms import Door, hostile_forms
from tests.contract.test_hostile_requests import exchange
from tests.running_provider import REDIRECT_URI, RunningProvider, running_provider

FORMS, JSON = 48, 18
GRANTS = (AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN, DEVICE_CODE)
AUTHORIZE = {
    "response_type": "code", "client_id": "app", "redirect_uri": REDIRECT_URI, "scope": "openid profile",
    "state": "s", "nonce": "n", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256", "prompt": "login", "max_age": "10", "acr_values": "aal2", "login_hint": "alice",
    "claims": "{}", "id_token_hint": CANARY_TOKEN, "dpop_jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
}  # fmt: skip
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REFRESH = {"grant_type": REFRESH_TOKEN, "refresh_token": CANARY_TOKEN, "scope": "openid"}
CODE = {
    "grant_type": AUTHORIZATION_CODE, "code": CANARY_TOKEN, "redirect_uri": REDIRECT_URI, "code_verifier": "a" * 43,
}  # fmt: skip
DEVICE = {"grant_type": DEVICE_CODE, "device_code": CANARY_TOKEN}
OWN = {"grant_type": CLIENT_CREDENTIALS, "scope": "read"}
ASSERTED = {**OWN, "client_id": "signer", "client_assertion_type": ASSERTION_TYPE, "client_assertion": CANARY_TOKEN}
TOKEN = {"token": CANARY_TOKEN, "token_type_hint": "access_token"}
LOGOUT = {
    "id_token_hint": CANARY_TOKEN,
    "post_logout_redirect_uri": "https://a.example",
    "state": "s",
    "client_id": "app",
}
CARD = {
    "csrf": CANARY_TOKEN,
    "card": "password",
    "username": "alice",
    "password": CANARY_PASSWORD,
    "code": "1",
    "answer": "yes",
}
USER_CODE = {"user_code": "BCDF-GHJK", "csrf": CANARY_TOKEN, "card": "device"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    """A provider with one application, `app`."""
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


def doors(provider: RunningProvider) -> list[Door]:
    """Every address, as a stranger and as an application that has proven itself."""
    app = provider.client("app", grant_types=GRANTS, may_introspect=True)
    basic = "authorization: Basic " + base64.b64encode(f"app:{app['secret']}".encode()).decode()
    token = [Door("POST", "/token", fields, (basic,)) for fields in (REFRESH, CODE, DEVICE, OWN)]
    known = [
        Door("POST", path, fields, (basic,))
        for path, fields in (
            ("/par", AUTHORIZE),
            ("/introspect", TOKEN),
            ("/revoke", TOKEN),
            ("/device_authorization", {"scope": "openid", "acr_values": "aal2"}),
        )
    ]
    return [
        *token,
        Door("POST", "/token", ASSERTED),
        Door("POST", "/token", {**CODE, "client_id": "app"}),
        *known,
        Door("POST", "/introspect", {**TOKEN, "client_id": "app"}),
        Door("GET", "/authorize", AUTHORIZE),
        Door("POST", "/authorize", AUTHORIZE),
        Door(
            "GET",
            "/authorize",
            {"client_id": "app", "request_uri": f"urn:ietf:params:oauth:request_uri:{CANARY_TOKEN}"},
        ),
        Door("GET", "/userinfo", {}, (f"authorization: Bearer {CANARY_TOKEN}",)),
        Door("POST", "/userinfo", {"access_token": CANARY_TOKEN}),
        Door("GET", "/logout", LOGOUT),
        Door("POST", "/logout", {**LOGOUT, "csrf": CANARY_TOKEN, "answer": "out"}),
        Door("GET", "/device", USER_CODE),
        Door("POST", "/device", USER_CODE),
        Door("GET", "/sign-in/unknown", {}),
        Door("POST", "/sign-in/unknown", CARD),
        *_interaction(provider),
        Door("GET", "/.well-known/openid-configuration", {}),
        Door("GET", "/.well-known/oauth-authorization-server", {}),
        Door("GET", "/assets/pages.css", {}),
    ]


def _interaction(provider: RunningProvider) -> list[Door]:
    """The sign-in page of a browser that is on its way, with its cookie and a right form."""
    asked = {name: value for name, value in AUTHORIZE.items() if name not in {"id_token_hint", "dpop_jkt"}}
    with provider.http() as http:
        sent_on = http.get(f"/authorize?{urlencode(asked)}")
        assert sent_on.status_code == 303, sent_on.text
        path = urlsplit(sent_on.headers["location"]).path
        page = http.get(path)
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf is not None
    headers = (f"cookie: {cookie}", f"origin: {provider.issuer}", "sec-fetch-site: same-origin")
    return [Door("GET", path, {}, headers), Door("POST", path, {**CARD, "csrf": csrf[1]}, headers)]


def trouble(provider: RunningProvider, door: Door, seed: int) -> list[str]:
    """What went wrong, one line each."""
    port, wrong = urlsplit(provider.issuer).port or 0, []
    fields: dict[str, object] = dict(door.fields)
    authorization = next((line.partition(": ")[2] for line in door.headers if line.startswith("authorization")), "")
    endpoint = Endpoint(door.method, door.path, fields or {"a": "b"}, authorization)
    requests = [*hostile_forms(door, FORMS, seed), *hostile_requests(endpoint, JSON, seed)]
    for number, request in enumerate(requests):
        answer = exchange(port, request)
        head = answer.partition(b"\r\n\r\n")[0]
        status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
        where = f"{door.method} {door.path} #{number} seed {seed}"
        if status >= 500 and status != 503:
            wrong.append(f"{where}: {status} for {request[:600]!r}")
        echoed = [canary for canary in (CANARY_PASSWORD, CANARY_TOKEN) if canary.encode() in answer]
        wrong.extend(f"{where}: echoed {canary} in {answer[:600]!r} for {request[:300]!r}" for canary in echoed)
    return wrong


def test_the_provider_survives_strangers(provider: RunningProvider) -> None:
    """Every door answers hostile bytes with a 4xx, echoes no secret, and the log knows of no crash."""
    wrong = [line for seed, door in enumerate(doors(provider)) for line in trouble(provider, door, seed)]
    assert wrong == []
    log = provider.log.read_text()
    assert '"level":"error"' not in log, log[-3000:]
    assert not [canary for canary in (CANARY_PASSWORD, CANARY_TOKEN) if canary in log]
    with provider.http() as http:
        assert http.get("/health").status_code == 200
