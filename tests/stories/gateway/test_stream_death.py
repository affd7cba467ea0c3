"""The gateway is killed again and again while a receiver polls: every event is told, as it was, and acknowledged
once."""

import os
import random
import subprocess
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from auth_gateway.assembly import assemble
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.settings import Settings
from plumbing.credentials import new_credential
from tests.ports import free_port
from tests.running_provider import COMMAND, wait_until_ready
from tests.stories.gateway.signals import RISC

FREEZING = [f"{RISC}account-disabled", f"{RISC}account-enabled"]
LONGEST_SECONDS = 90.0


class Poller:
    """Fetches and acknowledges until it is told to stop; lives through a gateway that dies."""

    def __init__(self, issuer: str, auth: tuple[str, str]) -> None:
        self.taken: list[tuple[str, str]] = []
        self.is_over = False
        self._http = httpx2.Client(base_url=issuer, trust_env=False, timeout=30.0)
        self._auth = auth
        self._acknowledged: list[str] = []
        token = self._http.post("/token", data={"grant_type": "client_credentials"}, auth=auth).json()
        self._headers = {"authorization": f"Bearer {token['access_token']}"}
        made = self._http.post("/ssf/streams", json={"events_requested": FREEZING}, headers=self._headers).json()
        self._path = urlsplit(made["delivery"]["endpoint_url"]).path
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.is_over = True
        self._thread.join(60.0)
        assert not self._thread.is_alive()
        self._http.post(self._path, json={"ack": self._acknowledged, "maxEvents": 0}, headers=self._headers)
        self._http.close()

    def _run(self) -> None:
        while not self.is_over:
            try:
                self._poll()
            except (httpx2.HTTPError, ValueError):
                time.sleep(0.02)

    def _poll(self) -> None:
        said: dict[str, Any] = {"ack": self._acknowledged, "maxEvents": 2}
        answer = self._http.post(self._path, json=said, headers=self._headers)
        if answer.status_code != 200:
            time.sleep(0.02)
            return
        sets = answer.json()["sets"]
        self._acknowledged = list(sets)
        self.taken += sets.items()


@pytest.mark.parametrize("database_url", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True)
def test_every_event_is_polled_whoever_is_killed(tmp_path: Path, database_url: str, is_long: bool) -> None:
    """None invented, none altered, each person's in order; at the end nothing waits."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    ours = {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}
    chosen = {
        "AUTH_GATEWAY_PROFILE": "demo",
        "AUTH_GATEWAY_STATE": str(tmp_path / "state"),
        "AUTH_GATEWAY_PORT": str(port),
        "JWT_ISSUER": issuer,
    }
    if database_url.startswith("postgresql"):
        chosen["AUTH_GATEWAY_DATABASE"] = database_url
    environment = {name: value for name, value in os.environ.items() if name not in ours} | chosen
    log = tmp_path / "gateway.log"

    def started() -> subprocess.Popen[bytes]:
        with log.open("ab") as sink:
            process = subprocess.Popen([*COMMAND, "serve"], env=environment, stdout=sink, stderr=sink)
        wait_until_ready(process, f"{issuer}/ready", log)
        return process

    process = started()
    gateway = assemble(Settings(**{name.lower(): value for name, value in chosen.items()}))  # type: ignore[arg-type]
    secret, digest = new_credential(gateway.randomness, "rgc")
    client = RegisteredClient(
        client_id="siem", grant_types=("client_credentials",), scopes=("streams:manage",), audience=issuer
    )
    assert gateway.database.write_sync(lambda tx: gateway.clients.add(tx, client, digest, gateway.clock.now() - 1))
    poller = Poller(issuer, ("siem", secret))
    keys = KeySet.import_key_set(httpx2.get(f"{issuer}/.well-known/jwks.json", trust_env=False).json())
    poller.start()
    chance, written = random.Random(7), 0
    try:
        for _ in range(40 if is_long else 1):
            for _ in range(chance.randint(1, 4)):
                gateway.accounts.freeze("bob")
                gateway.accounts.unfreeze("bob")
                written += 2
            time.sleep(chance.uniform(0.0, 0.4))
            process.kill()
            process.wait()
            process = started()
        deadline = time.monotonic() + LONGEST_SECONDS
        while len({jti for jti, _ in poller.taken}) < written and time.monotonic() < deadline:
            time.sleep(0.1)
        poller.stop()
        with gateway.database.engine.connect() as connection:
            waiting = connection.exec_driver_sql(
                "SELECT count(*) FROM outbox WHERE substr(endpoint, 1, 4) = 'ssf_' AND delivered_at IS NULL"
            ).scalar()
            lines = connection.exec_driver_sql(
                "SELECT event_id, kind FROM audit WHERE kind IN ('user.frozen', 'user.unfrozen') ORDER BY seq"
            ).all()
    finally:
        poller.is_over = True
        process.terminate()
        process.wait(60.0)
        gateway.close()
    told = dict(poller.taken)
    expected = {"user.frozen": FREEZING[0], "user.unfrozen": FREEZING[1]}
    assert list(told) == [event_id for event_id, _ in lines]
    for event_id, kind in lines:
        claims = jws.deserialize_compact(told[event_id], keys, algorithms=["ES256"]).payload or b""
        assert expected[kind].encode() in claims
    assert {token for jti, token in poller.taken} == set(told.values())
    assert waiting == 0
