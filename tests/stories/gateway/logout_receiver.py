"""A relying party on a socket that takes logout tokens and believes none that it has not verified."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt

from auth_gateway.core.provider.tokens import LOGOUT_EVENT
from tests.stories.gateway.story import Story

LATEST_SECONDS = 5.0


@dataclass
class RelyingParty:
    """Takes logout tokens at `url`; `ended` holds the claims of those it believed, in the order they came."""

    issuer: str
    keys: dict[str, Any]
    client_id: str
    algorithm: str = "ES256"
    refuse_first: int = 0
    url: str = ""
    ended: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    attempts: int = 0

    def take(self, content_type: str, body: bytes) -> int:
        """The status that the sender gets (Back-Channel Logout 1.0, sections 2.6 and 2.8)."""
        self.attempts += 1
        if self.attempts <= self.refuse_first:
            return 503
        try:
            assert content_type == "application/x-www-form-urlencoded", content_type
            (token,) = parse_qs(body.decode(), strict_parsing=True)["logout_token"]
            self.ended.append(self.verified(token))
        except (AssertionError, KeyError, ValueError, jwt.InvalidTokenError) as error:
            self.problems.append(repr(error))
            return 400
        return 200

    def verified(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        assert header["typ"] == "logout+jwt"
        assert header["alg"] == self.algorithm
        key = jwt.PyJWKSet.from_dict(self.keys)[header["kid"]].key
        required = ["iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"]
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[self.algorithm],
            audience=self.client_id,
            issuer=self.issuer,
            # The gateway of a story has a clock of its own.
            options={"require": required, "verify_exp": False, "verify_iat": False},
        )
        assert claims["exp"] - claims["iat"] <= 120
        assert claims["events"] == {LOGOUT_EVENT: {}}
        assert "nonce" not in claims
        return claims

    def wait(self, story: Story, *, notices: int = 1) -> None:
        """Until that many tokens were believed, five seconds at most; the gateway works meanwhile."""

        def have_come() -> bool:
            return len(self.ended) >= notices or self.problems != []

        until(story, have_come)
        assert self.problems == []


def until(story: Story, condition: Callable[[], bool]) -> None:
    """Let the gateway work until it holds, five seconds at most."""
    deadline = time.monotonic() + LATEST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        story.runner.run(asyncio.sleep(0.01))


@contextmanager
def relying_party(story: Story, issuer: str, client_id: str, **given: Any) -> Iterator[RelyingParty]:
    """A relying party that listens until the block ends; it has fetched the gateway's keys."""
    keys = story.ask("GET", "/.well-known/jwks.json").json()
    party = RelyingParty(issuer=issuer, keys=keys, client_id=client_id, **given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(party.take(self.headers.get("content-type", ""), body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    party.url = f"http://127.0.0.1:{server.server_address[1]}/backchannel"
    try:
        yield party
    finally:
        server.shutdown()
        server.server_close()
