"""The saved policy between processes: every worker takes it up, and a sudden death leaves one whole document."""

import hashlib
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2

from auth_gateway.adapters.storage.policy_versions import StoredPolicyVersions
from auth_gateway.core.policy_version import NEWEST
from tests.running_provider import PATIENCE_SECONDS, RunningProvider, running_provider

DENY = '[[rule]]\nname = "nobody"\nwhen = { client = "public" }\nthen = "deny"\n'
LARGE = "".join(f"# {number} of a long document that is saved again and again\n" for number in range(1_500))


def administrator(provider: RunningProvider) -> httpx2.Client:
    """A program that may change the policy, with its token."""
    made = provider.client(
        "desk",
        grant_types=("client_credentials",),
        redirect_uris=(),
        scopes=("policy:read", "policy:write"),
        audience=provider.issuer,
    )
    with provider.http() as http:
        answer = http.post("/token", data={"grant_type": "client_credentials"}, auth=(made["id"], made["secret"]))
    http = provider.http()
    http.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
    return http


def put(http: httpx2.Client, document: str, version: int) -> httpx2.Response:
    body = {"document": document, "by": "mara", "why": "because"}
    return http.put("/policy", json=body, headers={"if-match": f'"{version}"'})


def test_every_worker_takes_it_up_and_a_death_leaves_a_whole_one(tmp_path: Path, postgresql_url: str) -> None:
    """Two workers deny what one of them was told; of many who save at once one does; all are killed in the middle of
    saving, and each version is whole."""
    settings = {"AUTH_GATEWAY_WORKERS": "2", "AUTH_GATEWAY_DATABASE": postgresql_url}
    with running_provider(tmp_path, **settings) as provider, administrator(provider) as http:
        person = provider.person()
        assert put(http, DENY, 0).status_code == 200
        until(lambda: all(is_denied(provider, person.username) for _ in range(6)))
        with ThreadPoolExecutor(6) as crowd:
            statuses = [answer.status_code for answer in crowd.map(lambda _: put(http, document(2), 1), range(6))]
        assert sorted(statuses) == [200, *[412] * 5]
        acknowledged = [2]
        saver = Thread(target=keep_saving, args=(http, acknowledged), daemon=True)
        saver.start()
        until(lambda: len(acknowledged) > 5)
        for pid in processes(provider):
            os.kill(pid, signal.SIGKILL)
        saver.join(PATIENCE_SECONDS)
        versions = provider.gateway.database.read(lambda tx: StoredPolicyVersions().before(tx, NEWEST, 1000))
        assert versions[0].version in (acknowledged[-1], acknowledged[-1] + 1)
        for each in versions:
            assert hashlib.sha256(each.document.encode()).hexdigest() == each.digest
            assert each.document in (DENY, document(each.version))
        lines = provider.gateway.database.read(lambda tx: provider.gateway.audit.recent(tx, 1000))
        assert sum(line.kind == "policy.changed" for line in lines) == len(versions), "each with its line"


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_denied(provider: RunningProvider, username: str) -> bool:
    """By whichever worker takes a new connection."""
    with provider.http() as http:
        answer: Any = http.post("/login", json={"username": username, "password": "Password123!"}).json()
    return "incident_id" in answer


def document(version: int) -> str:
    return f"# {version}\n{LARGE}{DENY}"


def keep_saving(http: httpx2.Client, acknowledged: list[int]) -> None:
    """Until nobody answers any more."""
    while True:
        version = acknowledged[-1]
        try:
            answer = put(http, document(version + 1), version)
        except httpx2.HTTPError:
            return
        assert answer.status_code == 200
        acknowledged.append(version + 1)


def processes(provider: RunningProvider) -> list[int]:
    """The parent and its workers, the parent first: it starts no new one."""
    parent = provider.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *map(int, children)]
