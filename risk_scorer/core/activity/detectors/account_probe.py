"""Somebody who does not know what is there: refusal after refusal (401, 403, 404), each for something else.

Each endpoint and each object counts once, so that a broken client which asks for the same again and again is nothing.
What is refused within a moment is one page with missing parts, or one token that has ended, and counts less and less.

Source: Jung, Paxson, Berger, Balakrishnan 2004, "Fast Portscan Detection Using Sequential Hypothesis Testing": a
random walk over first contacts; kept at 0 from below as in Page 1954, "Continuous Inspection Schemes".
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of, is_marked, mark

_NAME = "account_probe"
REFUSED_IF_PROBING, REFUSED_USUAL = 0.8, 0.2
"""Shares of first contacts that fail, of scanners and of others. Source: the paper, section 4.3."""
MOST_REFUSED = 0.5
"""However much a service refuses, refusals say something: else whoever probes it often would make it usual."""
STRENGTH, MOST_CONTACTS = 50.0, 10_000.0
BURST_SECONDS = 2.0
"""A page has asked for all its parts within it."""
HALVES_SECONDS = 1800.0
FEWEST_NATS = 2.0
"""One refusal is nothing."""
_BYTES = 64


class Probing(Part):
    """The walk of one session, and what it has been refused and given."""

    walk: float = 0.0
    at: float = 0.0
    burst_at: float = 0.0
    in_burst: int = 0
    refused: int = 0
    missed: bytearray = field(default_factory=lambda: bytearray(_BYTES))
    given: bytearray = field(default_factory=lambda: bytearray(_BYTES))

    most_bytes: ClassVar[int] = 48 + 2 * (_BYTES + 2)


class Contacts(Part):
    """First contacts of one service, and how many of them were refused."""

    contacts: float = 0.0
    refused: float = 0.0

    most_bytes: ClassVar[int] = 24


class AccountProbe(Detector):
    """A run of refusals for ever other things."""

    name = _NAME
    family = "probing"
    warm_up = "none: a service without a past is taken to refuse as usual"
    texts = {"run_of_refusals": "One thing after the other was asked for that is not there or not allowed."}
    parts = {"session": Probing, "service": Contacts}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """How far the walk is after this refusal."""
        if seen.status not in (401, 403, 404):
            return None
        part: Probing | None = around.session.get(_NAME)
        if part is None:
            part = _NOTHING
        elif is_marked(part.missed, _thing(seen)):
            return None
        nats = _faded(part, seen.ts) + _step(part, seen, around)
        if nats < FEWEST_NATS:
            return None
        return Finding("run_of_refusals", nats, f"{part.refused + 1} different refusals", "few")

    def learn(self, seen: Seen, around: Around) -> None:
        """How often the service refuses what somebody asks for the first time."""
        is_refusal = seen.status in (401, 403, 404)
        part: Probing | None = around.session.get(_NAME)
        if part is None and not is_refusal:
            if is_sampled(seen.ts):
                _learn(around, contacts=4.0, refused=0.0)
            return
        thing = _thing(seen)
        if part is not None and (is_marked(part.missed, thing) or is_marked(part.given, thing)):
            return
        if is_calm(around.session):
            _learn(around, contacts=1.0, refused=float(is_refusal))

    def note(self, seen: Seen, around: Around) -> None:
        """A step up for what is refused for the first time, a step down for what is given for the first time."""
        part: Probing | None = around.session.get(_NAME)
        is_refusal = seen.status in (401, 403, 404)
        if part is None:
            if not is_refusal:
                return
            part = around.session[_NAME] = Probing()
        elif not is_refusal and part.walk == 0.0:
            return
        thing = _thing(seen)
        if is_refusal and not is_marked(part.missed, thing):
            part.walk, part.at = _faded(part, seen.ts) + _step(part, seen, around), seen.ts
            if abs(seen.ts - part.burst_at) > BURST_SECONDS:
                part.burst_at, part.in_burst = seen.ts, 0
            part.in_burst, part.refused = min(part.in_burst + 1, 1_000), min(part.refused + 1, 1_000_000)
            mark(part.missed, thing)
        elif 0 < seen.status < 400 and not is_marked(part.given, thing):
            part.walk, part.at = max(0.0, _faded(part, seen.ts) - _DOWN), seen.ts
            mark(part.given, thing)


_NOTHING = Probing()
_DOWN = math.log((1.0 - REFUSED_USUAL) / (1.0 - REFUSED_IF_PROBING))


def _learn(around: Around, *, contacts: float, refused: float) -> None:
    service: Contacts | None = around.service.get(_NAME)
    if service is None:
        service = around.service[_NAME] = Contacts()
    service.contacts += contacts
    service.refused += refused
    if service.contacts > MOST_CONTACTS:
        service.contacts, service.refused = service.contacts / 2, service.refused / 2


def _faded(part: Probing, ts: float) -> float:
    return part.walk * 0.5 ** (abs(ts - part.at) / HALVES_SECONDS) if part.walk else 0.0


def _step(part: Probing, seen: Seen, around: Around) -> float:
    """What this refusal is worth: less where the service refuses many, and for the n-th within a moment an n-th."""
    service: Contacts | None = around.service.get(_NAME)
    usual = REFUSED_USUAL
    if service is not None:
        learned = (service.refused + STRENGTH * REFUSED_USUAL) / (service.contacts + STRENGTH)
        usual = min(MOST_REFUSED, max(REFUSED_USUAL, learned))
    step = math.log(REFUSED_IF_PROBING / usual)
    if abs(seen.ts - part.burst_at) > BURST_SECONDS or not part.in_burst:
        return step
    return 0.0 if seen.status == 401 else step / (part.in_burst + 1)


def _thing(seen: Seen) -> int:
    return digest_of(f"{seen.service}\n{seen.action}\n{seen.object_id}")
