"""A receiver of Shared Signals: an application with streams, a place where events are pushed to, and a judge that
believes no token that joserfc has not verified with the keys that discovery names.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc import jws
from joserfc.jwk import KeySet

from tests.stories.gateway.applications import Application, register
from tests.stories.gateway.logout_receiver import until
from tests.stories.gateway.story import Story

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
EVERYTHING = [
    *(f"{CAEP}{name}" for name in ("session-revoked", "credential-change", "assurance-level-change")),
    f"{CAEP}risk-level-change",
    *(f"{RISC}{name}" for name in ("account-disabled", "account-enabled", "account-purged", "credential-compromise")),
]


@dataclass
class Receiver:
    """One application that may have streams; it knows the transmitter by its document alone."""

    story: Story
    app: Application
    document: dict[str, Any]
    token: str = ""

    def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.story.ask(method, path, headers=headers, **options)

    def at(self, endpoint: str, method: str = "POST", **options: Any) -> httpx2.Response:
        """An endpoint of the document."""
        return self.ask(method, urlsplit(self.document[f"{endpoint}_endpoint"]).path, **options)

    def stream(self, *, events: list[str] | None = None, **given: Any) -> dict[str, Any]:
        wanted = {"events_requested": EVERYTHING if events is None else events, **given}
        answer = self.at("configuration", json=wanted)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def pushed(self, url: str, **given: Any) -> dict[str, Any]:
        delivery = {"method": PUSH, "endpoint_url": url}
        return self.stream(delivery=delivery | given.pop("delivery", {}), **given)

    def poll(self, stream: dict[str, Any], **said: Any) -> dict[str, Any]:
        address = urlsplit(stream["delivery"]["endpoint_url"]).path
        answer = self.ask("POST", address, json={"returnImmediately": True, **said})
        assert answer.status_code == 200, answer.text
        polled: dict[str, Any] = answer.json()
        return polled

    async def waiting(self, stream: dict[str, Any], **said: Any) -> dict[str, Any]:
        """A poll that waits for something, on the loop that the gateway runs on."""
        transport = httpx2.ASGITransport(self.story.app, client=("198.51.100.9", 40_000))
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as http:
            address = urlsplit(stream["delivery"]["endpoint_url"]).path
            answer = await http.post(address, json=said, headers=headers, timeout=60)
        polled: dict[str, Any] = answer.json()
        return polled

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of a token that is what it should be."""
        keys = KeySet.import_key_set(self.story.ask("GET", urlsplit(self.document["jwks_uri"]).path).json())
        signed = jws.deserialize_compact(token, keys, algorithms=["ES256", "RS256"])
        assert signed.headers()["typ"] == "secevent+jwt"
        claims: dict[str, Any] = json.loads(signed.payload or b"")
        assert claims["iss"] == self.document["issuer"]
        assert claims["aud"] == self.app.client_id
        assert not {"sub", "exp", "nonce"} & claims.keys()
        assert len(claims["events"]) == 1
        return claims

    def drained(self, stream: dict[str, Any]) -> list[dict[str, Any]]:
        """Everything that waits, acknowledged as it comes."""
        found: list[dict[str, Any]] = []
        acknowledged: list[str] = []
        while True:
            sets = self.poll(stream, ack=acknowledged)["sets"]
            if not sets:
                return found
            acknowledged = list(sets)
            found += map(self.verified, sets.values())


def receiver(story: Story, client_id: str = "receiver", **registration: Any) -> Receiver:
    """A registered application, its token in hand."""
    issuer = story.gateway.settings.jwt_issuer
    known = {"grant_types": ("client_credentials",), "redirect_uris": (), "scopes": ("streams:manage",)}
    app = register(story, client_id, **{**known, "audience": issuer, **registration})
    document = story.ask("GET", "/.well-known/ssf-configuration").json()
    return Receiver(story, app, document, app.act().json()["access_token"])


@dataclass
class Inbox:
    """Where events are pushed to: gives `answers` one after the other and then 202; hangs as long as it shall."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    is_hanging: bool = False
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        while self.is_hanging:
            time.sleep(0.005)
        self.requests.append((headers, body))
        status, said = self.answers.pop(0) if self.answers else (202, b"")
        if status == 202:
            self.taken.append(body)
        return status, said


@contextmanager
def inbox(**given: Any) -> Iterator[Inbox]:
    """One that listens until the block ends."""
    found = Inbox(**given)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            status, said = found.answer({name.lower(): value for name, value in self.headers.items()}, raw)
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}/events"
    try:
        yield found
    finally:
        found.is_hanging = False
        server.shutdown()
        server.server_close()


def distributed(story: Story) -> None:
    """Until no line of the audit trail waits."""

    def is_done() -> bool:
        with story.gateway.database.engine.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM audit WHERE waits IS NOT NULL").scalar() == 0

    until(story, is_done)
