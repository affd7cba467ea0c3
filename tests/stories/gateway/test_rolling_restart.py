"""Two gateways on one database are replaced one after the other, and nobody who logs in or refreshes notices."""

import http.client
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.assembly import assemble
from auth_gateway.settings import Settings
from tests.ports import free_port
from tests.running_provider import COMMAND, PATIENCE_SECONDS
from tests.stories.gateway.story import PASSWORD, StubScorer

PEOPLE = 3
PAUSE_SECONDS = 0.02
ROUNDS = 2


class Gateway:
    """One of them, with what it takes to start it again."""

    def __init__(self, environment: dict[str, str], log: Path, workers: int) -> None:
        self.port = free_port()
        self._environment = {**environment, "AUTH_GATEWAY_PORT": str(self.port)}
        self._options = ["--workers", str(workers), "--drain-seconds", "0.5"]
        self._log = log
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [*COMMAND, "serve", *self._options]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self._environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        assert "ready on" in self.process.stdout.readline(), self._log.read_text()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        status = self.process.wait(PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status


class Person(threading.Thread):
    """Logs in and refreshes by turns at either gateway, on connections that are kept as long as a gateway lets them;
    whoever is refused a connection asks the other one."""

    def __init__(self, name: str, ports: list[int]) -> None:
        super().__init__(daemon=True)
        self.name = name
        self.answered = 0
        self.problems: list[str] = []
        self.is_over = threading.Event()
        self._connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for port in ports]
        self._turn = 0

    def run(self) -> None:
        token = ""
        while not self.is_over.wait(PAUSE_SECONDS) and not self.problems:
            if self.answered % 8 == 0:
                answer = self.ask("/login", {"username": self.name, "password": PASSWORD})
                token = answer.get("tokens", {}).get("refresh_token", "")
            else:
                answer = self.ask("/token", {"grant_type": "refresh_token", "refresh_token": token})
                token = answer.get("refresh_token", "")
            self.answered += 1
        for connection in self._connections:
            connection.close()

    def ask(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        self._turn += 1
        for number in (self._turn, self._turn + 1):
            connection = self._connections[number % 2]
            try:
                connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
                answer = connection.getresponse()
                read: dict[str, Any] = json.loads(answer.read())
            except ConnectionRefusedError:
                connection.close()
                continue
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.problems.append(f"{path}: {error!r}")
                return {}
            if answer.status != 200:
                self.problems.append(f"{path}: {answer.status} {read}")
            return read
        self.problems.append(f"{path}: both refused")
        return {}


@contextmanager
def two_gateways(tmp_path: Path, database: str) -> Iterator[list[Gateway]]:
    """One of two workers and one of one process, with people whose passwords cost little to check."""
    scorer = StubScorer()
    chosen = {
        "AUTH_GATEWAY_STATE": str(tmp_path / "state"),
        "AUTH_GATEWAY_DATABASE": database,
        "RISK_API_URL": scorer.url,
        "RISK_API_CREDENTIAL": "rgs_test",
        "SCORER_DEADLINE_MS": "5000",
    }
    ours = {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | chosen
    settings = Settings(**{name.lower(): value for name, value in chosen.items()})  # type: ignore[arg-type]
    making = assemble(settings, hasher=PasswordHasher(memory_kib=64, passes=1))
    for number in range(PEOPLE):
        making.accounts.add(f"person{number}", PASSWORD)
    making.close()
    found = [Gateway(environment, tmp_path / f"{workers}.log", workers) for workers in (2, 1)]
    with ExitStack() as stack:
        stack.callback(scorer.close)
        for gateway in found:
            gateway.start()
            stack.callback(lambda gateway=gateway: gateway.process and gateway.process.kill())
        yield found


@pytest.mark.long
def test_a_rolling_restart_costs_nobody_an_answer(tmp_path: Path, postgresql_url: str) -> None:
    """Each gateway ends with status 0, and every request of every person was answered as it should be."""
    with two_gateways(tmp_path, postgresql_url) as gateways:
        people = [Person(f"person{number}", [gateway.port for gateway in gateways]) for number in range(PEOPLE)]
        for person in people:
            person.start()
        for _ in range(ROUNDS):
            for gateway in gateways:
                time.sleep(0.3)
                assert gateway.stop() == 0
                gateway.start()
        time.sleep(0.3)
        for person in people:
            person.is_over.set()
            person.join(30)
        assert [person.problems for person in people] == [[]] * PEOPLE
        assert min(person.answered for person in people) > 8
        assert [gateway.stop() for gateway in gateways] == [0, 0]
