"""Another provider: it signs Security Event Tokens with PyJWT, which no code of ours uses to read them, and publishes
its keys on a socket that may fail.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auth_gateway.core.ssf.effects import effects_said
from auth_gateway.core.ssf.transmitter import Transmitter
from auth_gateway.signals import signal_sources
from tests.stories.gateway.applications import ISSUER
from tests.stories.gateway.signals import CAEP, RISC
from tests.stories.gateway.story import NOW, Story

THEIRS = "https://other.example/ssf"
US = "https://id.example/ssf/events/other"
REVOKED = f"{CAEP}session-revoked"
COMPROMISED = f"{RISC}credential-compromise"
_numbers = count(1)


def alice(issuer: str = ISSUER) -> dict[str, Any]:
    """She, as ID tokens name her."""
    return {"format": "iss_sub", "iss": issuer, "sub": "id-alice"}


@dataclass
class OtherProvider:
    """One signing key of each kind, by the algorithm that it signs with."""

    keys: dict[str, Any] = field(
        default_factory=lambda: {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "RS256": rsa.generate_private_key(65537, 2048),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }
    )

    def __post_init__(self) -> None:
        self.keys.setdefault("PS256", self.keys.get("RS256"))

    def jwks(self) -> str:
        """Its public keys, each named by its algorithm; RSA has one for both."""
        published = []
        for name, key in self.keys.items():
            if name != "PS256":
                jwk = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
                published.append({**jwk, "kid": name, "use": "sig"})
        return json.dumps({"keys": published})

    def claims(self, event: str = REVOKED, payload: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Those of a token made now; None takes one away."""
        known = {
            "iss": THEIRS,
            "aud": US,
            "iat": int(NOW),
            "jti": f"jti-{next(_numbers)}",
            "sub_id": alice(),
            "events": {event: {"event_timestamp": int(NOW)} | (payload or {})},
        }
        return {name: value for name, value in {**known, **changes}.items() if value is not None}

    def token(self, event: str = REVOKED, payload: dict[str, Any] | None = None, **changes: Any) -> str:
        return self.signed(self.claims(event, payload, **changes))

    def signed(self, claims: Any, algorithm: str = "ES256", **header: Any) -> str:
        kid = "RS256" if algorithm == "PS256" else algorithm
        headers = {"typ": "secevent+jwt", "kid": kid, **header}
        headers = {name: value for name, value in headers.items() if value is not None}
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        return jwt.api_jws.encode(payload, self.keys[algorithm], algorithm=algorithm, headers=headers)


def added(story: Story, other: OtherProvider, on: dict[str, str] | None = None, **terms: Any) -> Transmitter:
    """The other provider as a transmitter of this gateway, its keys in a file unless they are at an address."""
    known = {"issuer": THEIRS, "audiences": (US,), "name": "other", "transmitter_id": ""}
    known |= {} if "jwks_uri" in terms else {"jwks": other.jwks()}
    show, poll_token = terms.pop("show", None), terms.pop("poll_token", "")
    effects = dict(effects_said(name, text) for name, text in (on or {}).items())
    wanted = Transmitter(**{**known, "effects": effects, **terms})
    return signal_sources(story.gateway).add(wanted, show=show, poll_token=poll_token)


def push(story: Story, token: str | bytes, name: str = "other", **headers: str) -> httpx2.Response:
    """One token as RFC 8935 has it."""
    known = {"content-type": "application/secevent+jwt", **{each.replace("_", "-"): headers[each] for each in headers}}
    return story.ask("POST", f"/ssf/events/{name}", content=token, headers=known)


def standing(story: Story) -> Any:
    """What has come of the transmitter."""
    sources = signal_sources(story.gateway)
    return sources.standing(sources.find("other"))


@dataclass
class Published:
    """An address that answers with `body` and `status`, and keeps what it was asked for."""

    body: bytes
    status: int = 200
    paths: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def asked(self) -> int:
        return len(self.paths)


@contextmanager
def published(body: str) -> Iterator[Published]:
    """One that listens until the block ends."""
    found = Published(body.encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.paths.append(self.path)
            self.send_response(found.status)
            if found.status == 302:
                self.send_header("location", found.url)
            self.send_header("content-length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
