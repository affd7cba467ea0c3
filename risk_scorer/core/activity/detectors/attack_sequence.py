"""The learned predictor of attack-like sequences: what all findings and steps of a session say together.

It adds only what the sum of the other findings lacks, so that no fact counts twice: their likelihood ratios are added
as if they were independent, and the predictor has learned in which company they are more. Source of the fit: a
regularised logistic regression; its labels are those of invented sessions, which every answer of the model says.
It comes last among the detectors, so that it sees what the others found.
"""

from collections.abc import Callable, Mapping

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import NAME as EVIDENCE
from risk_scorer.core.activity.finding import MOST_NATS, UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, Scope
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.session_model.model import SEQUENCE_NAME, SessionModel, found_nats
from risk_scorer.core.session_model.sequence import Steps, advanced

ENOUGH_EVENTS = 3
LEAST_NATS = 0.5


class AttackSequence(Detector):
    """Asks the model in use, which may be another one tomorrow, or none."""

    name = SEQUENCE_NAME
    family = "learned"
    warm_up = "a session model, and three events of the session"
    texts: Mapping[str, str] = {
        "attack_sequence": "What is done in this session, taken together, looks like invented attacks.",
    }
    parts: Mapping[Scope, type[Part]] = {"session": Steps}

    def __init__(self, current: Callable[[], SessionModel | None]) -> None:
        self._current = current
        self._last: tuple[Seen | None, Steps] = (None, Steps())

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """The log odds beyond the prior and beyond what the other findings add up to."""
        model, known = self._current(), around.session.get(self.name)
        if model is None or known is None or known.events < ENOUGH_EVENTS - 1:
            return UNKNOWN
        evidence = around.session.get(EVIDENCE)
        self._last = (seen, advanced(known, seen))
        gained = model.log_odds(self._last[1], evidence) - model.predictor.prior
        nats = min(MOST_NATS, gained - sum(found_nats(evidence).values()))
        if nats < LEAST_NATS:
            return None
        return Finding("attack_sequence", nats, f"{gained:.1f} nats beyond the usual", "")

    def note(self, seen: Seen, around: Around) -> None:
        """The session has had this event."""
        last, steps = self._last
        around.session[self.name] = steps if last is seen else advanced(around.session.get(self.name), seen)
