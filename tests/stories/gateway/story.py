"""A real gateway over real ASGI and SQLite, with a small real scorer on a socket and a clock that tests move."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pyotp

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.app import create_app
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.context import Client
from auth_gateway.settings import Settings
from plumbing.clock import FixedClock
from plumbing.credentials import new_credential
from risk_scorer.contract.assessment import MEDIUM_FROM, risk_level
from tests.migrated import migrated

NOW = 1_800_000_000.0
PASSWORD = "Password123!"
HOME = "198.51.100.9"
COUNTS = ("user", "ip", "device", "ua", "ja4", "ja4h", "ja4s")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a crowd connects at once


class StubScorer:
    """Answers every event with `score` (or what `judge` says of it), or with `status` when it is not 200, or not at
    all while it shall `hang`; keeps what it was asked. Of addresses that are `missing` it knows nothing; what was
    posted to the others is in `posted`.
    """

    def __init__(self) -> None:
        self.score = 10.0
        self.status = 200
        self.hang = False
        self.country = ""
        self.new: tuple[str, ...] = ()
        self.explains: dict[str, Any] = {}
        self.reasons: list[dict[str, Any]] = []
        self.judge: Callable[[Mapping[str, Any]], float] = lambda _event: self.score
        self.events: list[dict[str, Any]] = []
        self.missing: set[str] = set()
        self.posted: list[tuple[str, Any]] = []
        self.traceparents: list[str | None] = []
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, event: Mapping[str, Any]) -> bytes:
        explain: dict[str, Any] = {f"{name}_freq": 0 for name in COUNTS}
        explain |= {"hour": 1, "day_of_week": 2, "success": 1, "ip_rep": 5.0, "geo_distance_km": 12.5, "asn": 64500}
        explain |= {"country": self.country, "new": self.new, **self.explains}
        score = self.judge(event)
        level = risk_level(score)
        return json.dumps(
            {
                "risk_score": score,
                "risk_level": level,
                "model_label": -1 if score >= MEDIUM_FROM else 1,
                "explain": explain,
                "ts_scored": NOW,
                "reasons": self.reasons,
                "model_version": "stub-1",
                "event_id": event["event_id"],
            }
        ).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(scorer: StubScorer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            raw = self.rfile.read(length)
            if len(raw) < length:  # the gateway gave up waiting and closed the connection
                return
            event = json.loads(raw)
            body = b'{"learned":1}'
            if self.path == "/score":
                scorer.events.append(event)
                scorer.traceparents.append(self.headers.get("traceparent"))
                while scorer.hang:
                    time.sleep(0.01)
                body = scorer.answer(event)
            is_missing = self.path in scorer.missing
            if not is_missing:
                scorer.posted.append((self.path, event))
            self.send_response(404 if is_missing else scorer.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


@dataclass
class Story:
    """One gateway and its people: `alice` has an authenticator, `bob` has none, `frozen` may not log in."""

    gateway: Gateway
    scorer: StubScorer
    clock: FixedClock
    runner: asyncio.Runner
    app: Any
    totp_secret: str = ""

    def ask(self, method: str, path: str, *, peer: str = HOME, **options: Any) -> httpx2.Response:
        """One request from `peer`, without a cookie jar: what is sent is what the test says."""

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, client=(peer, 40_000), raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.example") as client:
                return await client.request(method, path, **options)

        return self.runner.run(send())

    def login(self, username: str = "alice", password: str = PASSWORD, **options: Any) -> httpx2.Response:
        context = options.pop("context", {})
        return self.ask("POST", "/login", json={"username": username, "password": password, **context}, **options)

    def complete(self, challenge_id: str, code: str | None = None, **options: Any) -> httpx2.Response:
        body = {"challenge_id": challenge_id, "code": self.code() if code is None else code}
        return self.ask("POST", "/login/complete", json=body, **options)

    def refresh(self, refresh_token: str, **options: Any) -> httpx2.Response:
        body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.ask("POST", "/token", json=body, **options)

    def code(self) -> str:
        return pyotp.TOTP(self.totp_secret).at(int(self.clock.now()))

    def until_told(self) -> None:
        """Wait until nothing waits any more, neither in the audit trail nor in the outbox."""
        log, database = StoredEventLog(), self.gateway.database
        for _ in range(1_000):
            self.clock.advance(0.01)
            self.runner.run(asyncio.sleep(0.02))
            if not database.read(lambda tx: log.waiting(tx, 1)) and not database.read(self.gateway.outbox.depth):
                return
        raise AssertionError("something still waits")

    def forgive(self) -> None:
        """Nothing is held against anybody any more."""
        with self.gateway.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM user_risk")

    def add_passkey(self, username: str) -> None:
        """A passkey of that person, which no authenticator has: it can be asked for and never be shown."""
        values = (username.encode(), f"id-{username}", b"key", 0, "", "", "", False, False, NOW, None)
        with self.gateway.database.engine.begin() as connection:
            marks = ", ".join("?" * len(values))
            connection.exec_driver_sql(f"INSERT INTO passkeys VALUES ({marks})", values)  # noqa: S608 -- marks alone

    def client(self, name: str, *, may_vouch: bool = False, may_see_scores: bool = False) -> tuple[str, str]:
        """A registered application's id and secret."""
        secret, digest = new_credential(self.gateway.randomness, "rgc")
        client = Client(client_id=name, may_vouch=may_vouch, may_see_scores=may_see_scores)
        self.gateway.database.write_sync(lambda tx: self.gateway.clients.add(tx, client, digest, NOW))
        return name, secret

    def claims(self, access_token: str) -> dict[str, Any]:
        """What a resource server reads after it has verified the token with the published keys."""
        kid = jwt.get_unverified_header(access_token)["kid"]
        keys = jwt.PyJWKSet.from_dict(self.ask("GET", "/.well-known/jwks.json").json())
        options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims: dict[str, Any] = jwt.decode(
            access_token, keys[kid].key, algorithms=["ES256"], audience="iam-clients", options=options
        )
        return claims

    def audited(self, *, with_risk: bool = False) -> list[tuple[str, str | None]]:
        """Kind and rule of everything written down, oldest first; what follows from it for people's risks if asked."""
        events = self.gateway.database.read(lambda tx: self.gateway.audit.recent(tx, 1000))
        return [
            (event.kind, event.rule)
            for event in reversed(events)
            if with_risk or not event.kind.startswith("risk.user_")
        ]

    def notices(self) -> list[dict[str, Any]]:
        """What the scorer is told of sessions, oldest first."""
        with self.gateway.database.engine.connect() as connection:
            order = "rowid" if connection.dialect.name == "sqlite" else "created_at"
            query = f"SELECT body FROM outbox WHERE endpoint = 'scorer-sessions' ORDER BY {order}"  # noqa: S608
            return [json.loads(body) for (body,) in connection.exec_driver_sql(query)]

    def decided(self) -> list[dict[str, Any]]:
        """What the scorer is told of decisions that no outcome takes along, oldest first."""
        with self.gateway.database.engine.connect() as connection:
            order = "rowid" if connection.dialect.name == "sqlite" else "created_at"
            query = f"SELECT body FROM outbox WHERE endpoint = 'scorer-decisions' ORDER BY {order}"  # noqa: S608
            return [each for (body,) in connection.exec_driver_sql(query) for each in json.loads(body)]

    def announced(self) -> list[dict[str, Any]]:
        """The messages in the outbox, without the letters, which are sealed, notices of sessions and decisions."""
        with self.gateway.database.engine.connect() as connection:
            order = "rowid" if connection.dialect.name == "sqlite" else "created_at"
            left_out = "('mail', 'scorer-sessions', 'scorer-decisions')"
            query = f"SELECT endpoint, event_type, body FROM outbox WHERE endpoint NOT IN {left_out} ORDER BY {order}"  # noqa: S608
            rows = connection.exec_driver_sql(query)
            return [{"endpoint": to, "type": kind, "body": json.loads(body)} for to, kind, body in rows]


@contextmanager
def running_story(state: Path, **given: Any) -> Iterator[Story]:
    """A gateway that is up until the block ends."""
    scorer, clock = StubScorer(), FixedClock(NOW)
    values: dict[str, Any] = {"auth_gateway_state": state, "risk_api_url": scorer.url, "scorer_deadline_ms": 5000}
    settings = Settings(**{**values, **given})
    if settings.auth_gateway_database is None:
        migrated(settings.auth_gateway_state / "gateway.db")
    gateway = assemble(settings, clock=clock, hasher=PasswordHasher(memory_kib=64, passes=1))
    app = create_app(settings, gateway=gateway)
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        story = Story(gateway, scorer, clock, runner, app)
        try:
            if not settings.is_demo and not gateway.accounts.list():
                for name in ("alice", "bob", "frozen"):
                    gateway.accounts.add(name, PASSWORD, user_id=f"id-{name}")
                gateway.accounts.freeze("frozen")
            story.totp_secret = gateway.enrol_totp("alice", replace=True).secret
            yield story
        finally:
            runner.run(lifespan.__aexit__(None, None, None))
            scorer.close()
