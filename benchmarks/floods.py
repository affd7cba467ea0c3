"""A flood of logins at five times what the gateway can check, nine in ten of them for names that nobody has: what is
still served, how refusals come, and what it does to everybody else.
"""

import asyncio
import base64
import time
from dataclasses import dataclass

import uvloop
from rich.console import Console

from benchmarks.bounds import Bounded, percentile, resident_mib, tell
from benchmarks.crowds import (
    INSPECTOR,
    add_owners,
    as_request,
    by_owners,
    client,
    guess_of,
    login_of,
    stream,
)
from benchmarks.home import Address, Home
from benchmarks.load import NextRequest, Result, in_turn, load, repeated, request_bytes, run
from benchmarks.refresh import chain
from benchmarks.servers import cpu_seconds

TIMES, ADDRESSES, OWNERS = 5.0, 500, 40
OWNERS_SHARE = 0.05
"""Of all that comes; nine in ten are for unknown names, and the rest are guesses at the owners."""
LONG_SECONDS, SHORT_SECONDS = 60.0, 12.0
REST_SECONDS = 10.0
NAMES = [f"owner-{number}" for number in range(OWNERS)]
Parts = dict[str, float]
"""Seconds of processor time until now, of each process that takes part."""


@dataclass(frozen=True)
class Flood:
    """What was seen: the flood's answers, owners who came and were served, the other endpoints, and for how long."""

    logins: Result
    came: int
    served: int
    others: dict[str, Result]
    seconds: float

    @property
    def checked(self) -> int:
        """Passwords that were looked at, right or wrong."""
        return sum(self.logins.statuses[status] for status in (200, 401, 403)) + self.served


def measure(console: Console, *, is_long: bool) -> list[Bounded]:
    """The figures of a flood of a minute, without `--long` of twelve seconds."""
    seconds = LONG_SECONDS if is_long else SHORT_SECONDS
    with Home() as home:
        secret = add_owners(home.state, NAMES)
        with home.scorer() as scorer, home.gateway(scorer) as gateway:
            _become_known(gateway.port)
            began = _parts(gateway, scorer)
            capacity = _capacity(gateway.port, seconds / 6)
            calm = _since(began, _parts(gateway, scorer))
            quiet_ms = _quiet(gateway.port)
            before, began = resident_mib(gateway.pid), _parts(gateway, scorer)
            seen = uvloop.run(_flood(gateway, secret, TIMES * capacity, seconds))
            busy = _since(began, _parts(gateway, scorer))
            grown = resident_mib(gateway.pid) - before
            time.sleep(REST_SECONDS)
            after_ms = _quiet(gateway.port)
    console.print(
        f"{TIMES:.0f} × {capacity:.0f} logins a second for {seconds:.0f} s from {ADDRESSES} addresses: "
        f"strangers {dict(seen.logins.statuses)}, owners {seen.served} of {seen.came}"
    )
    checks = {"capacity": capacity * seconds / 6, "flood": seen.checked}
    for name, used in (("capacity", calm), ("flood", busy)):
        shares = ", ".join(f"{part} {spent:.1f}" for part, spent in used.items())
        per_check = sum(used.values()) / max(1.0, checks[name]) * 1000
        console.print(f"  seconds of processor time, {name}: {shares}; {per_check:.0f} ms for each password checked")
    figures = _figures(seen, capacity=capacity, grown=grown, quiet_ms=quiet_ms, after_ms=after_ms)
    tell(figures, console)
    return figures


def _parts(gateway: Address, scorer: Address) -> Parts:
    """This process is the one that makes the load."""
    return {"gateway": cpu_seconds(gateway.pid), "scorer": cpu_seconds(scorer.pid), "load": time.process_time()}


def _since(began: Parts, ended: Parts) -> Parts:
    return {part: ended[part] - spent for part, spent in began.items()}


def _figures(
    seen: Flood, *, capacity: float, grown: float, quiet_ms: list[float], after_ms: list[float]
) -> list[Bounded]:
    logins = seen.logins
    errors = (
        sum(count for status, count in logins.statuses.items() if status == 0 or status >= 500) - (logins.statuses[503])
    )
    return [
        Bounded("passwords checked, of what is without a flood", seen.checked / seen.seconds / capacity, "", least=0.8),
        Bounded("refusals, p95", percentile(logins.refused_ms, 0.95), "ms", most=100),
        Bounded("refusals without Retry-After", logins.refused_without_retry_after, "", most=0),
        Bounded("errors", errors, "", most=0),
        Bounded("owners on known devices, served", seen.served / max(1, seen.came), "", least=0.95),
        *(Bounded(f"{path}, p95", found.percentile(0.95), "ms", most=100) for path, found in seen.others.items()),
        Bounded("memory grown", grown, "MiB", most=64),
        Bounded("a login ten seconds later, p50 of p50 before", percentile(after_ms, 0.5) / percentile(quiet_ms, 0.5),
                "", most=1.5),
    ]  # fmt: skip


async def _flood(gateway: Address, secret: str, rate: float, seconds: float) -> Flood:
    tokens = await asyncio.to_thread(_tokens, gateway.port)
    asked = request_bytes(
        "POST",
        "/introspect",
        f"token={tokens['access_token']}".encode(),
        {"content-type": "application/x-www-form-urlencoded", "authorization": _basic(secret)},
    )
    others: dict[str, list[NextRequest]] = {
        "/health": repeated(request_bytes("GET", "/health"), 1),
        "/.well-known/jwks.json": repeated(request_bytes("GET", "/.well-known/jwks.json"), 1),
        "/token (refresh)": [chain(tokens["refresh_token"])],
        "/introspect": repeated(asked, 1),
    }
    share = 1 - OWNERS_SHARE
    sides = asyncio.gather(*(run(gateway.port, clients, seconds, 0.1) for clients in others.values()))
    logins, (came, served), results = await asyncio.gather(
        stream(gateway.port, _stranger, rate=rate * share, seconds=seconds),
        by_owners(gateway.port, NAMES, rate=rate * OWNERS_SHARE, seconds=seconds),
        sides,
    )
    return Flood(logins, came, served, dict(zip(others, results, strict=True)), seconds)


def _basic(secret: str) -> str:
    return "Basic " + base64.b64encode(f"{INSPECTOR}:{secret}".encode()).decode()


def _stranger(number: int) -> dict[str, str]:
    """Nineteen in twenty try a name that nobody has, which is nine in ten of all that comes."""
    name = NAMES[number % OWNERS] if number % 19 == 0 else f"nobody-{number}"
    return guess_of(name, number, ADDRESSES)


def _become_known(port: int) -> None:
    with client(port) as http:
        for number, name in enumerate(NAMES):
            answer = http.post("/login", json=login_of(name, number))
            if answer.status_code != 200 or not answer.json().get("allowed"):
                raise AssertionError(answer.text)


def _capacity(port: int, seconds: float) -> float:
    """Logins of owners a second, as many as there can be."""
    requests = [as_request(login_of(name, number)) for number, name in enumerate(NAMES)]
    result = load(port, in_turn(requests, 4), seconds)
    if set(result.statuses) != {200}:
        raise AssertionError(dict(result.statuses))
    return result.rate


def _quiet(port: int) -> list[float]:
    """How long owners wait who come one after the other, in milliseconds."""
    requests = [as_request(login_of(name, number)) for number, name in enumerate(NAMES)]
    return load(port, in_turn(requests, 1), 2.0).latencies_ms


def _tokens(port: int) -> dict[str, str]:
    with client(port) as http:
        answer = http.post("/login", json=login_of(NAMES[0], 0)).raise_for_status()
        return {name: str(value) for name, value in answer.json()["tokens"].items()}
