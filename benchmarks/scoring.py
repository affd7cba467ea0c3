"""`/score` and `/bulk_score` over HTTP, against an empty endpoint on the same server and the reference design."""

import json
from collections.abc import Iterator

from benchmarks.home import Home
from benchmarks.load import load, repeated, request_bytes
from benchmarks.report import Figure
from benchmarks.servers import contender

SERVER_CORE, LOAD_CORE = 0, 1
CLIENTS = 16
BULK_EVENTS = 2_000


def events(count: int) -> list[dict[str, object]]:
    """Different people, networks and browsers, so that no cache answers for all of them."""
    return [
        {
            "timestamp": f"2025-08-{1 + at % 9:02d}T{at % 24:02d}:12:00Z",
            "user_id": f"user-{at % 997}",
            "ip": f"{11 + at % 180}.{at * 7 % 256}.{at * 13 % 256}.{1 + at % 250}",
            "user_agent": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            f"Chrome/{100 + at % 40}.0.0.0 Safari/537.36",
            "device_id": f"device-{at % 1499}",
            "success": True,
            "country": "DE",
            "region": "BE",
            "city": "Berlin",
            "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
            "ja4h": "ge11nn100000_9999",
            "ja4s": "654321",
        }
        for at in range(count)
    ]


def measure(rounds: int, seconds: float) -> Iterator[Figure]:
    """All servers are up at once and take turns, each alone on its core while it is measured."""
    one = json.dumps(events(1)[0]).encode()
    many = json.dumps(events(BULK_EVENTS)).encode()
    plain = request_bytes("POST", "/score", one)
    rates: dict[str, list[float]] = {"ours": [], "empty": [], "reference": [], "our bulk": [], "reference bulk": []}
    with (
        Home() as home,
        home.scorer(core=SERVER_CORE) as scorer,
        contender("empty", SERVER_CORE) as empty,
        contender("reference", SERVER_CORE) as reference,
    ):
        headers = {"authorization": f"Bearer {scorer.credential}"}
        scored = request_bytes("POST", "/score", one, headers)
        bulk = request_bytes("POST", "/bulk_score", many, headers)
        reference_bulk = request_bytes("POST", "/bulk_score", many)
        runs = (
            ("empty", empty, plain, CLIENTS, 1),
            ("ours", scorer.port, scored, CLIENTS, 1),
            ("reference", reference, plain, 4, 1),
            ("our bulk", scorer.port, bulk, 1, BULK_EVENTS),
            ("reference bulk", reference, reference_bulk, 1, BULK_EVENTS),
        )
        for _, port, request, clients, _ in runs:
            load(port, repeated(request, clients), 1.0, core=LOAD_CORE)  # warm
        for _ in range(rounds):
            for name, port, request, clients, size in runs:
                result = load(port, repeated(request, clients), seconds, core=LOAD_CORE)
                if set(result.statuses) != {200}:
                    raise AssertionError(f"{name}: {dict(result.statuses)}")
                rates[name].append(result.rate * size)
    yield Figure("/score", "a second", "empty endpoint, same body and server", rates["ours"], rates["empty"], "≥ 0.40×")
    yield Figure("/score", "a second", "reference design", rates["ours"], rates["reference"], "≥ 100×")
    yield Figure(
        "/bulk_score", "events a second", "reference design", rates["our bulk"], rates["reference bulk"], "≥ 10×"
    )
