"""Two real `auth-gateway serve` on one PostgreSQL database, each with a state directory of its own, and crowds that
reach for both.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.assembly import assemble
from auth_gateway.settings import Settings
from plumbing.clock import SystemClock
from tests.ports import free_port
from tests.running_provider import COMMAND, PATIENCE_SECONDS, wait_until_ready
from tests.soft_authenticator import SoftAuthenticator
from tests.stories.gateway.relying_party import ISSUER
from tests.stories.gateway.story import HOME, PASSWORD, Story, StubScorer

_numbers = count(1)
_hosts = count(1)


def somewhere() -> str:
    """An address in a network that nobody has come from: what one race costs its network holds up no other."""
    number = next(_hosts)
    return f"198.{18 + (number >> 8) % 2}.{number % 256}.9"


@dataclass
class ProcessStory(Story):
    """One gateway process, and the same database as an operator's command opens it."""

    url: str = ""
    log: Path = Path()
    application_secret: str = ""
    passkey: SoftAuthenticator | None = None

    def ask(self, method: str, path: str, *, peer: str = HOME, **options: Any) -> httpx2.Response:
        """One request, as the proxy in front hands it on; nobody is at home for long."""
        peer = somewhere() if peer == HOME else peer
        with httpx2.Client(base_url=self.url, trust_env=False, timeout=30.0) as client:
            return client.request(method, path.removeprefix(ISSUER), **proxied(peer, options))

    def person(self) -> str:
        """Somebody new, with an authenticator, for a race of their own."""
        name = f"person{next(_numbers)}"
        self.gateway.accounts.add(name, PASSWORD, user_id=f"id-{name}")
        self.totp_secret = self.gateway.enrol_totp(name).secret
        return name


Processes = tuple[ProcessStory, ProcessStory]


def proxied(peer: str, options: dict[str, Any]) -> dict[str, Any]:
    """The request's options with the headers that a proxy on this machine adds."""
    headers = dict(options.pop("headers", None) or {})
    return {**options, "headers": {**headers, "host": "id.example", "x-forwarded-for": peer}}


def all_at_once(both: Processes, requests: Sequence[dict[str, Any]]) -> list[httpx2.Response]:
    """The answers to these requests, every other one asked at the other process, each from an address of its own."""

    async def all_of_them() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(trust_env=False, timeout=60.0) as client:
            asked = []
            for number, request in enumerate(requests):
                peer, rest = somewhere(), dict(request)
                url = both[number % 2].url + rest.pop("url").removeprefix(ISSUER)
                method = rest.pop("method", "POST")
                asked.append(client.request(method, url, **proxied(peer, rest)))
            return await asyncio.gather(*asked)

    return both[0].runner.run(all_of_them())


@contextmanager
def running_processes(place: Path, database: str, **settings: str) -> Iterator[Processes]:
    """Up until the block ends; `settings` are environment names. The first has made the keys before the second came."""
    scorer = StubScorer()
    with ExitStack() as stack:
        stack.callback(scorer.close)
        runner = stack.enter_context(asyncio.Runner())
        found = []
        for name in ("first", "second"):
            chosen = {
                "AUTH_GATEWAY_STATE": str(place / name),
                "AUTH_GATEWAY_DATABASE": database,
                "AUTH_GATEWAY_PORT": str(free_port()),
                "JWT_ISSUER": ISSUER,
                "TRUSTED_PROXIES": "127.0.0.1",
                "RISK_API_URL": scorer.url,
                "RISK_API_CREDENTIAL": "rgs_test",
                "SCORER_DEADLINE_MS": "5000",
                **settings,
            }
            given: Any = {key.lower(): value for key, value in chosen.items()}
            if found:
                (place / name).mkdir(mode=0o700)
                shutil.copy(found[0].gateway.state.path / "vault.key", place / name)
            gateway = assemble(Settings(**given), hasher=PasswordHasher(memory_kib=64, passes=1))
            stack.callback(gateway.close)
            log = stack.enter_context(_process(place / f"{name}.log", chosen))
            url = f"http://127.0.0.1:{chosen['AUTH_GATEWAY_PORT']}"
            clock: Any = SystemClock()
            found.append(ProcessStory(gateway, scorer, clock, runner, None, url=url, log=log))
        yield found[0], found[1]


@contextmanager
def _process(log: Path, chosen: dict[str, str]) -> Iterator[Path]:
    ours = {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | chosen
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=sink, stderr=sink)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{chosen['AUTH_GATEWAY_PORT']}/ready", log)
        yield log
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
