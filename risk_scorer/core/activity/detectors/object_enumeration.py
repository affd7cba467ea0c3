"""Somebody who goes through other people's things: ids one after the other, or far more of them than anybody opens.

Source for the threat: OWASP API Security Top 10, API1:2023, "Broken Object Level Authorization". The walk over steps is
that of `account_probe`; how many things a session opens is held against the share of peers' sessions that opened so
many, so that a month's end or a shop's gallery is what the peers make of it.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of, is_marked, mark

_NAME = "object_enumeration"
NEXT_IF_ENUMERATING, NEXT_USUAL = 0.9, 0.5
"""Shares of steps from one id to the one beside it. Reason for the second: half of what is opened in a list may be
beside the last; what a service really has is learned."""
LEAST_NEXT, MOST_NEXT = 0.3, 0.8
"""No service makes a run of four evidence enough, since one's own orders stand beside each other; and none makes runs
of any length usual, however often somebody has run there."""
STEPS_STRENGTH, MOST_STEPS = 100.0, 10_000.0
MANY_IF_ENUMERATING = 0.2
"""Share of thieves' sessions that open so much; others take one export."""
MOST_MANY_NATS = 3.0
"""20 to 1, which asks nobody by itself: how far the tail of busy days reaches is known worst."""
FEWEST_THINGS = 16
"""So many are not many, whatever others do."""
SESSIONS_KNOWN, SESSIONS_STRENGTH, MOST_SESSIONS = 50.0, 10.0, 5_000.0
LEVELS = 9
"""Sessions are counted that opened 1, 2, 4 … 256 things."""
LONGEST_ID = 18
_BYTES = 128
_ODD, _BITS = 0x9E3779B97F4A7C15, (1 << 63) - 1
"""Knuth's multiplicative hashing (The Art of Computer Programming, volume 3, section 6.4)."""
FEWEST_NATS = 1.5


class Opening(Part):
    """What one session opened: the last id, how far the walk over steps is, and how many things there were."""

    last: int = 0
    template: int = 0
    stride: int = 0
    walk: float = 0.0
    things: int = 0
    known: bytearray = field(default_factory=lambda: bytearray(_BYTES))

    most_bytes: ClassVar[int] = 48 + _BYTES


class Steps(Part):
    """Steps between ids in one service, and how many of them went to the one beside."""

    steps: float = 0.0
    beside: float = 0.0

    most_bytes: ClassVar[int] = 24


class Reached(Part):
    """How many sessions of the peers, or of one person, opened at least 1, 2, 4 … things."""

    sessions: list[float] = field(default_factory=lambda: [0.0] * LEVELS)

    most_bytes: ClassVar[int] = 8 + 9 * LEVELS


class ObjectEnumeration(Detector):
    """Ids in sequence, or more things than peers ever open."""

    name = _NAME
    family = "probing"
    warm_up = f"{SESSIONS_KNOWN:.0f} sessions of peers that opened something, for how many things are many"
    texts = {
        "ids_in_sequence": "Objects are opened one id after the other.",
        "many_objects": "Far more different objects are opened than people with these roles open.",
    }
    parts = {"session": Opening, "service": Steps, "peers": Reached, "person": Reached}

    def __init__(self) -> None:
        self._found: tuple[Seen | None, bool | None] = (None, None)  # what `look` made of it spares the same again

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """The walk after this step, or how seldom so many things are opened, whichever says more."""
        if not seen.object_id:
            return None
        part: Opening | None = around.session.get(_NAME)
        if part is None:
            return None
        beside = _is_beside(part, seen)
        self._found = (seen, beside)
        if beside:
            walk = part.walk + _step(around, beside=True)
            if walk >= FEWEST_NATS:
                return Finding("ids_in_sequence", walk, f"up to {seen.object_id[:24]}", "now one, now another")
        return _many(part, around) if part.things >= FEWEST_THINGS else None

    def learn(self, seen: Seen, around: Around) -> None:
        """How often steps go to the id beside, and how many things sessions open."""
        if not seen.object_id:
            return
        part: Opening | None = around.session.get(_NAME)
        things = 1
        if part is not None:
            beside = self._beside(part, seen)
            if beside is not None and is_calm(around.session):
                _learn_step(around, beside=beside)
            things = part.things + 1
            if things & part.things or things >= 1 << LEVELS or is_marked(part.known, _thing(seen)):
                return
        for memory in (around.peers, around.person) if is_calm(around.session) else (around.person,):
            reached: Reached | None = memory.get(_NAME)
            if reached is None:
                reached = memory[_NAME] = Reached()
            reached.sessions[things.bit_length() - 1] += 1.0
            if reached.sessions[0] > MOST_SESSIONS:
                reached.sessions = [count / 2 for count in reached.sessions]

    def note(self, seen: Seen, around: Around) -> None:
        """What was opened."""
        if not seen.object_id:
            return
        part: Opening | None = around.session.get(_NAME)
        if part is None:
            part = around.session[_NAME] = Opening()
        beside = self._beside(part, seen)
        if beside is not None:
            part.walk = max(0.0, part.walk + _step(around, beside=beside)) if beside or part.walk else 0.0
        if _is_number(seen.object_id):
            number, template = int(seen.object_id), digest_of(seen.endpoint)
            if part.template == template:
                part.stride = (number - part.last) or part.stride
            else:
                part.template, part.stride = template, 0
            part.last = number
        thing = _thing(seen)
        if not is_marked(part.known, thing):
            mark(part.known, thing)
            part.things += 1

    def _beside(self, part: Opening, seen: Seen) -> bool | None:
        known, beside = self._found
        return beside if known is seen else _is_beside(part, seen)


def _many(part: Opening, around: Around) -> Finding | Unknown | None:
    """What it is worth that a session opened so many things."""
    level = min(LEVELS - 1, part.things.bit_length() - 1)
    peers: Reached | None = around.peers.get(_NAME)
    if peers is None or peers.sessions[0] < SESSIONS_KNOWN:
        return UNKNOWN
    share = (peers.sessions[level] + 0.5) / (peers.sessions[0] + SESSIONS_STRENGTH)
    own: Reached | None = around.person.get(_NAME)
    if own is not None:
        share = (own.sessions[level] + SESSIONS_STRENGTH * share) / (own.sessions[0] + SESSIONS_STRENGTH)
    nats = min(MOST_MANY_NATS, math.log(MANY_IF_ENUMERATING / share))
    if nats < FEWEST_NATS:
        return None
    return Finding("many_objects", nats, f"{part.things} different objects", f"so many in {share:.1%} of sessions")


def _step(around: Around, *, beside: bool) -> float:
    """What a step from one id to another is worth."""
    service: Steps | None = around.service.get(_NAME)
    usual = NEXT_USUAL
    if service is not None:
        usual = (service.beside + STEPS_STRENGTH * NEXT_USUAL) / (service.steps + STEPS_STRENGTH)
    usual = min(MOST_NEXT, max(LEAST_NEXT, usual))
    if beside:
        return math.log(NEXT_IF_ENUMERATING / usual)
    return math.log((1.0 - NEXT_IF_ENUMERATING) / (1.0 - usual))


def _is_beside(part: Opening, seen: Seen) -> bool | None:
    """Whether this id is the next, the one before, or as far from the last as that was from the one before it.

    None for the same once more, for what is no number, and for another kind of thing.
    """
    if not _is_number(seen.object_id) or part.template != digest_of(seen.endpoint):
        return None
    stride = int(seen.object_id) - part.last
    if not stride:
        return None
    return stride in (1, -1) or stride == part.stride


def _learn_step(around: Around, *, beside: bool) -> None:
    service: Steps | None = around.service.get(_NAME)
    if service is None:
        service = around.service[_NAME] = Steps()
    service.steps += 1.0
    service.beside += beside
    if service.steps > MOST_STEPS:
        service.steps, service.beside = service.steps / 2, service.beside / 2


def _is_number(object_id: str) -> bool:
    return object_id.isdecimal() and len(object_id) <= LONGEST_ID


def _thing(seen: Seen) -> int:
    """What stands for a thing; numbers are mixed in by multiplication, which is cheaper than a digest of each."""
    mixed = int(seen.object_id) * _ODD if _is_number(seen.object_id) else digest_of(seen.object_id)
    return (digest_of(seen.endpoint) + mixed) & _BITS
