"""Token refresh over HTTP with full durability, against the bare transaction by the same writer."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import uvloop

from auth_gateway.assembly import assemble
from auth_gateway.core.claims import by_password
from auth_gateway.core.context import PUBLIC_CLIENT_ID
from auth_gateway.core.policy import CONTEXT_UNKNOWN
from auth_gateway.core.ruling import Ruling
from auth_gateway.flows.refresh import Refresh, Refusal, Rotated, Turn
from auth_gateway.service import Service
from auth_gateway.settings import load_settings
from benchmarks.home import Home
from benchmarks.load import NextRequest, load, request_bytes
from benchmarks.report import Figure
from demo.people import USUAL
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent

CLIENTS = 32
SERVER_CORE, LOAD_CORE = 0, 1
ALLOWED = Ruling(decision=CONTEXT_UNKNOWN)


def bare_rate(folder: Path, seconds: float) -> float:
    """The refresh's own transaction (look up, spend, add the successor, audit), durable, without HTTP or signing."""
    gateway = assemble(load_settings(auth_gateway_state=folder, auth_gateway_profile="demo"))
    gateway.add_demo_users()
    refresh = Service(gateway).token_routes().refresh
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        return uvloop.run(_bare(refresh, seconds))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        gateway.close()


async def _bare(refresh: Refresh, seconds: float) -> float:
    deadline = time.perf_counter() + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        text = await _session(refresh)
        while time.perf_counter() < deadline:
            now, event_id = refresh.clock.now(), refresh.randomness.event_id("evt")
            turn = Turn(refresh_token=text, client_id=PUBLIC_CLIENT_ID, event_id=event_id, now=now, ruling=ALLOWED)
            rotated = await refresh.database.write(partial(_rotate, refresh, turn))
            assert isinstance(rotated, Rotated)
            text = rotated.refresh_text
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


def _rotate(refresh: Refresh, turn: Turn, tx: Transaction) -> Rotated | Refusal:
    return refresh.rotate(tx, turn)


async def _session(refresh: Refresh) -> str:
    """A refresh token of a new session of Alice's."""
    now = refresh.clock.now()
    grant = refresh.issuer.prepare(
        LoginEvent(user_id="alice", ip="198.51.100.9"),
        client_id=PUBLIC_CLIENT_ID,
        authentication=by_password(now),
        risk_score=None,
        now=now,
    )
    await refresh.database.write(lambda tx: refresh.issuer.write(tx, grant))
    return grant.refresh_text


def chain(refresh_token: str) -> NextRequest:
    """A client that spends each token that it is given, and says where the person is, so that its risk is judged."""

    def following(status: int, body: bytes) -> bytes:
        token = json.loads(body)["refresh_token"] if status == 200 else refresh_token
        grant = json.dumps({**USUAL.context, "grant_type": "refresh_token", "refresh_token": token}).encode()
        return request_bytes("POST", "/token", grant)

    return following


def logged_in(port: int) -> str:
    answer = httpx2.post(f"http://127.0.0.1:{port}/login", json=USUAL.body(), timeout=20, trust_env=False)
    token: str = answer.raise_for_status().json()["tokens"]["refresh_token"]
    return token


def measure(rounds: int, seconds: float) -> Iterator[Figure]:
    """Refresh and bare transaction in turns, each with the same clients on the same core."""
    ours, bare = [], []
    with Home() as home, home.scorer() as scorer, home.gateway(scorer, cores={SERVER_CORE}) as gateway:
        for turn in range(rounds):
            clients = [chain(logged_in(gateway.port)) for _ in range(CLIENTS)]
            result = load(gateway.port, clients, seconds, core=LOAD_CORE)
            if set(result.statuses) != {200}:
                raise AssertionError(dict(result.statuses))
            ours.append(result.rate)
            bare.append(bare_rate(home.state / f"bare-{turn}", seconds))
    yield Figure("refresh on SQLite", "a second", "its transaction alone, as durable", ours, bare, "≥ 0.25×")
