"""How the findings of a session add up: the strongest of each detector, fading, within the bound of each family.

Findings of one detector repeat one fact, so the strongest counts and not their sum; detectors of one family see the
same fact from two sides. What is left is added, as independent likelihood ratios are (Good 1950, "Probability and the
Weighing of Evidence").
"""

import math
from collections.abc import Container, Mapping
from typing import ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from risk_scorer.core.activity.finding import MOST_NATS, Finding
from risk_scorer.core.activity.memory import Memory, Part

NAME = "evidence"
"""Under which a session's evidence stands in its memory, beside the detectors' parts."""
HALF_LIFE_SECONDS = 1800.0
"""What was found half an hour ago counts half: as long as a session may usually be idle (OWASP ASVS 5.0, 7.3.1)."""
FAMILY_NATS = 8.0
"""What detectors of one family may add together: one in full, and a third of another that confirms it."""
FORGOTTEN_NATS = 0.05
LONGEST_TEXT = 96
MOST_MET = 4
"""How many a finding may be about that a pardon is for: as many as a session has clients (`several_actors`)."""


class Held(Part):
    """The strongest finding of one detector so far in the session, faded to the evidence's `at`.

    `pardoned` nats of this detector do not count any more: the person has shown a factor since. Where findings are
    about somebody (`about`, 0 for nobody), that is so of those who had been found by then (`met`, now `forgiven`).
    """

    most_bytes: ClassVar[int] = 400
    nats: float = 0.0
    code: str = ""
    observed: str = ""
    usual: str = ""
    pardoned: float = 0.0
    about: int = 0
    met: list[int] = field(default_factory=list)
    forgiven: list[int] = field(default_factory=list)


class Evidence(Part):
    """What is held against a session, by detector, as of `at`; when its first event was and how many there were.

    `nats` is what it came to after the last event.
    """

    most_bytes: ClassVar[int] = 16_000
    at: float = 0.0
    began: float = 0.0
    events: int = 0
    held: dict[str, Held] = field(default_factory=dict)
    nats: float = 0.0


CALM_NATS = 2.0
"""Groups have enough to learn from to be choosy: with seven to one against a session they leave its event out."""


def is_calm(session: Memory) -> bool:
    """Whether so little is held against the session that its event may teach the baselines of a group."""
    evidence: Evidence | None = session.get(NAME)
    return evidence is None or evidence.nats < CALM_NATS


def is_calm_but_for(session: Memory, detectors: Container[str]) -> bool:
    """Whether the session would be calm without these detectors: nothing else speaks against what is done."""
    evidence: Evidence | None = session.get(NAME)
    if evidence is None:
        return True
    others = [standing_nats(held) for name, held in evidence.held.items() if name not in detectors]
    return sum([nats for nats in others if nats > 0.0], 0.0) < CALM_NATS


ORDINARY_EVENTS = 12
"""Of a session: what a sum reaches by chance is known of sessions of this length."""


def length_nats(session: Memory) -> float:
    """What a long session costs a sum that is looked at after each event: longer ones reach a high one by chance.

    Source: Bonferroni; the logarithm of how many ordinary sessions it is.
    """
    evidence: Evidence | None = session.get(NAME)
    return 0.0 if evidence is None else math.log(max(1.0, evidence.events / ORDINARY_EVENTS))


class Counted(Struct, frozen=True, gc=False):
    """A finding as it counts: within its family's bound, after fading and pardons."""

    detector: str
    code: str
    nats: float
    observed: str
    usual: str


def evidence_of(session: Memory) -> Evidence:
    """The evidence in this session's memory; begun if there is none."""
    found: Evidence | None = session.get(NAME)
    if found is None:
        found = session[NAME] = Evidence()
    return found


def fade(evidence: Evidence, ts: float) -> None:
    """Brings what is held forward to `ts`. An event that comes late finds it as it is."""
    passed = ts - evidence.at
    if passed <= 0.0:
        return
    evidence.at = ts
    if evidence.held:
        share = 0.5 ** (passed / HALF_LIFE_SECONDS)
        for name in list(evidence.held):
            held = evidence.held[name]
            held.nats *= share
            if held.nats < FORGOTTEN_NATS and not held.pardoned:
                del evidence.held[name]


def hold(evidence: Evidence, detector: str, finding: Finding) -> float:
    """Keeps the finding where it is the detector's strongest; says how many of its nats count."""
    nats = min(finding.nats, MOST_NATS)
    if nats < FORGOTTEN_NATS:
        return 0.0
    held = evidence.held.get(detector)
    if held is None:
        held = evidence.held[detector] = Held()
    counts = nats - _pardoned(held, finding.about)
    if not held.code or counts > standing_nats(held):
        held.nats, held.code, held.about = nats, finding.code, finding.about
        held.observed, held.usual = finding.observed[:LONGEST_TEXT], finding.usual[:LONGEST_TEXT]
    if finding.about and finding.about not in held.met:
        held.met = [*held.met, finding.about][-MOST_MET:]
    return max(0.0, counts)


def standing_nats(held: Held) -> float:
    """What still counts of it; 0 or below for what is pardoned."""
    return held.nats - _pardoned(held, held.about)


def _pardoned(held: Held, about: int) -> float:
    return 0.0 if about and about not in held.forgiven else held.pardoned


def pardon(session: Memory) -> None:
    """What has been found so far counts no more in this session: its person has just shown a factor.

    The same findings again do not count either, and what they are about is learned; stronger ones count by what they
    exceed it, and those about somebody who has not been found yet in full. Else the owner of new habits would be asked
    again at every request, and a third hand would be nobody's concern.
    """
    for held in evidence_of(session).held.values():
        held.pardoned, held.nats = max(held.pardoned, held.nats), 0.0
        held.forgiven = [*held.forgiven, *(each for each in held.met if each not in held.forgiven)][-MOST_MET:]


def counted(evidence: Evidence, families: Mapping[str, str]) -> list[Counted]:
    """What counts, in the order in which it was found first."""
    found = [(name, held, standing_nats(held)) for name, held in evidence.held.items()]
    sums: dict[str, float] = {}
    for name, _, nats in found:
        if nats > 0.0:
            family = families.get(name, name)
            sums[family] = sums.get(family, 0.0) + nats
    kept = {family: min(1.0, FAMILY_NATS / nats) for family, nats in sums.items()}
    return [
        Counted(name, held.code, nats * kept[families.get(name, name)], held.observed, held.usual)
        for name, held, nats in found
        if nats > 0.0
    ]


def copied(evidence: Evidence) -> Evidence:
    """The same, to be changed without changing the original."""
    return replace(evidence, held={name: replace(held) for name, held in evidence.held.items()})


def total(counted: list[Counted]) -> float:
    """The session's evidence in nats."""
    return sum([each.nats for each in counted], 0.0)
