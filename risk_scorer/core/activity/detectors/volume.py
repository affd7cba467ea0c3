"""How much goes out in an hour, against what this person and their peers take in the hours in which they work."""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, part_in
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.usual import Usual, blended, learn_value, tail_nats

HOUR_SECONDS = 3_600
OWN_ENOUGH, PEERS_ENOUGH = 8.0, 40.0
"""Hours in which something went out."""
PEERS_STRENGTH = 4.0
LEAST_DEVIATION = 0.5
"""As a logarithm: hours of one person differ by a factor of 1.6 though nothing is unusual."""
START_NATS = 2.5
"""What the largest hour of an ordinary session reaches by chance."""


class Hourly(Part):
    """The present hour: bytes, events, those that taught; and what is usual, as a logarithm."""

    most_bytes: ClassVar[int] = 64
    hour: int = 0
    bytes_out: int = 0
    events: int = 0
    taught: int = 0
    usual: Usual = field(default_factory=Usual)


class Volume(Detector):
    """An export."""

    name = "volume"
    family = "amount"
    warm_up = "8 hours of the person with bytes out, or 40 of people with the same roles"
    texts = {"volume": "Far more data goes out in an hour than this person and their peers ever take."}
    parts = {"person": Hourly, "peers": Usual}
    is_taken_back = False

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        own: Hourly | None = around.person.get("volume")
        others: Usual | None = around.peers.get("volume")
        if others is not None and others.seen < PEERS_ENOUGH:
            others = None
        if own is None or (own.usual.seen < OWN_ENOUGH and others is None):
            return UNKNOWN
        if not seen.bytes_out:
            return None
        out = seen.bytes_out + (own.bytes_out if int(seen.ts) // HOUR_SECONDS <= own.hour else 0)
        log = math.log(out)
        if log <= own.usual.mean:
            return None
        known, mean, variance = blended(own.usual, others, PEERS_STRENGTH)
        above = log - mean
        if above <= LEAST_DEVIATION:
            return None
        deviation = math.sqrt(max(variance, LEAST_DEVIATION * LEAST_DEVIATION) * (1.0 + 1.0 / known))
        nats = tail_nats(above / deviation) - START_NATS
        return None if nats <= 0.0 else Finding("volume", nats, in_words(out), in_words(math.exp(mean)))

    def learn(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "volume", Hourly)
        hour = int(seen.ts) // HOUR_SECONDS
        if hour > own.hour:
            if own.bytes_out and own.taught == own.events:
                value = math.log(own.bytes_out)
                learn_value(own.usual, value, LEAST_DEVIATION)
                if is_calm(around.session):
                    learn_value(part_in(around.peers, "volume", Usual), value, LEAST_DEVIATION)
            _begin(own, hour)
        own.taught += 1

    def note(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "volume", Hourly)
        hour = int(seen.ts) // HOUR_SECONDS
        if hour > own.hour:
            _begin(own, hour)
        own.bytes_out += seen.bytes_out
        own.events += 1


def _begin(own: Hourly, hour: int) -> None:
    own.hour, own.bytes_out, own.events, own.taught = hour, 0, 0, 0


def in_words(size: float) -> str:
    """Bytes as people say them: 3.4 MB an hour."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000.0 or unit == "GB":
            break
        size /= 1000.0
    return f"{size:.3g} {unit} an hour"
