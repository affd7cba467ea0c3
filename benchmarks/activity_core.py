"""One event of activity through every detector to its score: invented people, no bytes, look-ups or storage."""

import gc
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from rich.console import Console

from benchmarks import forest
from benchmarks.report import Figure
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.memory import SCOPES, Around, Memory, packed
from risk_scorer.core.activity.seen import Change, Seen, SessionFacts, action_of, endpoint_template, peers_of
from risk_scorer.core.features import FEATURES
from risk_scorer.core.observation import prefix_of
from training.activity.event import Event
from training.activity.log import Plan, events

PEOPLE, ROWS, TIMED, BASELINE_ROWS = 150, 60_000, 15_000, 100
"""400 events a person, of which the last hundred are timed: people who are known."""


def measure(rounds: int, console: Console) -> Iterator[Figure]:
    """Every round takes the whole log through an engine of its own and times its end; CPU time of this process."""
    seen = observed(list(events(Plan(rows=ROWS, people=PEOPLE))))
    baseline = forest.fitted(np.random.default_rng(0).gamma(1.5, 2.0, size=(20_000, len(FEATURES))))
    row = np.ones((1, len(FEATURES)))
    ours, theirs = [], []
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            arounds, engine = known(seen)
            ours.append(microseconds(engine.assess, seen[-TIMED:], arounds[-TIMED:]))
            began = time.process_time()
            for _ in range(BASELINE_ROWS):
                baseline.decision_function(row)
            theirs.append((time.process_time() - began) / BASELINE_ROWS * 1e6)
        arounds, _ = known(seen)
        tell(seen[-TIMED:], arounds[-TIMED:], console)
    finally:
        gc.unfreeze()
    yield Figure(
        f"activity, {len(ALL)} detectors, one event", "µs", "scikit-learn decision_function of one row",
        ours, theirs, "≤ 50 µs", more_is_better=False,
    )  # fmt: skip


def known(seen: Sequence[Seen]) -> tuple[list[Around], Engine]:
    """The memories around each event, after an engine has seen all but the timed ones."""
    kept: dict[tuple[str, str], Memory] = defaultdict(dict)
    arounds = [Around(*[kept[scope, key] for scope, key in zip(SCOPES, keys(each), strict=True)]) for each in seen]
    engine = Engine(ALL)
    for each, around in zip(seen[:-TIMED], arounds, strict=False):
        engine.assess(each, around)
    return arounds, engine


def keys(seen: Seen) -> tuple[str, ...]:
    """Whose memories they are, in the order of `SCOPES`."""
    return seen.user_id, seen.session_id, seen.peers, seen.service, "", seen.trace_id


def microseconds(work: Callable[[Seen, Around], object], seen: Sequence[Seen], arounds: Sequence[Around]) -> float:
    """CPU time of one event."""
    began = time.process_time()
    for each, around in zip(seen, arounds, strict=True):
        work(each, around)
    return (time.process_time() - began) / len(seen) * 1e6


def tell(seen: Sequence[Seen], arounds: Sequence[Around], console: Console) -> None:
    """What each detector takes alone, and how many bytes the people take who are known now."""

    def three(detector: Detector) -> Callable[[Seen, Around], object]:
        def work(each: Seen, around: Around) -> None:
            detector.look(each, around)
            detector.learn(each, around)
            detector.note(each, around)

        return work

    for detector in ALL:
        console.print(f"  {detector.name}: {microseconds(three(detector), seen, arounds):.1f} µs")
    people = {each.user_id: around.person for each, around in zip(seen, arounds, strict=True)}
    sizes = sorted(len(packed(memory)) for memory in people.values())
    console.print(
        f"  a person: {sizes[len(sizes) // 2]:,} bytes packed (median), {sizes[-1]:,} at most of {len(sizes)}"
    )


def observed(log: Sequence[Event]) -> list[Seen]:
    """The invented events as detectors see them."""
    began: dict[str, SessionFacts] = {}
    return [_seen(event, began) for event in log]


def _seen(event: Event, began: dict[str, SessionFacts]) -> Seen:
    template, prefix, change = endpoint_template(event.endpoint), prefix_of(event.ip), event.change
    first = began.get(event.session_id)
    if first is None:
        first = began[event.session_id] = SessionFacts(
            ip=event.ip, prefix=prefix, asn=event.asn, country=event.country, browser=event.user_agent[-16:],
            device_id=event.device_id, ja4=event.ja4, started_at=event.started,
        )  # fmt: skip
    return Seen(
        event.moment, event.event_id, event.user_id, event.session_id, template, action_of(event.method, template),
        event.method, event.status, event.latency_ms, event.bytes_in, event.bytes_out, event.service, event.trace_id,
        event.event_type, event.device_id, event.ip, prefix, event.asn, event.country, event.user_agent[-16:], "",
        event.device_type, event.ja4, event.roles, event.privileges, peers_of(event.roles),
        None if change is None else Change(ts=event.moment, **change._asdict()), first, "", math.nan, math.nan,
    )  # fmt: skip
