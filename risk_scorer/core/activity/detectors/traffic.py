"""How much is done in a minute and in ten minutes, against what this person does when active.

Counts of people who are active vary more than chance does, so their law is negative binomial (Greenwood and Yule 1920),
whose tail is bounded in closed form (Chernoff 1952). Quiet minutes are not counted: being away is no pace.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, part_in
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.usual import Usual, blended, learn_value

FAST_SECONDS, SLOW_SECONDS = 60, 600
"""A page opens within a minute; ten minutes is what a copier who keeps below the fast window needs."""
ENOUGH_OWN, ENOUGH_PEERS = 12.0, 60.0
"""Active windows: some sessions of a person, some people of a group."""
PEERS_STRENGTH = 6.0
LOOKS_NATS = 3.5
"""What a session's many windows cost: the highest of 30 looks is this rare by chance alone (log 30, Bonferroni)."""
LEAST_DEVIATION = 1.0
WELL_KNOWN, CALM = 30.0, 5.0
"""Windows from which peers hardly count any more; deviations squared, which make less than 2.5 nats."""


class Pace(Part):
    """Windows of one length: the present one with its events, those that taught, and what is usual."""

    most_bytes: ClassVar[int] = 56
    window: int = 0
    events: int = 0
    taught: int = 0
    usual: Usual = field(default_factory=Usual)


class Paces(Part):
    """A person's windows, or with `usual` alone those of their peers."""

    most_bytes: ClassVar[int] = 114
    fast: Pace = field(default_factory=Pace)
    slow: Pace = field(default_factory=Pace)


class Traffic(Detector):
    """Bursts and long runs that this person never makes."""

    name = "traffic"
    family = "amount"
    warm_up = "12 active minutes of the person, or 60 of people with the same roles"
    texts = {
        "traffic_burst": "Far more is done in a minute than this person ever does.",
        "traffic_run": "More is done in ten minutes than this person does, for longer than they go on.",
    }
    parts = {"person": Paces, "peers": Paces}
    is_taken_back = False

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        own: Paces | None = around.person.get("traffic")
        if own is None:
            return UNKNOWN
        ts = int(seen.ts)
        if _is_calm(own.fast, ts // FAST_SECONDS) and _is_calm(own.slow, ts // SLOW_SECONDS):
            return None
        peers: Paces | None = around.peers.get("traffic")
        fast = _surprise(own.fast, None if peers is None else peers.fast, ts // FAST_SECONDS)
        if fast is None:
            return UNKNOWN
        slow = _surprise(own.slow, None if peers is None else peers.slow, ts // SLOW_SECONDS) or 0.0
        nats = (fast if fast > slow else slow) - LOOKS_NATS
        if nats <= 0.0:
            return None
        if fast >= slow:
            return Finding("traffic_burst", nats, f"{own.fast.events + 1} in a minute", f"{own.fast.usual.mean:.1f}")
        return Finding("traffic_run", nats, f"{own.slow.events + 1} in 10 minutes", f"{own.slow.usual.mean:.1f}")

    def learn(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "traffic", Paces)
        fast, slow = int(seen.ts) // FAST_SECONDS, int(seen.ts) // SLOW_SECONDS
        if fast > own.fast.window:
            peers = part_in(around.peers, "traffic", Paces) if is_calm(around.session) else None
            _finish(own.fast, None if peers is None else peers.fast, fast)
            if slow > own.slow.window:
                _finish(own.slow, None if peers is None else peers.slow, slow)
        own.fast.taught += 1
        own.slow.taught += 1

    def note(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "traffic", Paces)
        _count(own.fast, int(seen.ts) // FAST_SECONDS)
        _count(own.slow, int(seen.ts) // SLOW_SECONDS)


def _is_calm(pace: Pace, window: int) -> bool:
    """Whether the count is so near a well known mean that nothing can be found: the tail's bound is below (k-m)²/2v."""
    usual = pace.usual
    if usual.seen < WELL_KNOWN:
        return False
    above = (pace.events + 1 if window <= pace.window else 1) - usual.mean
    return above <= 0.0 or above * above <= CALM * usual.variance


def _surprise(pace: Pace, peers: Pace | None, window: int) -> float | None:
    """Nats of the tail from the count on that this event makes, 0 where nothing can be found; None while too little is
    known."""
    count = pace.events + 1 if window <= pace.window else 1
    others = None if peers is None or peers.usual.seen < ENOUGH_PEERS else peers.usual
    if pace.usual.seen < ENOUGH_OWN and others is None:
        return None
    if count <= pace.usual.mean:
        return 0.0
    known, mean, variance = blended(pace.usual, others, PEERS_STRENGTH)
    above = count - mean
    if above * above <= CALM * variance:
        return 0.0
    return tail_nats(count, max(mean, 1.0), variance * (1.0 + 1.0 / known))


def tail_nats(count: int, mean: float, variance: float) -> float:
    """At least how rare `count` or more is, as -log: Chernoff's bound for the negative binomial, 0 up to the mean."""
    if count <= mean:
        return 0.0
    nats = count * math.log(count / mean)
    if variance <= mean * 1.01:
        return nats - (count - mean)
    shape = mean * mean / (variance - mean)
    return nats - (count + shape) * math.log((count + shape) / (mean + shape))


def _finish(pace: Pace, peers: Pace | None, window: int) -> None:
    """A window that is over is learned if each of its events was allowed to teach."""
    if pace.events and pace.taught == pace.events:
        learn_value(pace.usual, float(pace.events), LEAST_DEVIATION)
        if peers is not None:
            learn_value(peers.usual, float(pace.events), LEAST_DEVIATION)
    pace.window, pace.events, pace.taught = window, 0, 0


def _count(pace: Pace, window: int) -> None:
    """An event that comes late counts where we are: nobody goes back in time."""
    if window > pace.window:
        pace.window, pace.events, pace.taught = window, 0, 0
    pace.events += 1
