"""The scorer's metrics: what each of its parts reports, under the names that dashboards and alerts know.

Labels are values of ours, never a person, an address or a URL.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import Final

from plumbing.metrics import Meters
from plumbing.refusals import Refused
from plumbing.timing import Stopwatch
from risk_scorer.adapters.activity.campaign_told import TO_GATEWAY
from risk_scorer.contract.activity import Assessment
from risk_scorer.contract.assessment import RiskScore, risk_level
from risk_scorer.contract.shadow import ShadowScore

SCORE_BUCKETS: Final = (5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 90.0, 100.0)
"""The marks of the scale among them: 60 and 80."""
REFUSALS: Final = frozenset({"busy", "storage_unavailable"})


class ScorerMetrics:
    """Everything the scorer counts."""

    def __init__(self, meters: Meters) -> None:
        scores = meters.counter("riskgate_scores_total", "Logins scored, by risk level.", ["level"])
        self._levels = {level: scores(level) for level in ("low", "medium", "high")}
        self._score = meters.histogram("riskgate_score", "Risk scores given.", [], buckets=SCORE_BUCKETS)()
        self._histories = meters.histogram(
            "riskgate_history_lookup_seconds", "How long it took to look up the histories of one request.", []
        )()
        self._shadows = meters.counter(
            "riskgate_shadow_scores_total", "Logins that a shadow scored, by both levels.", ["active", "shadow"]
        )
        actions = meters.counter("riskgate_activity_events_total", "Events of sessions judged, by result.", ["result"])
        self._actions = {each: actions(each) for each in ("allow", "step_up", "reset_session", "logout", "freeze")}
        self._refused_activity = actions("refused")
        self._refused_codes = meters.counter(
            "riskgate_activity_refused_total", "Events of sessions that were not judged, by why.", ["code"]
        )
        self._unknown: Counter[str] = Counter()
        meters.look(
            "riskgate_activity_unknown_total",
            "Answers in which a detector did not know yet, by detector.",
            ["detector"],
            lambda: [((name,), count) for name, count in self._unknown.items()],
            of="process",
        )
        self._outcomes = meters.counter("riskgate_outcomes_total", "Outcomes heard of.", ["outcome"])
        self._refusals = meters.counter(
            "riskgate_database_refusals_total", "Reads and writes that the database did not take.", ["code"]
        )
        self._deliveries = meters.counter(
            "riskgate_deliveries_total", "Attempts to deliver, by kind of receiver and result.", ["receiver", "result"]
        )
        self._write = meters.histogram("riskgate_stage_seconds", "How long stages took.", ["stage"])("write")
        for code in sorted(REFUSALS):
            self._refusals(code)

    def looking_up(self) -> AbstractContextManager[object]:
        """Measures one look-up of histories."""
        return Stopwatch(self._histories.observe)

    def scored(self, scores: Sequence[RiskScore]) -> None:
        """Counts what was answered."""
        for each in scores:
            self._levels[each.risk_level].inc()
            self._score.observe(each.risk_score)

    def judged(self, answers: Sequence[Assessment | Refused]) -> None:
        """Counts what was answered about activity."""
        refused = [each.code for each in answers if isinstance(each, Refused)]
        judged = [each for each in answers if not isinstance(each, Refused)]
        for action, count in Counter([each.action for each in judged]).items():
            self._actions[action].inc(count)
        self._unknown.update(chain.from_iterable([each.unknown for each in judged]))
        self._refused_activity.inc(len(refused))
        for code in refused:
            self._refused_codes(code).inc()

    def shadowed(self, scores: Sequence[ShadowScore]) -> None:
        """Counts what a model that decides nothing would have said."""
        for each in scores:
            self._shadows(risk_level(each.active_score), risk_level(each.score)).inc()

    def heard(self, outcome: str) -> None:
        """Counts one outcome that was new."""
        self._outcomes(outcome).inc()

    def delivered(self, endpoint: str, result: str) -> None:
        """Counts how one attempt ended: `delivered`, `retried` or `dead`."""
        self._deliveries(kind_of_receiver(endpoint), result).inc()

    def writing(self) -> AbstractContextManager[object]:
        """Measures one write."""
        return Stopwatch(self._write.observe)

    def refused(self, code: str) -> None:
        """Counts what the storage refused."""
        if code in REFUSALS:
            self._refusals(code).inc()

    def committed(self, fact: object) -> None:
        """Nothing that a transaction says is counted here."""


def kind_of_receiver(endpoint: str) -> str:
    """The gateway, or the one webhook."""
    return "gateway" if endpoint == TO_GATEWAY else "webhook"
