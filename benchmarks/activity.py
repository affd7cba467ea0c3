"""What people do in sessions, from the bytes of `POST /assess/bulk` to the risk on the disk, the scorer on one core.

The scorer runs inside a process of its own that is held to one core, its writer thread with it; the log is invented.
Two requests are on their way at a time, so that while the disk is waited for the next is judged. Seconds of the core
are told beside those of the clock: on a machine that others use too, the former are what an event costs.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console

from benchmarks.report import Figure, short
from risk_scorer.acting import Acting, acting_of
from risk_scorer.assembly import Scorer, assemble
from risk_scorer.contract.activity import AssessRequest
from risk_scorer.contract.sessions import MAX_NOTICES, SessionNotice
from risk_scorer.settings import Settings
from risk_scorer.upkeep import prepare
from training.activity.event import Event
from training.activity.log import Plan, events
from training.activity.rows import assess_body

ROWS, EVENTS_A_PERSON = 200_000, 400
A_BODY, REQUESTS_AT_ONCE = 1_000, 2
WARM_SHARE = 0.1
"""Of the bodies, before anything is counted: agents that are parsed first, memories that are begun."""
DAYS = 21
SINGLES = 500
BARE = "a loop that only decodes the same bytes"

_bulk = msgspec.json.Decoder(list[AssessRequest])
_encode = msgspec.json.Encoder().encode


class Mark(NamedTuple):
    """When a request was answered, by the clock and the core, how many events and bytes that was."""

    at: float
    core: float
    events: int
    size: int


class Paces(msgspec.Struct, frozen=True):
    """Events a second in all, seconds of the core for an event in all and in each tenth; what one by itself took, in
    ms."""

    rate: float
    core: float
    tenths: list[float]
    bare: float
    p50_ms: float
    p95_ms: float
    database_bytes: int
    resident_bytes: int
    judged: dict[str, int]


def measure(rounds: int, console: Console, *, rows: list[int]) -> Iterator[Figure]:
    """Ours against the same core doing nothing but decoding; each size in processes of its own."""
    for size in rows or [ROWS]:
        pairs = [_paces(size) for _ in range(rounds)]
        for each in pairs:
            tenths = ", ".join(str(round(one * 1e6)) for one in each.tenths)
            console.print(
                f"  {size:,} events: {short(each.rate)} a second, core {short(each.core * 1e6)} µs ({tenths}); "
                f"alone p50 {each.p50_ms:.2f} ms, p95 {each.p95_ms:.2f} ms; database {each.database_bytes / 1e6:,.0f} "
                f"MB, resident {each.resident_bytes / 1e6:,.0f} MB; {each.judged}; load {os.getloadavg()[0]:.1f}"
            )
        ours, bare = [each.rate for each in pairs], [each.bare for each in pairs]
        core = [each.core * 1e6 for each in pairs]
        yield Figure(
            "the same, core each", "µs", BARE, core, [1e6 / each.bare for each in pairs], "≤ 100 µs",
            more_is_better=False,
        )  # fmt: skip
        yield Figure(f"activity, {size:,} events, bytes to disk", "events a second", BARE, ours, bare, "≥ 10,000")


def _paces(size: int) -> Paces:
    with tempfile.TemporaryDirectory(prefix="riskgate-bench-") as place:
        command = [sys.executable, "-m", "benchmarks.activity", str(size), place]
        done = subprocess.run(command, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Paces)


def main() -> None:
    """One measurement, told as JSON."""
    size, place = int(sys.argv[1]), Path(sys.argv[2])
    os.sched_setaffinity(0, {0})
    settings = Settings(
        risk_scorer_state=place / "state", risk_scorer_profile="demo", model_dir=place / "none",
        risk_scorer_log_level="error",
    )  # fmt: skip
    scorer = assemble(settings)
    try:
        found = asyncio.run(_measured(scorer, size, place))
    finally:
        scorer.close()
    print(json.dumps(msgspec.to_builtins(found)))


async def _measured(scorer: Scorer, size: int, place: Path) -> Paces:
    acting = acting_of(scorer)
    await prepare(scorer)
    bodies = await _prepared(acting, size, place / "bodies")
    work = [asyncio.create_task(each) for each in acting.work()]
    began = time.perf_counter()
    with bodies.open("rb") as lines:
        count = sum(len(_bulk.decode(line)) for line in lines)
    bare = count / (time.perf_counter() - began)
    marks, judged, spent = [], dict[str, int](), time.process_time()

    async def asked(line: bytes) -> None:
        answers = await acting.assess.many(_bulk.decode(line), may_vouch=False)
        body = _encode([each for each in answers if not isinstance(each, Exception)])
        marks.append(Mark(time.perf_counter(), time.process_time(), len(answers), len(body)))
        for each in answers:
            action = getattr(each, "action", "refused")
            judged[action] = judged.get(action, 0) + 1

    with bodies.open("rb") as lines:
        await asyncio.gather(*(_one_after_the_other(lines, asked) for _ in range(REQUESTS_AT_ONCE)))
    await acting.keep_the_rest()
    ended, spent = time.perf_counter(), time.process_time() - spent
    for task in work:
        task.cancel()
    start = int(len(marks) * WARM_SHARE)
    counted = marks[start + 1 :]
    rate = sum(one.events for one in counted) / (ended - marks[start].at)
    alone = await _alone(acting, bodies)
    return Paces(rate, spent / count, _tenths(marks), bare, *alone, *_bytes(place), judged)


def _bytes(place: Path) -> tuple[int, int]:
    """What the database takes, and the process in memory."""
    state = sum(file.stat().st_size for file in (place / "state").glob("scorer.db*"))
    return state, int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _tenths(marks: list[Mark]) -> list[float]:
    """Seconds of the core for an event in each tenth."""
    step = max(1, len(marks) // 10)
    ends = list(range(0, len(marks), step))
    return [
        (marks[b].core - marks[a].core) / sum(one.events for one in marks[a + 1 : b + 1]) for a, b in pairwise(ends)
    ]


async def _one_after_the_other(lines: Iterable[bytes], asked: Callable[[bytes], Coroutine[Any, Any, None]]) -> None:
    for line in lines:
        await asked(line)


async def _alone(acting: Acting, bodies: Path) -> tuple[float, float]:
    """Single events, one after the other: p50 and p95 in milliseconds."""
    with bodies.open("rb") as lines:
        first = _bulk.decode(lines.readline())
    took = []
    for each in first[:SINGLES]:
        body = _encode(msgspec.structs.replace(each, event_id=None))  # else it would be known
        began = time.perf_counter()
        asked = msgspec.json.decode(body, type=AssessRequest)
        _encode(await acting.assess.one(asked, may_vouch=False))
        took.append((time.perf_counter() - began) * 1e3)
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.95)]


async def _prepared(acting: Acting, size: int, file: Path) -> Path:
    """The log as bodies, a line each; its sessions are told first, as the gateway would."""
    told: dict[str, SessionNotice] = {}
    with file.open("wb") as lines:
        body: list[Any] = []
        for event in events(Plan(rows=size, people=max(20, size // EVENTS_A_PERSON), days=DAYS)):
            told.setdefault(event.session_id, notice_of(event))
            body.append(assess_body(event))
            if len(body) == A_BODY:
                lines.write(_encode(body) + b"\n")
                body = []
        if body:
            lines.write(_encode(body) + b"\n")
    notices = list(told.values())
    for first in range(0, len(notices), MAX_NOTICES):
        await acting.hear.notices(notices[first : first + MAX_NOTICES], path="$")
    return file


def notice_of(event: Event) -> SessionNotice:
    """What the gateway tells of the event's session when it begins."""
    return SessionNotice(
        session_id=event.session_id, user_id=event.user_id, state="started", at=event.started, client_id="app",
        ip=event.ip, user_agent=event.user_agent, device_id=event.device_id, ja4=event.ja4 or None, roles=event.roles,
        privileges=event.privileges,
    )  # fmt: skip


if __name__ == "__main__":
    main()
