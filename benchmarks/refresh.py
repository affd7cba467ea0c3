"""Token refresh over HTTP with full durability, against the bare transaction by the same writer."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import uvloop
from sqlalchemy import Column, Float, LargeBinary, MetaData, Table, bindparam, insert, update

from benchmarks.home import Home
from benchmarks.load import NextRequest, load, request_bytes
from benchmarks.report import Figure
from demo.people import USUAL
from plumbing.database import Database
from plumbing.statements import Statement, Transaction

CLIENTS = 32
SERVER_CORE, LOAD_CORE = 0, 1

metadata = MetaData()
tokens = Table("tokens", metadata, Column("digest", LargeBinary, primary_key=True), Column("used_at", Float))
SPEND = Statement(
    update(tokens)
    .where(tokens.c.digest == bindparam("old"), tokens.c.used_at.is_(None))
    .values(used_at=bindparam("now"))
)
ADD = Statement(insert(tokens).values(digest=bindparam("digest"), used_at=None))


def bare_rate(folder: Path, seconds: float) -> float:
    """Compare-and-set and insert, durable, by as many callers as there are clients; a second."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder / 'bare.db'}"
    database = Database.open(url, metadata=metadata)
    metadata.create_all(database.engine)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        return uvloop.run(_bare(database, seconds))
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        database.close()


async def _bare(database: Database, seconds: float) -> float:
    deadline = time.perf_counter() + seconds
    done = 0

    async def caller(number: int) -> None:
        nonlocal done
        old = os.urandom(32)
        await database.write(lambda tx: tx.run(ADD, digest=old))
        while time.perf_counter() < deadline:
            new = os.urandom(32)

            def spend(tx: Transaction, old: bytes = old, new: bytes = new) -> None:
                assert tx.run(SPEND, old=old, now=1.0) == 1
                tx.run(ADD, digest=new)

            await database.write(spend)
            old = new
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CLIENTS)))
    return done / (time.perf_counter() - began)


def chain(refresh_token: str) -> NextRequest:
    """A client that spends each token that it is given."""

    def following(status: int, body: bytes) -> bytes:
        token = json.loads(body)["refresh_token"] if status == 200 else refresh_token
        grant = json.dumps({"grant_type": "refresh_token", "refresh_token": token}).encode()
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
    yield Figure("refresh on SQLite", "a second", "bare durable transaction", ours, bare, "≥ 0.25×")
