"""`POST /assess` over HTTP at a fixed pace: one event, judged, durably kept and answered; the log is invented.

The people are known from the events before, which come as bulks. The baseline is an empty endpoint that reads the same
bodies on the same server at the same pace. Time of the scorer's core is told beside what clients waited.
"""

from collections.abc import Iterator, Sequence

import httpx2
import msgspec
import uvloop
from rich.console import Console

from benchmarks.activity_log import notice_of
from benchmarks.home import Address, Home
from benchmarks.load import Result, in_turn, request_bytes, run
from benchmarks.report import Figure, short
from benchmarks.scoring import SERVER_CORE
from benchmarks.servers import contender, cpu_seconds
from risk_scorer.contract.sessions import MAX_NOTICES
from training.activity.event import Event
from training.activity.log import Plan, events
from training.activity.rows import assess_body

ROWS, PEOPLE, ALONE = 22_000, 100, 4_000
"""Of the events the last four thousand come by themselves."""
A_BODY = 1_000
PACE, CLIENTS = 50, 10
"""Events a second, and how many clients share them."""


def measure(rounds: int, seconds: float, console: Console) -> Iterator[Figure]:
    """Latencies, round by round in pairs, and what an event took of the scorer's core."""
    log = list(events(Plan(rows=ROWS, people=PEOPLE)))
    bodies = [msgspec.json.encode(assess_body(each)) for each in log[-ALONE:]]
    ours, base, spent = list[Result](), list[Result](), list[float]()
    with Home() as home, home.scorer(core=SERVER_CORE) as scorer, contender("empty", SERVER_CORE) as empty:
        _tell(scorer, log)
        places = iter(range(0, ALONE, max(1, int(PACE * seconds) + CLIENTS)))
        for _, first in zip(range(rounds + 1), places, strict=False):
            here = bodies[first:] + bodies[:first]  # no event comes twice: its answer would be known
            began = cpu_seconds(scorer.pid)
            ours.append(_asked(scorer.port, "/assess", here, seconds, scorer.credential))
            spent.append((cpu_seconds(scorer.pid) - began) * 1e3 / len(ours[-1].latencies_ms))
            base.append(_asked(empty, "/score", here, seconds, ""))
    for share in (0.5, 0.95):
        theirs = [each.percentile(share) for each in base[1:]]  # the first round warms both
        name = f"/assess, {PACE} a second, p{share * 100:.0f}"
        yield Figure(
            name,
            "ms",
            "empty endpoint",
            [each.percentile(share) for each in ours[1:]],
            theirs,
            "",
            more_is_better=False,
        )
    console.print(f"activity-http: {short(sorted(spent[1:])[len(spent[1:]) // 2])} ms of the core for an event")


def _asked(port: int, path: str, bodies: Sequence[bytes], seconds: float, credential: str) -> Result:
    """Every client has events of its own, and no client has so many that they come to an end."""
    headers = {"authorization": f"Bearer {credential}"}
    requests = [request_bytes("POST", path, body, headers) for body in bodies[: int(PACE * seconds) + CLIENTS]]
    result = uvloop.run(run(port, in_turn(requests, CLIENTS), seconds, CLIENTS / PACE, in_turn=True))
    if set(result.statuses) != {200}:
        raise AssertionError(dict(result.statuses))
    return result


def _tell(scorer: Address, log: Sequence[Event]) -> None:
    """The log's sessions, and all events but those that come by themselves."""
    told = list({each.session_id: notice_of(each) for each in reversed(log)}.values())
    bulk = [assess_body(each) for each in log[:-ALONE]]
    _post(scorer, "/sessions", [told[first : first + MAX_NOTICES] for first in range(0, len(told), MAX_NOTICES)])
    _post(scorer, "/assess/bulk", [bulk[first : first + A_BODY] for first in range(0, len(bulk), A_BODY)])


def _post(scorer: Address, path: str, bodies: Sequence[object]) -> None:
    headers = {"authorization": f"Bearer {scorer.credential}", "content-type": "application/json"}
    with httpx2.Client(base_url=f"http://127.0.0.1:{scorer.port}", headers=headers, trust_env=False) as http:
        for body in bodies:
            http.post(path, content=msgspec.json.encode(body), timeout=120).raise_for_status()
