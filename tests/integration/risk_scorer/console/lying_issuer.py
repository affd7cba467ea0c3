"""An issuer on a real socket that signs people in as it is told: rightly, or with any lie that a test wants."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

KEY, FOREIGN_KEY = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
CLIENT = "console"
SECRET = "rgc_test"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Issuer:
    """`claims` are put over the right ones (None takes one away), `header` over the right header; `token` in place of
    the whole. `status`, `body` and `hangs` are of the token endpoint."""

    now: float
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    key: Any = KEY
    algorithm: str | None = "ES256"
    status: int = 200
    body: bytes | None = None
    hangs: threading.Event | None = None
    has_keys: bool = True
    nonce: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    def id_token(self) -> str:
        """What the next code is worth."""
        return self.signed(
            {
                "azp": CLIENT,
                "auth_time": int(self.now),
                "acr": "aal2",
                "sid": "ses-1",
                "nonce": self.nonce,
                "preferred_username": "mara",
            },
            "JWT",
        )

    def logout_token(self) -> str:
        """What a session's end is told with."""
        return self.signed({"jti": "j1", "sid": "ses-1", "events": {LOGOUT_EVENT: {}}}, "logout+jwt")

    def signed(self, more: dict[str, Any], kind: str) -> str:
        given = {"iss": self.url, "sub": "id-mara", "aud": CLIENT, "iat": int(self.now), "exp": int(self.now) + 120}
        claims = {name: value for name, value in {**given, **more, **self.claims}.items() if value is not None}
        header = {"kid": "k1", "typ": kind, **self.header}
        key = None if self.algorithm == "none" else self.key
        return jwt.encode(claims, key, algorithm=self.algorithm, headers=header)

    def keys(self) -> bytes:
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
        return json.dumps({"keys": [{**public, "kid": "k1", "alg": "ES256"}]}).encode()

    def heard(self, page: str) -> dict[str, str]:
        """The parameters of the request that a page goes on with, as the issuer reads them."""
        asked = parse_qs(urlsplit(page).query, strict_parsing=True)
        found = {name: value for name, (value,) in asked.items()}
        self.nonce = found["nonce"]
        return found


@contextmanager
def lying_issuer(now: float) -> Iterator[Issuer]:
    """Up until the block ends."""
    issuer = Issuer(now)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(issuer))
    server.daemon_threads = True
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield issuer
    if issuer.hangs is not None:
        issuer.hangs.set()
    server.shutdown()
    server.server_close()


def _handler(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(200 if issuer.has_keys else 503, issuer.keys())

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            form = parse_qs(self.rfile.read(length).decode())
            issuer.forms.append({name: values[0] for name, values in form.items()})
            issuer.credentials.append(self.headers.get("authorization", ""))
            if issuer.hangs is not None:
                issuer.hangs.wait(10)
            tokens = {"access_token": "x", "token_type": "Bearer", "expires_in": 900, "id_token": issuer.id_token()}
            self.say(issuer.status, json.dumps(tokens).encode() if issuer.body is None else issuer.body)

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                time.sleep(0)  # it went away, as it may

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
