"""Which lines of the audit trail raise a person's risk, and which lower it. The one table of weights.

A stranger who has nothing of the person's raises nothing: no line here can be caused without the right password, a
token, a code, the mailbox, or the word of somebody who is believed. Wrong passwords are the scorer's to judge.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.circumstances import known_kinds
from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.session_risk import Response
from auth_gateway.core.user_risk import MOST, Detection, Relief

Level = Literal["low", "medium", "high"]

BELOW_MEDIUM: Final = 55.0
"""As far as the owner's own mishaps may take it."""
BELOW_HIGH: Final = 79.0
"""As far as somebody who knows the password may take it, for the owner is to get in with a factor."""
WRONG_FACTORS: Final = 3
_NOTHING_TO_ANSWER_WITH: Final = frozenset({"no_factor", "no_phishing_resistant_factor"})

HIGH_RISK_LOGIN: Final = Detection(source="login", reason="high_risk_login", weight=50, most=BELOW_HIGH, is_scored=True)
HIGH_RISK_ANSWER: Final = Detection(source="login", reason="high_risk_answer", weight=65, is_scored=True)
HIGH_RISK_RECOVERY: Final = Detection(source="login", reason="high_risk_recovery", weight=30, most=BELOW_HIGH)
MEDIUM_RISK_DENIED: Final = Detection(
    source="login", reason="medium_risk_denied", weight=20, most=BELOW_MEDIUM, is_scored=True
)
WRONG_FACTOR: Final = Detection(
    source="login", reason="wrong_factor_repeated", weight=25, most=BELOW_HIGH, repeats=WRONG_FACTORS
)
HIGH_RISK_SESSION: Final = Detection(source="session", reason="high_risk_session", weight=65)
REPEATED_RISK: Final = Detection(source="session", reason="repeated_risk", weight=40)
HIGH_RISK_DEVICE: Final = Detection(source="session", reason="high_risk_device", weight=40)
REFRESH_REUSED: Final = Detection(source="session", reason="refresh_token_reused", weight=70)
CODE_REUSED: Final = Detection(source="session", reason="code_reused", weight=40)
LISTED_PASSWORD: Final = Detection(source="offline", reason="password_listed", weight=40, most=BELOW_MEDIUM)
NOT_ME: Final = Detection(source="reported", reason="not_me", weight=95, holds=True)

SESSION_ACTIVITY: Final[Mapping[Response, tuple[float, float]]] = {
    "none": (20, BELOW_MEDIUM),
    "step_up": (35, BELOW_MEDIUM),
    "reset": (65, BELOW_HIGH),
    "logout": (75, BELOW_HIGH),
    "freeze": (90, BELOW_HIGH),
}
"""What the risk of a session adds and how far up it takes its person, by how it is answered. A thief of a session did
it, not of a password: its owner gets in with a factor, and a freeze keeps everybody out by itself."""
CAMPAIGN: Final = (50.0, BELOW_MEDIUM)
PLAIN_CAMPAIGN_FROM: Final = 70.0
PLAIN_CAMPAIGN: Final = (65.0, BELOW_HIGH)
"""The same for who is one of many that act together, and for who is so beyond a doubt that a factor would answer."""
RECEIVED: Final[Mapping[Level, tuple[float, float]]] = {
    "low": (30, BELOW_MEDIUM),
    "medium": (65, BELOW_HIGH),
    "high": (85, MOST),
}
"""What another provider's word adds and how far up it takes a person: to this level at once, and never above it."""

FACTOR_SHOWN: Final = Relief(source="login", reason="factor_shown", leaves=0.5)
PASSWORD_CHANGED: Final = Relief(source="login", reason="password_changed", leaves=0.0)
PASSWORD_RESET: Final = Relief(source="login", reason="password_reset", leaves=0.0, releases=True)

Move = Detection | Relief


def received(reason: str, level: Level) -> Detection:
    """Another provider's word, as strong as the operator lets it be."""
    weight, most = RECEIVED[level]
    return Detection(source="received", reason=reason, weight=weight, most=most)


def of_session_risk(response: Response, score: float, *, is_campaign: bool) -> Detection:
    """What was done in a session, or together with others, held against its person."""
    if is_campaign:
        weight, most = PLAIN_CAMPAIGN if score >= PLAIN_CAMPAIGN_FROM else CAMPAIGN
        return Detection(source="session", reason="campaign_member", weight=weight, most=most)
    weight, most = SESSION_ACTIVITY[response]
    return Detection(source="session", reason="session_activity", weight=weight, most=most)


def move_of(line: AuditEvent) -> Move | None:
    """What this line says for or against its person."""
    judge = _JUDGES.get(line.kind)
    return None if judge is None else judge(line)


def _denied(line: AuditEvent) -> Move | None:
    if line.level == "medium" and line.rule in _NOTHING_TO_ANSWER_WITH:
        return MEDIUM_RISK_DENIED
    if line.level != "high":
        return None
    if line.facts is not None and line.facts.path == "step_up":
        return HIGH_RISK_ANSWER
    if line.session_id is not None:
        return HIGH_RISK_SESSION
    return HIGH_RISK_RECOVERY if line.rule == "recovery_high" else HIGH_RISK_LOGIN


def _challenged(line: AuditEvent) -> Move | None:
    return HIGH_RISK_LOGIN if line.level == "high" else None


def _session_ended(line: AuditEvent) -> Move | None:
    """The person's own risk may end a session too, and must not grow by that: the session's has to be there."""
    if line.level == "high":
        return HIGH_RISK_SESSION
    return REPEATED_RISK if line.level == "medium" and line.rule == "repeated_risk" else None


def _device(line: AuditEvent) -> Move | None:
    return HIGH_RISK_DEVICE if line.level == "high" else None


def _answered(line: AuditEvent) -> Move | None:
    """A code by mail is read by whoever reads the mail: it lets in, and takes nothing back."""
    shown = known_kinds((line.facts.method,)) if line.facts is not None else ()
    return FACTOR_SHOWN if is_enrolled(shown) else None


def _let_in(line: AuditEvent) -> Move | None:
    return FACTOR_SHOWN if line.facts is not None and line.facts.shown_phishing_resistant else None


def _changed(line: AuditEvent) -> Move:
    """Whoever is signed in may be the thief; the operator has recognised the person."""
    return PASSWORD_RESET if line.session_id is None else PASSWORD_CHANGED


def _always(move: Move) -> Callable[[AuditEvent], Move | None]:
    return lambda _line: move


_JUDGES: Final[dict[Kind, Callable[[AuditEvent], Move | None]]] = {
    "login.denied": _denied,
    "login.challenged": _challenged,
    "token.denied": _session_ended,
    "device.denied": _device,
    "token.reused": _always(REFRESH_REUSED),
    "code.reused": _always(CODE_REUSED),
    "challenge.failed": _always(WRONG_FACTOR),
    "password.breached": _always(LISTED_PASSWORD),
    "sign_in.reported": _always(NOT_ME),
    "challenge.passed": _answered,
    "login.allowed": _let_in,
    "user.password_changed": _changed,
    "account.recovered": _always(PASSWORD_RESET),
}
