"""From the first request of a stolen session to the gateway's answer: both real services, as the demo starts them. A
thief on another network, with another browser, takes exports; the token dies when the signal has arrived.
"""

import shutil
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from rich.console import Console

from benchmarks.bounds import Bounded, percentile, tell
from benchmarks.home import KEY, MODELS, Home
from demo.house import House, Ports, Workplace
from demo.people import USUAL

THEFTS = 60
MOST_REQUESTS = 10
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 10.0
OWN = {name: USUAL.context[name] for name in ("ip", "user_agent", "ja4")}
THIEF = {"ip": "203.0.113.77", "user_agent": "python-requests/2.32", "ja4": "t13d1011h1_61a7ad8aa9b6_3a8073edd8ef"}
EXPORTS = ("/crm/export", "/reports/7/export", "/billing/invoices/19/pdf")


def measure(console: Console) -> list[Bounded]:
    """Sixty thefts, one after the other."""
    with Home() as home:
        state = home.state / "house" / "demo"
        shutil.copytree(KEY.parent, state.parent / "training", ignore=shutil.ignore_patterns("models", "*.json"))
        with _running(House(Workplace(state, MODELS), Ports.choose(0, 0, 0))) as house:
            credential = house.make_credential("bench", "activity")
            found = [_theft(house, credential) for _ in range(THEFTS)]
    took, answered = [each[0] for each in found], [each[1] for each in found]
    console.print(f"  requests until the alarm: {dict(Counter(each[2] for each in found))}")
    console.print(f"  first request to effect, median: {statistics.median(took):.3f} s")
    figures = [
        Bounded("first request to effect, p95", percentile(took, 0.95), "s", most=60.0),
        Bounded("alarm to effect, the longest", max(answered), "s", most=5.0),
    ]
    tell(figures, console)
    return figures


@contextmanager
def _running(house: House) -> Iterator[House]:
    """Scorer and gateway, up until the block ends."""
    house.workplace.clean()
    try:
        house.scorer.start()
        credential = house.make_credential("gateway", "score,outcomes,feedback,erase")
        house.gateway.environment = house.gateway_environment(credential)
        house.gateway.start()
        house.scorer.wait_until_ready(f"{house.scorer_url}/ready")
        house.gateway.wait_until_ready(f"{house.gateway_url}/ready")
        yield house
    finally:
        house.stop()


def _theft(house: House, credential: str) -> tuple[float, float, int]:
    """Seconds from the thief's first request, and from the alarm, until the token is dead; and how many requests."""
    bearer = {"authorization": f"Bearer {credential}"}
    with (
        httpx2.Client(base_url=house.gateway_url, trust_env=False) as gateway,
        httpx2.Client(base_url=house.scorer_url, headers=bearer, trust_env=False) as application,
    ):
        allowed = gateway.post("/login", json=USUAL.body()).json()
        session_id, token = allowed["session_id"], allowed["tokens"]["access_token"]
        while application.post("/assess", json=_request(session_id, "/crm/customers/4", OWN)).status_code != 200:
            time.sleep(LOOK_SECONDS)
        began, requests = time.monotonic(), 0
        for requests in range(1, MOST_REQUESTS + 1):
            path = EXPORTS[requests % len(EXPORTS)]
            if application.post("/assess", json=_request(session_id, path, THIEF)).json()["action"] != "allow":
                break
        alarmed = time.monotonic()
        while gateway.get("/userinfo", headers={"authorization": f"Bearer {token}"}).status_code != 401:
            if time.monotonic() - alarmed > PATIENCE_SECONDS:
                raise TimeoutError("the token still counts")
            time.sleep(LOOK_SECONDS)
        dead = time.monotonic()
    return dead - began, dead - alarmed, requests


def _request(session_id: str, path: str, looks: dict[str, str]) -> dict[str, object]:
    event = {"endpoint": path, "status_code": 200, "latency_ms": 80, "bytes_out": 4_000_000, "service": "crm"}
    return {"identity": {"user_id": "alice", "session_id": session_id, **looks}, "event": event}
