"""What a document that is tried on the past does to those who log in meanwhile: `python -m benchmarks.policy_trial`.

One gateway, logins at the same pace, in turns alone and beside trials that follow each other without a rest. The
recorded decisions are invented (synthetic). Printed, without a bound: a busy machine makes all of it worse.
"""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import httpx2
import uvloop
from rich.console import Console

from auth_gateway.adapters.storage import open_storage
from auth_gateway.flows.past_trials import MOST_LINES
from benchmarks.home import Address, Home, command
from benchmarks.load import Result, repeated, request_bytes, run
from benchmarks.logins import LOGIN
from benchmarks.policy import NOW, fill
from benchmarks.refresh import logged_in

ROUNDS: Final = 4
SECONDS: Final = 8.0
LOGIN_SECONDS: Final = 0.25
"""Four logins a second: far below what the machine takes, so that a trial is all that they wait for."""
HEALTH_SECONDS: Final = 0.02
HEALTH: Final = request_bytes("GET", "/health")
DOCUMENT: Final = '[[rule]]\nname = "abroad"\nthen = "challenge"\nwhen = { path = ["login"], country = ["DE"] }\n'
"""One rule, which answers every one of the recorded logins."""


def main() -> None:
    """Measure and print."""
    console, alone, beside, took = Console(width=130), list[Result](), list[Result](), list[float]()
    with Home() as home, home.scorer() as scorer, home.gateway(scorer) as gateway:
        token = _token(home, gateway)
        database = open_storage(f"sqlite:///{home.state / 'gateway' / 'gateway.db'}")
        fill(database, MOST_LINES)
        database.close()
        logged_in(gateway.port)
        for _ in range(ROUNDS):
            alone += _watched(gateway)
            with _trials(gateway, token, took):
                beside += _watched(gateway)
    load = " ".join(f"{each:.0f}" for each in os.getloadavg())
    console.print(f"{len(took)} trials of {MOST_LINES:,} decisions, {min(took):.2f} to {max(took):.2f} s; load {load}")
    for name, results in (("alone", alone), ("beside trials", beside)):
        for path, which in (("/login", results[::2]), ("/health", results[1::2])):
            p50, p95 = ([each.percentile(share) for each in which] for share in (0.5, 0.95))
            whole = Result(0.0, [each for result in which for each in result.latencies_ms])
            console.print(
                f"  {path} {name}: p50 {whole.percentile(0.5):.1f} ms, p95 {whole.percentile(0.95):.1f}; rounds p50 "
                f"{min(p50):.1f} to {max(p50):.1f}, p95 {min(p95):.1f} to {max(p95):.1f}; {len(whole.latencies_ms)}"
            )


def _watched(gateway: Address) -> list[Result]:
    """Logins and the cheapest answer there is, for some seconds."""

    async def both() -> list[Result]:
        logins = run(gateway.port, repeated(LOGIN, 1), SECONDS, LOGIN_SECONDS)
        return [*await asyncio.gather(logins, run(gateway.port, repeated(HEALTH, 1), SECONDS, HEALTH_SECONDS))]

    results = uvloop.run(both())
    if set(results[0].statuses) != {200}:
        raise AssertionError(dict(results[0].statuses))
    return results


@contextmanager
def _trials(gateway: Address, token: str, took: list[float]) -> Iterator[None]:
    """One after the other, as long as this goes on."""
    is_over = threading.Event()

    def ask() -> None:
        body = {"document": DOCUMENT, "from": _iso(NOW), "to": _iso(NOW + MOST_LINES)}
        headers = {"authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{gateway.port}", trust_env=False, timeout=30.0) as client:
            while not is_over.is_set():
                answer = client.post("/policy/backtest", json=body, headers=headers)
                if answer.status_code != 200:
                    raise AssertionError(answer.text)
                took.append(answer.elapsed.total_seconds())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()


def _token(home: Home, gateway: Address) -> str:
    """Of a program that may try policies."""
    issuer = f"http://localhost:{gateway.port}"
    environment = {
        "AUTH_GATEWAY_PROFILE": "demo",
        "AUTH_GATEWAY_STATE": str(home.state / "gateway"),
        "JWT_ISSUER": issuer,
    }
    printed = home.run(
        command("auth-gateway"), "clients", "add", "trial", "--name", "Trial", "--grant", "client_credentials",
        "--audience", issuer, "--scope", "policy:read", environment=environment,
    )  # fmt: skip
    secret = re.search(r"[A-Za-z0-9_-]{30,}", printed)
    if secret is None:
        raise AssertionError(printed)
    answer = httpx2.post(
        f"http://127.0.0.1:{gateway.port}/token",
        data={"grant_type": "client_credentials", "scope": "policy:read"},
        auth=("trial", secret.group()),
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["access_token"])


if __name__ == "__main__":
    main()
