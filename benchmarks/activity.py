"""What people do in sessions, from the bytes of `POST /assess/bulk` to the risk on the disk.

Below `BESIDE_FROM` events the scorer is inside a process held to one core, its writer thread with it. From there on
there are as many scorers on one database as `SCORERS` says, each with its share of the people as partitions of a topic
would give it, and a process of its own looks for campaigns beside them among the same stored events; below, that looks
when the scorer is done. The log is invented. Two requests are on their way at a time, so that while the disk is waited
for the next is judged. Seconds of the core are told beside those of the clock: on a machine that others use too, the
former are what an event costs.

An event takes 1 kB in the database and 0.8 kB in the log: ten million take about 20 GB in TMPDIR, which are gone at the
end.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import msgspec
from rich.console import Console

from benchmarks.activity_campaigns import Watched
from benchmarks.activity_log import bodies_in, most_resident_bytes, scorer_of
from benchmarks.report import Figure, short
from risk_scorer.acting import Acting, acting_of
from risk_scorer.assembly import Scorer
from risk_scorer.contract.activity import AssessRequest
from risk_scorer.upkeep import prepare

ROWS = 200_000
BESIDE_FROM = 1_000_000
"""Below, what is told is what one core does while the others rest."""
SCORERS = 2
"""From `BESIDE_FROM` events on: one for each core."""
TEN_MILLION_SECONDS = 1_800
"""What a day of ten million events may take at most with campaigns beside it."""
BARE_BODIES = 200
"""As many are only decoded, to tell what that alone takes."""
REQUESTS_AT_ONCE = 2
WARM_SHARE = 0.1
"""Of the bodies, before anything is counted: agents that are parsed first, memories that are begun."""
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


class Share(NamedTuple):
    """The people of one of several scorers."""

    part: int
    parts: int

    def of(self, requests: list[AssessRequest]) -> list[AssessRequest]:
        """Those of its people."""
        if self.parts == 1:
            return requests
        return [each for each in requests if crc32(each.identity.user_id.encode()) % self.parts == self.part]


class Paces(msgspec.Struct, frozen=True):
    """Events a second in all, seconds by the clock; seconds of the core for an event in all and in each tenth; what one
    by itself took, in ms."""

    rate: float
    seconds: float
    core: float
    tenths: list[float]
    bare: float
    p50_ms: float
    p95_ms: float
    database_bytes: int
    resident_bytes: int
    judged: dict[str, int]


class Both(NamedTuple):
    """Scoring and what looked for campaigns beside it, and the seconds from the first event to the last look's end."""

    paces: Paces
    watched: Watched
    seconds: float


def measure(rounds: int, console: Console, *, rows: list[int]) -> Iterator[Figure]:
    """Ours against the same core doing nothing but decoding; each size in processes of its own."""
    for size in rows or [ROWS]:
        both = []
        for _ in range(rounds):
            both.append(_both(size))
            _tell(size, both[-1], console)
        pairs = [each.paces for each in both]
        ours, bare = [each.rate for each in pairs], [each.bare for each in pairs]
        core = [each.core * 1e6 for each in pairs]
        yield Figure(
            "the same, core each", "µs", BARE, core, [1e6 / each.bare for each in pairs], "≤ 100 µs",
            more_is_better=False,
        )  # fmt: skip
        aim = "≥ 10,000" if size < BESIDE_FROM else f"≥ {10_000_000 // TEN_MILLION_SECONDS:,}"
        yield Figure(f"activity, {size:,} events, bytes to disk", "events a second", BARE, ours, bare, aim)


def _tell(size: int, both: Both, console: Console) -> None:
    each, watched = both.paces, both.watched
    tenths = ", ".join(str(round(one * 1e6)) for one in each.tenths)
    console.print(
        f"  {size:,} events: {short(each.rate)} a second, core {short(each.core * 1e6)} µs ({tenths}); "
        f"alone p50 {each.p50_ms:.2f} ms, p95 {each.p95_ms:.2f} ms; database {each.database_bytes / 1e6:,.0f} "
        f"MB, at most {each.resident_bytes / 1e6:,.0f} MB resident; {each.judged}; load {os.getloadavg()[0]:.1f}"
    )
    console.print(
        f"  campaigns: {watched.campaigns} among {watched.events:,} events of {watched.accounts:,} people in "
        f"{watched.looks} looks, the longest {watched.longest_seconds:.1f} s, the last, after the end of scoring, "
        f"{watched.last_seconds:.1f} s; {watched.core_seconds:.0f} s of its core, at most "
        f"{watched.resident_bytes / 1e6:,.0f} MB resident; from the first event to the last look "
        f"{both.seconds:,.0f} s by the clock"
    )


def _both(size: int) -> Both:
    with tempfile.TemporaryDirectory(prefix="riskgate-bench-") as place:
        subprocess.run(_command("activity_log", str(size), place), check=True)
        with ExitStack() as stack:
            looking = stack.enter_context(_looking(place)) if size >= BESIDE_FROM else None
            each = _scored(size, place, SCORERS if size >= BESIDE_FROM else 1)
            began = time.perf_counter()
            told, _ = (looking or stack.enter_context(_looking(place))).communicate()  # its input ends: the last look
            after = time.perf_counter() - began
        paces = _together(each)
        return Both(paces, msgspec.json.decode(told.splitlines()[-1], type=Watched), paces.seconds + after)


def _scored(size: int, place: str, scorers: int) -> list[Paces]:
    """What each of them says, once all are done."""
    commands = [_command("activity", str(size), place, str(part), str(scorers)) for part in range(scorers)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
    told = [each.communicate()[0] for each in running]
    if any(each.returncode for each in running):
        raise SystemExit("a scorer failed")
    return [msgspec.json.decode(each.splitlines()[-1], type=Paces) for each in told]


def _together(each: list[Paces]) -> Paces:
    """What scorers beside each other make: rates and memory in sum, times of the slowest, the core's for an event of
    all."""
    judged: dict[str, int] = {}
    for one in each:
        judged = {action: judged.get(action, 0) + one.judged.get(action, 0) for action in judged | one.judged}
    counts = [sum(one.judged.values()) for one in each]
    return Paces(
        rate=sum(one.rate for one in each),
        seconds=max(one.seconds for one in each),
        core=sum(one.core * count for one, count in zip(each, counts, strict=True)) / sum(counts),
        tenths=[sum(these) / len(these) for these in zip(*(one.tenths for one in each), strict=False)],
        bare=max(one.bare for one in each),
        p50_ms=max(one.p50_ms for one in each),
        p95_ms=max(one.p95_ms for one in each),
        database_bytes=max(one.database_bytes for one in each),
        resident_bytes=sum(one.resident_bytes for one in each),
        judged=judged,
    )


@contextmanager
def _looking(place: str) -> Iterator["subprocess.Popen[bytes]"]:
    """What looks for campaigns there, until its input is closed."""
    command = _command("activity_campaigns", str(Path(place) / "state" / "scorer.db"))
    looking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield looking
    finally:
        looking.kill()
        looking.wait()


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


def main() -> None:
    """One measurement of one scorer, told as JSON."""
    size, place, part, parts = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if size < BESIDE_FROM:
        os.sched_setaffinity(0, {0})
    scorer = scorer_of(size, place)
    try:
        found = asyncio.run(_measured(scorer, place, Share(part, parts)))
    finally:
        scorer.close()
    print(json.dumps(msgspec.to_builtins(found)))


async def _measured(scorer: Scorer, place: Path, share: Share) -> Paces:
    acting = acting_of(scorer)
    await prepare(scorer)
    bodies = bodies_in(place)
    work = [asyncio.create_task(each) for each in acting.work()]
    began = time.perf_counter()
    with bodies.open("rb") as lines:
        count = sum(len(_bulk.decode(line)) for line in islice(lines, BARE_BODIES))
    bare = count / (time.perf_counter() - began)
    marks, judged, spent, began = [], dict[str, int](), time.process_time(), time.perf_counter()

    async def asked(line: bytes) -> None:
        answers = await acting.assess.many(share.of(_bulk.decode(line)), may_vouch=False)
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
    count = sum(one.events for one in marks)
    start = int(len(marks) * WARM_SHARE)
    counted = marks[start + 1 :]
    rate = sum(one.events for one in counted) / (ended - marks[start].at)
    alone = await _alone(acting, bodies)
    return Paces(rate, ended - began, spent / count, _tenths(marks), bare, *alone, *_bytes(place), judged)


def _bytes(place: Path) -> tuple[int, int]:
    """What the database takes, and the process in memory at most."""
    state = sum(file.stat().st_size for file in (place / "state").glob("scorer.db*"))
    return state, most_resident_bytes()


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


if __name__ == "__main__":
    main()
