"""`/score` and `/bulk_score` over HTTP, against an empty endpoint on the same server and the reference design.

The logins are of people whose history the model brought along, one in ten of them from elsewhere, some of them at
addresses where others are being tried.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx2
import msgspec

from benchmarks import people
from benchmarks.home import Address, Home
from benchmarks.load import in_turn, load, request_bytes
from benchmarks.report import Figure
from benchmarks.servers import contender
from risk_scorer.contract.feedback import Outcome

SERVER_CORE, LOAD_CORE = 0, 1
CLIENTS = 16
BULK_EVENTS = 2_000


def tell(scorer: Address, outcomes: list[Outcome]) -> None:
    """Have the scorer learn how these logins ended."""
    httpx2.post(
        f"http://127.0.0.1:{scorer.port}/outcomes",
        content=msgspec.json.encode(outcomes),
        headers={"authorization": f"Bearer {scorer.credential}", "content-type": "application/json"},
        timeout=30,
        trust_env=False,
    ).raise_for_status()


def measure(rounds: int, seconds: float) -> Iterator[Figure]:
    """All servers are up at once and take turns, each alone on its core while it is measured."""
    now = time.time()
    events = people.arriving(BULK_EVENTS, datetime.fromtimestamp(now, UTC).isoformat())
    single, many = [msgspec.json.encode(event) for event in events], msgspec.json.encode(events)
    plain = [request_bytes("POST", "/score", one) for one in single]
    rates: dict[str, list[float]] = {"ours": [], "empty": [], "reference": [], "our bulk": [], "reference bulk": []}
    with (
        Home() as home,
        home.scorer(core=SERVER_CORE) as scorer,
        contender("empty", SERVER_CORE) as empty,
        contender("reference", SERVER_CORE) as reference,
    ):
        headers = {"authorization": f"Bearer {scorer.credential}"}
        tell(scorer, people.attack(events, now))
        scored = [request_bytes("POST", "/score", one, headers) for one in single]
        bulk = [request_bytes("POST", "/bulk_score", many, headers)]
        reference_bulk = [request_bytes("POST", "/bulk_score", many)]
        runs = (
            ("empty", empty, plain, CLIENTS, 1),
            ("ours", scorer.port, scored, CLIENTS, 1),
            ("reference", reference, plain, 4, 1),
            ("our bulk", scorer.port, bulk, 1, BULK_EVENTS),
            ("reference bulk", reference, reference_bulk, 1, BULK_EVENTS),
        )
        for _, port, requests, clients, _ in runs:
            load(port, in_turn(requests, clients), 1.0, core=LOAD_CORE)  # warm
        for _ in range(rounds):
            for name, port, requests, clients, size in runs:
                result = load(port, in_turn(requests, clients), seconds, core=LOAD_CORE)
                if set(result.statuses) != {200}:
                    raise AssertionError(f"{name}: {dict(result.statuses)}")
                rates[name].append(result.rate * size)
    yield Figure("/score", "a second", "empty endpoint, same body and server", rates["ours"], rates["empty"], "≥ 0.40×")
    yield Figure("/score", "a second", "reference design", rates["ours"], rates["reference"], "≥ 100×")
    yield Figure(
        "/bulk_score, one core",
        "events a second",
        "reference design",
        rates["our bulk"],
        rates["reference bulk"],
        "≥ 10×, ≥ 20,000 a second",
    )
