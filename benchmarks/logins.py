"""Logins against the bare password hash on the same cores, and what a flood of them does to everybody else."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import uvloop
from passlib.hash import argon2
from rich.console import Console

from auth_gateway.adapters.passwords import ARGON2_LANES, ARGON2_MEMORY_KIB, ARGON2_PASSES
from benchmarks.home import Home
from benchmarks.load import Result, load, repeated, request_bytes, run
from benchmarks.refresh import chain, logged_in
from benchmarks.report import Figure
from demo.people import ALICE_PASSWORD, USUAL

CORES = 2
CLIENTS = 4
FLOOD = 5
LOGIN = request_bytes("POST", "/login", json.dumps(USUAL.body()).encode())


def bare_rate(seconds: float) -> float:
    """Checks of one password by one thread a core; a second."""
    hasher = argon2.using(type="ID", memory_cost=ARGON2_MEMORY_KIB, time_cost=ARGON2_PASSES, parallelism=ARGON2_LANES)
    stored = hasher.hash(ALICE_PASSWORD)
    deadline = time.perf_counter() + seconds

    def checks() -> int:
        done = 0
        while time.perf_counter() < deadline:
            assert argon2.verify(ALICE_PASSWORD, stored)
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(CORES) as threads:
        done = sum(thread.result() for thread in [threads.submit(checks) for _ in range(CORES)])
    return done / (time.perf_counter() - began)


async def flood(port: int, rate: float, seconds: float, token: str) -> dict[str, Result]:
    """Logins at `rate` a second, and at the same time one client on each of the other endpoints, ten times a second."""
    senders = 400
    others = {
        "/.well-known/jwks.json": repeated(request_bytes("GET", "/.well-known/jwks.json"), 1),
        "/health": repeated(request_bytes("GET", "/health"), 1),
        "/token": [chain(token)],
    }
    results = await asyncio.gather(
        run(port, repeated(LOGIN, senders), seconds, senders / rate),
        *(run(port, clients, seconds, 0.1) for clients in others.values()),
    )
    return dict(zip(("/login", *others), results, strict=True))


def measure(rounds: int, seconds: float, console: Console) -> Iterator[Figure]:
    """Throughput in pairs, then one flood; the flood's figures are printed, as they are no ratio."""
    ours, bare = [], []
    with Home() as home, home.scorer() as scorer, home.gateway(scorer) as gateway:
        logged_in(gateway.port)  # upgrades the stored hash
        for _ in range(rounds):
            result = load(gateway.port, repeated(LOGIN, CLIENTS), seconds)
            if set(result.statuses) != {200}:
                raise AssertionError(dict(result.statuses))
            ours.append(result.rate)
            bare.append(bare_rate(seconds))
        capacity = sum(ours) / len(ours)
        seen = uvloop.run(flood(gateway.port, FLOOD * capacity, seconds * 2, logged_in(gateway.port)))
    yield Figure("logins", "a second", "bare argon2id check", ours, bare, "≥ 0.85×")
    logins = seen.pop("/login")
    console.print(
        f"flood of {sum(logins.statuses.values()) / logins.seconds:.0f} logins a second "
        f"({FLOOD} × {capacity:.0f} asked): answers {dict(logins.statuses)}, "
        f"{logins.refused_without_retry_after} refusals without Retry-After, p95 {logins.percentile(0.95):.0f} ms"
    )
    for path, result in seen.items():
        console.print(
            f"  meanwhile {path}: p50 {result.percentile(0.5):.1f} ms, p95 {result.percentile(0.95):.1f} ms "
            f"(aim ≤ 100 ms), answers {dict(result.statuses)}"
        )
