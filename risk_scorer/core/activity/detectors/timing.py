"""How long answers take for this person, beside what the same endpoint takes for everyone just now.

Whoever uses a stolen session through relays, or asks an endpoint for far more than its person does, waits another time
than they do. A server that is slow is slow for all: its present slowness is taken off first, as other people feel it.
"""

import math
from typing import ClassVar

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled, part_in
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.usual import Usual, learn_value, tail_nats

ENDPOINTS = 64
"""Of one service; one that is little known leaves first."""
STEP = 0.05
"""By which a median follows each answer: frugal streaming (Ma, Muthukrishnan, Sandler 2013)."""
SETTLED = 30
"""Answers after which an endpoint's median is one: its steps have reached a factor of four by then."""
PRESENT_SECONDS = 600.0
"""The service's slowness is the mean of about ten minutes; older answers weigh e times less."""
DOUBT = 1.0
"""Answers' worth of doubt: what one answer to somebody else says of the server is half believed, and whoever has been
alone on it of late cannot be told from it, so that half of what is found counts."""
OWN_ENOUGH = 40.0
SESSION_MEMORY, SESSION_ENOUGH = 12.0, 4.0
"""Answers that the session's mean rests on."""
LEAST_DEVIATION = 0.25
"""As a logarithm, of an answer and between sessions: networks at home and at work differ by a quarter."""
START_NATS = 2.0
LEAST_MS = 1.0
LEAST_SLOWNESS = 0.05
"""A twentieth is not worth taking off."""


class Latencies(Part):
    """Of one service: endpoint → median (logarithm) and answers; its slowness as of `at`, as people other than the
    last who was heard felt it, and on how many answers that rests."""

    most_bytes: ClassVar[int] = ENDPOINTS * (4 * 80 + 20) + 4 * 256 + 40
    medians: dict[str, tuple[float, int]] = {}
    at: float = 0.0
    slow: float = 0.0
    weight: float = 0.0
    by: str = ""


class Present(Part):
    """The mean of the session's last answers beside everyone's, and how many there were."""

    most_bytes: ClassVar[int] = 20
    mean: float = 0.0
    seen: float = 0.0


class Timing(Detector):
    """Answers that take another time than this person's do."""

    name = "timing"
    family = "automation"
    warm_up = "40 answers of the person, and 30 of the endpoint"
    texts = {"latency": "Answers take another time than they take for this person, and it is not the server."}
    parts = {"person": Usual, "session": Present, "service": Latencies}

    def __init__(self) -> None:
        self._found: tuple[Seen | None, float, float | None] = (None, 0.0, None)  # spares the same again

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        if math.isnan(seen.latency_ms):
            return None
        own: Usual | None = around.person.get("timing")
        service: Latencies | None = around.service.get("timing")
        log = _log(seen)
        apart = None if service is None else _apart(seen, log, service)
        self._found = (seen, log, apart)
        if own is None or own.seen < OWN_ENOUGH or apart is None:
            return UNKNOWN
        mean, answers = _with(around.session.get("timing"), apart)
        if answers < SESSION_ENOUGH:
            return None
        least = LEAST_DEVIATION * LEAST_DEVIATION
        deviation = math.sqrt(max(own.variance, least) / answers + least)
        nats = tail_nats((mean - own.mean) / deviation) - START_NATS
        if nats <= 0.0 or service is None:
            return None
        heard = _weight(service, seen.ts)
        nats *= heard / (heard + DOUBT)
        return Finding("latency", nats, f"{math.exp(mean):.1f} × the usual", f"{math.exp(own.mean):.1f} ×")

    def learn(self, seen: Seen, around: Around) -> None:
        if math.isnan(seen.latency_ms):
            return
        service = part_in(around.service, "timing", Latencies)
        log, apart = self._again(seen, service)
        if apart is not None:
            learn_value(part_in(around.person, "timing", Usual), apart, LEAST_DEVIATION)
        if not is_calm(around.session):
            return
        medians = service.medians
        known = medians.get(seen.endpoint)
        if known is not None and known[1] >= SETTLED and not is_sampled(seen.ts):
            return
        if known is None:
            if len(medians) >= ENDPOINTS:
                del medians[min(medians, key=lambda endpoint: medians[endpoint][1])]
            medians[seen.endpoint] = (log, 1)
        else:
            median, answers = known
            step = STEP if log > median else -STEP if log < median else 0.0
            medians[seen.endpoint] = (median + step, min(answers + 1, SETTLED))

    def note(self, seen: Seen, around: Around) -> None:
        service: Latencies | None = around.service.get("timing")
        if service is None or math.isnan(seen.latency_ms):
            return
        log, apart = self._again(seen, service)
        if apart is None:
            return
        present = part_in(around.session, "timing", Present)
        present.mean, present.seen = _with(present, apart)
        if service.by != seen.user_id:
            _hear(service, seen, log)

    def _again(self, seen: Seen, service: Latencies) -> tuple[float, float | None]:
        """What `look` made of it: the answer's logarithm, and how far apart it is."""
        known, log, apart = self._found
        if known is seen:
            return log, apart
        log = _log(seen)
        return log, _apart(seen, log, service)


def _log(seen: Seen) -> float:
    return math.log(max(seen.latency_ms, LEAST_MS))


def _apart(seen: Seen, log: float, service: Latencies) -> float | None:
    """The answer beside the endpoint's median and the server's present slowness; None for an endpoint little known."""
    median, answers = service.medians.get(seen.endpoint, (0.0, 0))
    if answers < SETTLED:
        return None
    apart = log - median
    if not -LEAST_SLOWNESS < service.slow < LEAST_SLOWNESS:
        weight = _weight(service, seen.ts)
        apart -= service.slow * weight / (weight + DOUBT)
    return apart


def _weight(service: Latencies, ts: float) -> float:
    """On how many answers of late the service's slowness rests."""
    return service.weight * math.exp(min(0.0, service.at - ts) / PRESENT_SECONDS)


def _with(present: Present | None, apart: float) -> tuple[float, float]:
    if present is None:
        return apart, 1.0
    answers = min(present.seen + 1.0, SESSION_MEMORY)
    return present.mean + (apart - present.mean) / answers, answers


def _hear(service: Latencies, seen: Seen, log: float) -> None:
    """One more answer says how slow the server is: nobody who asks again and again can say so alone."""
    apart = log - service.medians[seen.endpoint][0]
    weight = _weight(service, seen.ts) + 1.0
    service.slow += (apart - service.slow) / weight
    service.weight, service.at, service.by = weight, max(service.at, seen.ts), seen.user_id
