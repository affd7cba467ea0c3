"""Which lines of the audit trail say that somebody answered a challenge themselves, and which take that away again."""

from typing import Final

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.user_risk import user_level
from risk_scorer.contract.assessment import risk_level

FACTORS: Final[frozenset[FactorKind]] = frozenset({"passkey", "totp"})
"""Kinds that say the person was there. A code by mail or off a sheet, and a yes on a telephone, are somebody's who has
the mailbox, the sheet or patience."""
ENDS: Final[frozenset[Kind]] = frozenset({
    "risk.user_raised", "sign_in.reported", "user.frozen", "account.recovered", "user.password_changed",
    "factor.enrolled", "factor.removed", "recovery_codes.made", "token.reused", "code.reused",
})  # fmt: skip
"""What takes all of it away: whatever speaks against the person, and every change of how they prove who they are."""


def is_answered_by_owner(line: AuditEvent) -> bool:
    """Whether this line is a challenge for a medium risk that its person answered: on a device of theirs, from where it
    was asked, with a factor of theirs, and while nothing speaks against them."""
    facts = line.facts
    if line.kind != "challenge.passed" or facts is None or facts.login_score is None or facts.unscored:
        return False
    is_for_risk = risk_level(facts.login_score) == "medium" and facts.demand != "phishing_resistant"
    is_quiet = line.level in {"low", "medium"} and user_level(facts.user_risk) in {"none", "low"}
    is_theirs = facts.is_known_device and facts.is_same_context is True and facts.method in FACTORS
    return is_for_risk and is_quiet and is_theirs
