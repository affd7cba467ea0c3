"""A gateway with its OpenID provider as a process of its own on a real socket, for judges that are no part of us.

The demo profile, since applications of these tests listen on this machine; a small scorer answers on a socket.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.account import Account
from auth_gateway.core.provider.client import OPENID_SCOPES, RegisteredClient
from auth_gateway.settings import Settings
from plumbing.credentials import new_credential
from tests.migrated import migrated
from tests.ports import free_port
from tests.stories.gateway.story import PASSWORD, StubScorer

COMMAND = [sys.executable, "-c", "from auth_gateway.cli import main; main()"]
PATIENCE_SECONDS = 60.0
REDIRECT_URI = "http://127.0.0.1:9/callback"
"""Nothing listens there: whoever drives the browser stops at this address."""


@dataclass(frozen=True)
class Person:
    """Somebody with a password and an authenticator."""

    username: str
    totp: str
    email: str
    password: str = PASSWORD


@dataclass
class RunningProvider:
    """The process, and the same state as an operator's command opens it."""

    issuer: str
    gateway: Gateway
    scorer: StubScorer
    log: Path
    pid: int = 0
    people: list[str] = field(default_factory=list)

    def person(self, name: str = "") -> Person:
        """Somebody new, so that no scenario meets another one's throttle or spent codes."""
        name = name or f"person{len(self.people)}"
        self.people.append(name)
        gateway = self.gateway
        account = Account(
            user_id=f"id-{name}",
            username=name,
            display_name=name,
            password_hash=gateway.hasher.hash(PASSWORD),
            created_at=gateway.clock.now(),
            email=f"{name}@example.org",
            email_verified=True,
        )
        assert gateway.database.write_sync(lambda tx: gateway.users.add(tx, account))
        return Person(username=name, totp=gateway.enrol_totp(name).secret, email=account.email)

    def client(self, client_id: str, **registration: Any) -> dict[str, str]:
        """A registered application's id, and its secret when it has one."""
        usual: dict[str, Any] = {
            "grant_types": ("authorization_code", "refresh_token"),
            "redirect_uris": (REDIRECT_URI,),
            "scopes": (*OPENID_SCOPES, "read"),
        }
        client = RegisteredClient(client_id=client_id, **(usual | registration))
        secret, digest = new_credential(self.gateway.randomness, "rgc")
        has_secret = client.token_endpoint_auth_method == "client_secret_basic"
        stored, now = digest if has_secret else b"", self.gateway.clock.now()
        assert self.gateway.database.write_sync(lambda tx: self.gateway.clients.add(tx, client, stored, now))
        return {"id": client_id, "secret": secret} if has_secret else {"id": client_id}

    def http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.issuer, trust_env=False, timeout=20.0)

    def last_lines(self, count: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


@contextmanager
def running_provider(place: Path, **settings: str) -> Iterator[RunningProvider]:
    """Up until the block ends; `settings` are environment names."""
    port, scorer = free_port(), StubScorer()
    issuer = f"http://127.0.0.1:{port}"
    ours = {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}
    chosen = {
        "AUTH_GATEWAY_PROFILE": "demo",
        "AUTH_GATEWAY_STATE": str(place / "gateway"),
        "AUTH_GATEWAY_PORT": str(port),
        "JWT_ISSUER": issuer,
        "RISK_API_URL": scorer.url,
        "RISK_API_CREDENTIAL": "rgs_test",
        "SCORER_DEADLINE_MS": "5000",
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if name not in ours} | chosen
    log = place / "gateway.log"
    place.mkdir(parents=True, exist_ok=True)
    if "AUTH_GATEWAY_DATABASE" not in chosen:
        migrated(place / "gateway" / "gateway.db")
    with log.open("ab") as sink:
        process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=sink, stderr=sink)
    try:
        wait_until_ready(process, f"{issuer}/ready", log)
        gateway = assemble(Settings(**{name.lower(): value for name, value in chosen.items()}))  # type: ignore[arg-type]
        try:
            yield RunningProvider(issuer, gateway, scorer, log, process.pid)
        finally:
            gateway.close()
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        scorer.close()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with httpx2.Client(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if http.get(url).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.05)
    raise AssertionError(f"the gateway did not become ready:\n{log.read_text(errors='replace')[-3000:]}")
