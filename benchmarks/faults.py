"""A scorer that misbehaves in every way we could think of, behind a real gateway: what people get, how long they wait
while it hangs, once the breaker is open, and until all is well again.
"""

import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx2
import msgspec
from rich.console import Console

from benchmarks.bounds import Bounded, percentile, tell
from benchmarks.crowds import add_owners, client, login_of
from benchmarks.home import Address, Home
from tests.hostile_scorers import FAULTS, HostileScorer, says_score

HEALTHY, BROKEN, OPENS_AFTER, WHILE_OPEN = 60, 2, 5, 40
WELL_BETWEEN = 3
PATIENCE_SECONDS = 20.0


class Newcomer:
    """One owner who comes from another device and address each time, always with the right password."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http
        self._turn = 0
        self.statuses: Counter[int] = Counter()
        self.allowed = 0

    def comes(self) -> tuple[bool, float]:
        """Whether that let them in, and how many milliseconds it took."""
        self._turn += 1
        body = login_of("owner", self._turn) | {"device_id": f"new-{self._turn}"}
        body["ip"] = f"100.64.{self._turn // 250 % 250}.{self._turn % 250 + 1}"
        began = time.perf_counter()
        answer = self._http.post("/login", json=body)
        took = (time.perf_counter() - began) * 1000
        self.statuses[answer.status_code] += 1
        is_in = answer.status_code == 200 and bool(answer.json().get("allowed"))
        self.allowed += is_in
        return is_in, took

    def comes_until_in(self) -> float:
        """Seconds until the next that is let in."""
        began = time.perf_counter()
        while not self.comes()[0] and time.perf_counter() - began < PATIENCE_SECONDS:
            time.sleep(0.2)
        return time.perf_counter() - began


def measure(console: Console, *, is_long: bool) -> list[Bounded]:
    """Six rounds of hanging and recovery, and every fault; without `--long` two rounds."""
    with Home() as home, HostileScorer(says_score()).on_its_own() as scorer:
        add_owners(home.state, ["owner"])
        with home.gateway(Address(scorer.port, "rgs_bench")) as gateway, client(gateway.port) as http:
            newcomer = Newcomer(http)
            healthy = [newcomer.comes()[1] for _ in range(HEALTHY)]
            hanging, opened, back = _hang(newcomer, scorer, rounds=6 if is_long else 2)
            let_in = _every_fault(newcomer, scorer)
        written, unexplained = _trail(home.state / "gateway" / "gateway.db")
    console.print(f"answers {dict(newcomer.statuses)} under {len(FAULTS)} faults")
    base = percentile(healthy, 0.95)
    console.print(f"  healthy: p50 {percentile(healthy, 0.5):.1f} ms, p95 {base:.1f} ms")
    errors = sum(count for status, count in newcomer.statuses.items() if status not in {200, 403})
    figures = [
        Bounded("let in under a fault", let_in, "", most=0),
        Bounded("answers that are neither in nor denied", errors, "", most=0),
        Bounded("while it hangs, p95 beyond healthy", percentile(hanging, 0.95) - base, "ms", most=350),
        Bounded("breaker open, p95 beyond healthy", percentile(opened, 0.95) - base, "ms", most=10),
        Bounded("back to normal, the longest", max(back), "s", most=10),
        Bounded("audit lines of who was let in, beyond who was", written - newcomer.allowed, "", least=0, most=0),
        Bounded("audit lines without a score and without a cause", unexplained, "", most=0),
    ]
    tell(figures, console)
    return figures


def _hang(newcomer: Newcomer, scorer: HostileScorer, *, rounds: int) -> tuple[list[float], list[float], list[float]]:
    hanging: list[float] = []
    opened: list[float] = []
    back: list[float] = []
    for _ in range(rounds):
        scorer.behave = FAULTS["hang"]
        hanging += [newcomer.comes()[1] for _ in range(OPENS_AFTER)]
        until = time.perf_counter() + 4.0  # before the breaker lets a probe through
        while time.perf_counter() < until and len(opened) < WHILE_OPEN * rounds:
            opened.append(newcomer.comes()[1])
        scorer.behave = says_score()
        back.append(newcomer.comes_until_in())
    return hanging, opened, back


def _every_fault(newcomer: Newcomer, scorer: HostileScorer) -> int:
    """How many were let in."""
    let_in = 0
    for behave in FAULTS.values():
        scorer.behave = says_score()
        newcomer.comes_until_in()
        for _ in range(WELL_BETWEEN - 1):
            newcomer.comes()
        scorer.behave = behave
        let_in += sum(newcomer.comes()[0] for _ in range(BROKEN))
    return let_in


def _trail(file: Path) -> tuple[int, int]:
    """Lines of logins that were let in, and decisions without a score that do not say why."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT kind, score, facts FROM audit WHERE kind LIKE 'login.%'").fetchall()
    allowed = sum(kind == "login.allowed" for kind, _, _ in rows)
    return allowed, sum(score is None and not msgspec.json.decode(facts).get("unscored") for _, score, facts in rows)
