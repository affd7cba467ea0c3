"""What a shadow costs those who wait for an answer: `/score` of a scorer where one shadows, and of one without.

Both are up at once, each alone on its core while it is measured, and asked at a fixed pace whether it keeps up or not.
The shadow is the very model that decides, which costs what any other does.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import msgspec
import uvloop
from rich.console import Console

from benchmarks import people
from benchmarks.home import MODELS, Address, Home
from benchmarks.load import Result, in_turn, request_bytes, run
from benchmarks.report import Figure
from benchmarks.scoring import SERVER_CORE
from benchmarks.servers import cpu_seconds

EVENTS = 2_000
PACES = ((50, 10), (400, 40))
"""Logins a second, and how many clients share them."""
LINGER_SECONDS = 3.0
"""For what waits for the shadow to be scored, before the next measurement."""


def measure(rounds: int, seconds: float, console: Console) -> Iterator[Figure]:
    """Latencies, and the processor's time for a login and its shadow, at each pace, round by round in pairs."""
    now = time.time()
    events = people.arriving(EVENTS, datetime.fromtimestamp(now, UTC).isoformat())
    bodies = [msgspec.json.encode(event) for event in events]
    with (
        Home() as home,
        home.scorer(core=SERVER_CORE) as plain,
        home.scorer(core=SERVER_CORE, name="beside", MODEL_SHADOW_DIR=str(MODELS)) as shadowed,
    ):
        for pace, clients in PACES:
            found: dict[int, list[Result]] = {plain.port: [], shadowed.port: []}
            spent: dict[int, list[float]] = {plain.port: [], shadowed.port: []}
            for number in range(rounds + 1):
                for scorer in (plain, shadowed):
                    began = cpu_seconds(scorer.pid)
                    result = _asked(scorer, bodies, pace, clients, seconds)
                    if number:  # the first round warms both
                        found[scorer.port].append(result)
                        spent[scorer.port].append((cpu_seconds(scorer.pid) - began) * 1000 / len(result.latencies_ms))
            for share in (0.5, 0.99):
                ours, base = ([each.percentile(share) for each in found[one.port]] for one in (shadowed, plain))
                name = f"/score with a shadow, {pace} a second, p{share * 100:.0f}"
                yield Figure(name, "ms", "without a shadow", ours, base, "≥ 0.8×", more_is_better=False)
            name = f"processor of a login with a shadow, {pace} a second"
            ours, base = spent[shadowed.port], spent[plain.port]
            yield Figure(name, "ms", "without a shadow", ours, base, "≥ 0.6×", more_is_better=False)
        console.print(f"shadow: {_counted(shadowed)}")


def _asked(scorer: Address, bodies: list[bytes], pace: int, clients: int, seconds: float) -> Result:
    headers = {"authorization": f"Bearer {scorer.credential}"}
    requests = [request_bytes("POST", "/score", body, headers) for body in bodies]
    result = uvloop.run(run(scorer.port, in_turn(requests, clients), seconds, clients / pace, in_turn=True))
    if set(result.statuses) != {200}:
        raise AssertionError(dict(result.statuses))
    time.sleep(LINGER_SECONDS)
    return result


def _counted(scorer: Address) -> str:
    """What became of the logins, by the scorer's own word."""
    told = httpx2.get(
        f"http://127.0.0.1:{scorer.port}/shadow",
        headers={"authorization": f"Bearer {scorer.credential}"},
        timeout=30,
        trust_env=False,
    ).json()
    return f"{told['scored']:,} scored, {told['dropped']:,} dropped, {told['failed']:,} failed, {told['logins']:,} kept"
