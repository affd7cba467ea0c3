"""Wrong passwords as a weapon, against a real gateway: what the guesser gets, and whether the owner still gets in."""

import asyncio
import time
from collections import Counter

import httpx2
import uvloop
from rich.console import Console

from benchmarks.bounds import Bounded, tell
from benchmarks.crowds import add_owners, client, guess_of, login_of, stream
from benchmarks.home import Home

GUESSES, ADDRESSES, SECONDS, OWNER_COMES = 2_000, 200, 60.0, 20


def measure(console: Console, *, is_long: bool) -> list[Bounded]:
    """2,000 guesses in a minute, without `--long` a sixth of both; and the owner between them."""
    share = 1.0 if is_long else 1 / 6
    seconds, rate = SECONDS * share, GUESSES / SECONDS
    with Home() as home:
        add_owners(home.state, ["owner"])
        with home.scorer() as scorer, home.gateway(scorer) as gateway, client(gateway.port) as http:
            first = http.post("/login", json=login_of("owner", 0))
            if first.status_code != 200:
                raise AssertionError(first.text)
            owner, statuses = uvloop.run(_at_once(gateway.port, rate, seconds))
    figures = [
        Bounded("the owner on a known device, let in", owner[200], f"times of {OWNER_COMES}", least=OWNER_COMES),
        Bounded("guesses that were looked at", statuses[401], f"of {statuses.total()}", most=100),
        Bounded("errors", statuses[0] + sum(n for s, n in statuses.items() if s >= 500 and s != 503), "", most=0),
    ]
    console.print(f"{statuses.total()} wrong passwords from {ADDRESSES} addresses in {seconds:.0f} s: {dict(statuses)}")
    tell(figures, console)
    return figures


async def _at_once(port: int, rate: float, seconds: float) -> tuple[Counter[int], Counter[int]]:
    found: Counter[int] = Counter()

    async def owner() -> None:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            began = time.perf_counter()
            for turn in range(OWNER_COMES):
                await asyncio.sleep(max(0.0, began + turn * seconds / OWNER_COMES - time.perf_counter()))
                answer = await http.post("/login", json=login_of("owner", 0))
                found[answer.status_code if answer.status_code != 200 or answer.json()["allowed"] else 0] += 1

    guesses = stream(port, lambda n: guess_of("owner", n, ADDRESSES), rate=rate, seconds=seconds)
    result, _ = await asyncio.gather(guesses, owner())
    return found, result.statuses
