"""The one function that judges an event of a session: detectors look, evidence adds up, the scale says 0-100.

Pure over `Around`: it holds nothing between events, reads no clock, and the same events give the same scores.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from risk_scorer.contract.activity import STEP_UP_FROM, Signal
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import NAME, Counted, Evidence, copied, counted, evidence_of, fade, hold, total
from risk_scorer.core.activity.finding import Unknown
from risk_scorer.core.activity.lessons_taken_back import NAME as BEFORE
from risk_scorer.core.activity.lessons_taken_back import Before, keep_before, take_back
from risk_scorer.core.activity.memory import SCOPES, Around, Part, Scope
from risk_scorer.core.activity.scale import SHIPPED, Scale, hundredths
from risk_scorer.core.activity.seen import Seen

TEACHES_BELOW_NATS = 3.0
"""An event that speaks this much against the person by itself teaches nothing, though its session be calm: 20 to 1."""
BASELINE = "baseline"
BASELINE_TEXT = "What a session in which all is usual would score, with all that is too small to tell."


class Judged(Struct, frozen=True, gc=False):
    """How the session stands after an event: the score, two decimals, and the nats behind it.

    `found` is what is held against the session, `unknown` names the detectors that are warming up, `has_taught` says
    whether baselines learned the event.
    """

    total_score: float
    nats: float
    found: tuple[Counted, ...]
    unknown: tuple[str, ...]
    has_taught: bool


class Engine:
    """Detectors in their order, and the scale that their evidence is put on."""

    def __init__(self, detectors: Iterable[Detector], scale: Scale = SHIPPED) -> None:
        self.detectors = tuple(detectors)
        self.scale = scale
        self.families = {each.name: each.family for each in self.detectors}
        self.texts: dict[str, str] = {code: text for each in self.detectors for code, text in each.texts.items()}
        self._looks = [(each.name, each.look) for each in self.detectors]
        self._lessons = [each.learn for each in self.detectors if type(each).learn is not Detector.learn]
        self._taken_back = {
            each.name: each.parts["person"] for each in self.detectors if each.is_taken_back and "person" in each.parts
        }
        self._quiet = self._score(0.0)
        self._notes = [each.note for each in self.detectors if type(each).note is not Detector.note]
        if len(self.families) != len(self.detectors) or NAME in self.families:
            raise ValueError("two detectors of one name would share a memory")

    def parts(self, scope: Scope) -> dict[str, type[Part]]:
        """Everything that is kept in one scope, by name: what `memory.unpacked` needs."""
        own: dict[str, type[Part]] = {NAME: Evidence, BEFORE: Before} if scope == "session" else {}
        return own | {each.name: each.parts[scope] for each in self.detectors if scope in each.parts}

    def most_bytes(self) -> dict[Scope, int]:
        """What each memory takes at most when packed, with the names in it."""
        most = {scope: _most_bytes(self.parts(scope)) for scope in SCOPES}
        most["session"] += _most_bytes(self._taken_back)
        return most

    def assess(self, seen: Seen, around: Around) -> Judged:
        """Judges the event, then lets baselines learn it unless it or its session is suspicious."""
        evidence = evidence_of(around.session)
        fade(evidence, seen.ts)
        own_nats, unknown = 0.0, []
        for name, look in self._looks:
            found = look(seen, around)
            if found is None:
                continue
            if isinstance(found, Unknown):
                unknown.append(name)
            else:
                own_nats += hold(evidence, name, found)
        stands = counted(evidence, self.families) if evidence.held else []
        nats = total(stands) if stands else 0.0
        score = self._score(nats) if stands else self._quiet
        evidence.nats = nats
        teaches = score < STEP_UP_FROM and own_nats < TEACHES_BELOW_NATS
        if score >= STEP_UP_FROM:
            take_back(around.session, around.person, self._taken_back)
        else:
            keep_before(around.session, around.person, self._taken_back, seen.ts)
        if teaches:
            for learn in self._lessons:
                learn(seen, around)
        for note in self._notes:
            note(seen, around)
        evidence.began = evidence.began or seen.ts
        evidence.events += 1
        return Judged(score, nats, tuple(stands), tuple(unknown), teaches)

    def standing(self, session: Mapping[str, Part], ts: float) -> Judged:
        """How a session stands at a later moment, if nothing happens in it. Changes nothing."""
        held = session.get(NAME)
        evidence = Evidence() if not isinstance(held, Evidence) else copied(held)
        fade(evidence, ts)
        stands = counted(evidence, self.families)
        nats = total(stands)
        return Judged(self._score(nats), nats, tuple(stands), (), False)

    def _score(self, nats: float) -> float:
        return hundredths(self.scale.at(nats)) / 100.0

    def signals(self, judged: Judged) -> list[Signal]:
        """Why the score is what it is, the strongest first; their points add up to it."""
        quiet = hundredths(self.scale.at(0.0))
        whole = hundredths(judged.total_score + 1e-6)
        told = sorted(judged.found, key=lambda each: -each.nats)
        share = (whole - quiet) / judged.nats if judged.nats > 0.0 else 0.0
        points = [int(each.nats * share) for each in told]
        signals = [
            Signal(
                code=each.code, points=part / 100.0, nats=round(each.nats, 3), observed=each.observed, usual=each.usual,
                text=self.texts.get(each.code, ""),
            )
            for each, part in zip(told, points, strict=True)
        ]  # fmt: skip
        signals.append(_baseline(whole - sum(points)))
        return signals


def baseline_beside(held: Iterable[Signal], total_score: float) -> Signal:
    """The signal that stands beside those which are held against a session, so that all add up to the score."""
    return _baseline(hundredths(total_score + 1e-6) - sum(round(each.points * 100.0) for each in held))


def _baseline(points: int) -> Signal:
    return Signal(code=BASELINE, points=points / 100.0, nats=0.0, observed="", usual="", text=BASELINE_TEXT)


def _most_bytes(parts: Mapping[str, type[Part]]) -> int:
    return 8 + sum(part.most_bytes + len(name) + 2 for name, part in parts.items())
