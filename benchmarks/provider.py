"""The OpenID provider against its peer: applications' own tokens and refreshes a second, and a whole code flow.

Both sign ES256 with one core, both keep the application's secret, and both turn every refresh token over; ours writes
each answer durably before it leaves, the peer keeps everything in memory.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from rich.console import Console

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.provider.authorization import AuthorizationCode, BrowserSession
from auth_gateway.core.provider.client import OPENID_SCOPES, RegisteredClient
from auth_gateway.core.rotation import digest
from auth_gateway.settings import load_settings
from benchmarks import peer_server
from benchmarks.home import Home
from benchmarks.load import NextRequest, load, repeated, request_bytes
from benchmarks.report import Figure, short
from benchmarks.servers import cpu_seconds
from demo.people import USUAL
from plumbing.credentials import new_credential
from plumbing.statements import Transaction

CLIENTS = 16
SERVER_CORE, LOAD_CORE = 0, 1
CLIENT_ID = "bench"
REDIRECT_URI = "https://app.example/callback"
SCOPE = "openid offline_access read"
# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
FORM = "application/x-www-form-urlencoded"


def form_request(fields: dict[str, str], *, client_id: str, secret: str) -> bytes:
    """A token request as applications send it."""
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": FORM}
    return request_bytes("POST", "/token", urlencode(fields).encode(), headers)


@dataclass(frozen=True)
class Side:
    """One of the two under load."""

    port: int
    pid: int
    client_id: str
    secret: str

    def own_tokens(self, seconds: float) -> tuple[float, float]:
        """Applications' own tokens: how many a second, and microseconds of the core for each."""
        grant = {"grant_type": "client_credentials", "scope": "read"}
        request = form_request(grant, client_id=self.client_id, secret=self.secret)
        return self._measured(repeated(request, CLIENTS), seconds)

    def refreshes(self, tokens: list[str], seconds: float) -> tuple[float, float]:
        """The same of refreshes, each client with a chain of its own."""
        return self._measured([self._chain(token) for token in tokens], seconds)

    def _measured(self, clients: list[NextRequest], seconds: float) -> tuple[float, float]:
        before = cpu_seconds(self.pid)
        result = load(self.port, clients, seconds, core=LOAD_CORE)
        if set(result.statuses) != {200}:
            raise AssertionError(dict(result.statuses))
        return result.rate, (cpu_seconds(self.pid) - before) / result.statuses[200] * 1e6

    def _chain(self, first: str) -> NextRequest:
        def following(status: int, body: bytes) -> bytes:
            token = json.loads(body)["refresh_token"] if status == 200 else first
            grant = {"grant_type": "refresh_token", "refresh_token": token}
            return form_request(grant, client_id=self.client_id, secret=self.secret)

        return following


@dataclass(frozen=True)
class Ours:
    """Our side, and its state as an operator's command opens it."""

    port: int
    secret: str
    gateway: Gateway

    def session(self) -> str:
        """A new session of Alice's."""
        answer = httpx2.post(f"http://127.0.0.1:{self.port}/login", json=USUAL.body(), timeout=20, trust_env=False)
        token = answer.raise_for_status().json()["tokens"]["access_token"]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        session_id: str = claims["sid"]
        return session_id

    def refresh_tokens(self, count: int) -> list[str]:
        """Of one session a token each, by codes that are put where the authorization endpoint puts them."""
        session_id, now = self.session(), self.gateway.clock.now()
        codes = [self.gateway.randomness.token(32) for _ in range(count)]
        for code in codes:
            row = AuthorizationCode(
                code_digest=digest(code),
                client_id=CLIENT_ID,
                session_id=session_id,
                redirect_uri=REDIRECT_URI,
                scope=SCOPE,
                code_challenge=CHALLENGE,
                created_at=now,
                expires_at=now + 60,
            )
            self.gateway.database.write_sync(partial(self._add, row))
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20, trust_env=False) as http:
            return [str(self.redeemed(http, code)["refresh_token"]) for code in codes]

    def _add(self, code: AuthorizationCode, tx: Transaction) -> None:
        self.gateway.provider.codes.add(tx, code)

    def redeemed(self, http: httpx2.Client, code: str) -> dict[str, str]:
        """The tokens for a code."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        answer = http.post("/token", data={**fields, "code_verifier": VERIFIER}, auth=(CLIENT_ID, self.secret))
        tokens: dict[str, str] = answer.raise_for_status().json()
        return tokens

    def browser(self) -> dict[str, str]:
        """The cookie of a browser at which Alice is signed in."""
        session_id, now = self.session(), self.gateway.clock.now()
        value = self.gateway.randomness.token(32)
        row = BrowserSession(
            token_digest=digest(value),
            browser_id=self.gateway.randomness.uuid(),
            session_id=session_id,
            user_id="alice",
            created_at=now,
            expires_at=now + 3600,
        )
        self.gateway.database.write_sync(lambda tx: self.gateway.provider.browser_sessions.add(tx, row))
        return {"session": value}

    def code_flows(self, seconds: float) -> list[float]:
        """Milliseconds from the authorization request to the tokens, one after the other, at a signed-in browser."""
        query = urlencode(
            {
                "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "scope": SCOPE,
                "code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s", "nonce": "n",
            }
        )  # fmt: skip
        taken: list[float] = []
        deadline = time.perf_counter() + seconds
        address = f"http://127.0.0.1:{self.port}"
        headers = {"user-agent": USUAL.context["user_agent"]}
        with (
            httpx2.Client(
                base_url=address, timeout=20, trust_env=False, cookies=self.browser(), headers=headers
            ) as web,
            httpx2.Client(base_url=address, timeout=20, trust_env=False) as application,
        ):
            while time.perf_counter() < deadline:
                began = time.perf_counter()
                answer = web.get(f"/authorize?{query}")
                code = parse_qs(urlsplit(answer.headers.get("location", "")).query).get("code")
                if code is None:
                    raise AssertionError(f"no code: {answer.status_code} {answer.headers.get('location')}")
                self.redeemed(application, code[0])
                taken.append((time.perf_counter() - began) * 1000)
        return taken


Pairs = tuple[list[tuple[float, float]], list[tuple[float, float]]]
"""Rate and microseconds of each round, ours and the peer's."""


def _figures(name: str, baseline: str, found: Pairs) -> Iterator[Figure]:
    (our_rates, our_costs), (their_rates, their_costs) = (tuple(zip(*side, strict=True)) for side in found)
    yield Figure(name, "a second", baseline, our_rates, their_rates, "≥ 2×")
    yield Figure(f"{name}: core each", "µs", baseline, our_costs, their_costs, "≥ 2×", more_is_better=False)


def registered(gateway: Gateway) -> str:
    """Registers the application under measurement; its secret."""
    secret, stored = new_credential(gateway.randomness, "rgc")
    client = RegisteredClient(
        client_id=CLIENT_ID,
        grant_types=("authorization_code", "refresh_token", "client_credentials"),
        redirect_uris=(REDIRECT_URI,),
        scopes=(*OPENID_SCOPES, "read"),
    )
    gateway.database.write_sync(lambda tx: gateway.clients.add(tx, client, stored, gateway.clock.now()))
    return secret


def measure(rounds: int, seconds: float, console: Console) -> Iterator[Figure]:
    """Both sides in turns on the same core; the code flow's own figure is printed, as the peer has no like of it."""
    own: Pairs = ([], [])
    refresh: Pairs = ([], [])
    with (
        Home() as home,
        home.scorer(core=LOAD_CORE) as scorer,
        home.gateway(scorer, cores={SERVER_CORE}) as address,
        peer_server.peer(SERVER_CORE) as peer,
    ):
        settings = load_settings(
            auth_gateway_state=home.state / "gateway",
            auth_gateway_profile="demo",
            jwt_issuer=f"http://localhost:{address.port}",
        )
        gateway = assemble(settings)
        try:
            ours = Ours(address.port, registered(gateway), gateway)
            sides = (
                Side(ours.port, address.pid, CLIENT_ID, ours.secret),
                Side(peer.port, peer.pid, peer_server.CLIENT_ID, peer_server.SECRET),
            )
            for _ in range(rounds):
                for side, found in zip(sides, own, strict=True):
                    found.append(side.own_tokens(seconds))
                tokens = ours.refresh_tokens(CLIENTS), peer.refresh_tokens(CLIENTS)
                for side, firsts, found in zip(sides, tokens, refresh, strict=True):
                    found.append(side.refreshes(firsts, seconds))
            flows = sorted(ours.code_flows(seconds))
        finally:
            gateway.close()
    name = peer_server.version()
    yield from _figures("client_credentials, durable", f"in memory, {name}", own)
    yield from _figures("refresh with ID token, durable", f"in memory, {name}", refresh)
    console.print(
        f"code flow at a signed-in browser, from the authorization request to the tokens, {len(flows)} in turn: "
        f"p50 {short(flows[len(flows) // 2])} ms, p95 {short(flows[int(len(flows) * 0.95)])} ms"
    )
