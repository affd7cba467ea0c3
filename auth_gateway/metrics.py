"""The gateway's metrics: what each of its parts reports, under the names that dashboards and alerts know.

Labels are values of ours, never a person, an address or a URL: a rule of the operator's document is `document`, a
receiver is told by its kind.
"""

from contextlib import AbstractContextManager
from typing import Final

from prometheus_client import Gauge

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.destination import PREFIX as DESTINATION
from auth_gateway.core.letter import MAIL_ENDPOINT
from auth_gateway.core.policy_rule import DOCUMENT
from auth_gateway.core.provider.logout import ENDPOINT_PREFIX as LOGOUT
from auth_gateway.core.ssf.stream import PREFIX as STREAM
from plumbing.metrics import Meters
from plumbing.timing import Stopwatch

SCORE_BUCKETS: Final = (5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 75.0, 80.0, 90.0, 100.0)
"""The marks of the scale among them: 60 and 80, and 75 from which only a passkey answers."""
OUTCOMES: Final[dict[Kind, tuple[str, str]]] = {
    "login.allowed": ("login", "allowed"),
    "login.challenged": ("login", "challenged"),
    "login.denied": ("login", "denied"),
    "login.failed": ("login", "failed"),
    "challenge.passed": ("step_up", "passed"),
    "challenge.failed": ("step_up", "failed"),
    "token.refreshed": ("refresh", "allowed"),
    "token.retried": ("refresh", "repeated"),
    "token.refused": ("refresh", "refused"),
    "token.denied": ("refresh", "denied"),
    "token.reused": ("refresh", "reused"),
}
"""Kinds of lines that are decisions: by which way somebody came, and what became of it."""
REFUSALS: Final = frozenset({"busy", "storage_unavailable"})
_NAMED: Final = {
    "mfa": "mfa",
    "webhook": "webhook",
    "scorer": "scorer",
    "scorer-feedback": "scorer",
    "scorer-sessions": "scorer",
    "scorer-decisions": "scorer",
}
_BEGINS: Final = {DESTINATION: "destination", STREAM: "stream", LOGOUT: "logout"}


class GatewayMetrics:
    """Everything the gateway counts."""

    def __init__(self, meters: Meters) -> None:
        self.meters = meters
        self._decisions = meters.counter(
            "riskgate_decisions_total", "Decisions by way, outcome and rule.", ["path", "outcome", "rule"]
        )
        self._scores = meters.histogram(
            "riskgate_decision_score", "Risk scores that decisions were made by.", ["path"], buckets=SCORE_BUCKETS
        )
        stages = meters.histogram("riskgate_stage_seconds", "How long the stages of a decision took.", ["stage"])
        self._password = stages("password").observe
        self._scorer = stages("scorer").observe
        self._policy = stages("policy").observe
        self._write = stages("write").observe
        self._refusals = meters.counter(
            "riskgate_database_refusals_total", "Reads and writes that the database did not take.", ["code"]
        )
        self._throttled = meters.counter(
            "riskgate_throttled_total", "Attempts that had to wait, by what was counted.", ["scope"]
        )
        self._degraded = meters.counter(
            "riskgate_degraded_decisions_total", "Decisions without a score, by cause.", ["cause"]
        )
        self._deliveries = meters.counter(
            "riskgate_deliveries_total", "Attempts to deliver, by kind of receiver and result.", ["receiver", "result"]
        )
        self._transitions = meters.counter(
            "riskgate_breaker_transitions_total", "How often the breaker before the scorer changed.", ["to"]
        )
        self._breaker: Gauge = meters.gauge("riskgate_breaker_open", "Whether the scorer is not asked now.")
        self._signals = meters.counter(
            "riskgate_session_signals_total",
            "Signals about risky sessions, by what the marks say to them.",
            ["response"],
        )
        for code in sorted(REFUSALS):
            self._refusals(code)
        for to in ("open", "closed"):
            self._transitions(to)

    def checking_password(self) -> AbstractContextManager[object]:
        """Measures one check, its wait for a thread included."""
        return Stopwatch(self._password)

    def asking(self) -> AbstractContextManager[object]:
        """Measures one question to the scorer."""
        return Stopwatch(self._scorer)

    def judging(self) -> AbstractContextManager[object]:
        """Measures what policy takes for one login."""
        return Stopwatch(self._policy)

    def writing(self) -> AbstractContextManager[object]:
        """Measures one write."""
        return Stopwatch(self._write)

    def refused(self, code: str) -> None:
        """Counts what the storage refused; what a job refused is no fault of its."""
        if code in REFUSALS:
            self._refusals(code).inc()

    def decided(self, line: AuditEvent) -> None:
        """Counts one decision, or one signal about a session, which is on the disk."""
        if line.kind == "session.risk_signalled":
            self._signals(line.rule or "none").inc()
        found = OUTCOMES.get(line.kind)
        if found is None:
            return
        path, outcome = found
        self._decisions(path, outcome, rule_shown(line.rule)).inc()
        if line.score is not None and line.decision is not None:
            self._scores(path).observe(line.score)

    def throttled(self, scope: str) -> None:
        """Counts one attempt that has to wait."""
        self._throttled(scope).inc()

    def unscored(self, cause: str) -> None:
        """Counts one decision that has no score."""
        self._degraded(cause).inc()

    def breaker(self, *, is_open: bool) -> None:
        """The breaker has changed."""
        self._breaker.set(1.0 if is_open else 0.0)
        self._transitions("open" if is_open else "closed").inc()

    def delivered(self, endpoint: str, result: str) -> None:
        """Counts how one attempt ended: `delivered`, `retried` or `dead`."""
        self._deliveries(kind_of_receiver(endpoint), result).inc()


def rule_shown(rule: str | None) -> str:
    """The rule as a label; those of the operator's document are one."""
    if rule is None:
        return "none"
    return "document" if rule.startswith(DOCUMENT) else rule


def kind_of_receiver(endpoint: str) -> str:
    """What sort of receiver that is: there may be thousands of them, and their addresses are nobody's business."""
    if endpoint == MAIL_ENDPOINT:
        return "mail"
    for beginning, kind in _BEGINS.items():
        if endpoint.startswith(beginning):
            return kind
    return _NAMED.get(endpoint, "other")
