"""Which techniques of MITRE ATT&CK an event may be a sign of.

Said of what looks like an attack, not of every login; a sign is no proof. The techniques themselves, and what a score's
reasons may be signs of, are `risk_scorer.contract.attack`, so that both services say the same.
"""

from collections.abc import Iterable
from typing import Final

from auth_gateway.core.throttle import PROMPTED_TOO_OFTEN
from auth_gateway.core.vocabulary import EventType
from risk_scorer.contract.attack import (
    BRUTE_FORCE,
    BY_REASON,
    OF_RISKY_LOGIN,
    PROMPT_BOMBING,
    STOLEN_SESSION,
    STOLEN_TOKEN,
    VALID_ACCOUNTS,
)

_BY_TYPE: Final[dict[EventType, tuple[str, ...]]] = {
    "login.failed": (BRUTE_FORCE,),
    "login.high_risk": (VALID_ACCOUNTS,),
    "login.denied": (VALID_ACCOUNTS,),
    "token.refresh_reused": (STOLEN_SESSION, STOLEN_TOKEN),
    "token.denied": (STOLEN_SESSION, STOLEN_TOKEN),
    "token.code_reused": (STOLEN_TOKEN,),
    "account.refused": (STOLEN_SESSION,),
    "session.risk_signalled": (STOLEN_SESSION, STOLEN_TOKEN),
    "credential.refused": (VALID_ACCOUNTS,),
    "sign_in.reported": (VALID_ACCOUNTS,),
}
_BY_RULE: Final[dict[tuple[EventType, str], tuple[str, ...]]] = {
    ("login.failed", PROMPTED_TOO_OFTEN): (PROMPT_BOMBING, VALID_ACCOUNTS),
    ("mfa.failed", "reported"): (PROMPT_BOMBING, VALID_ACCOUNTS),
    ("mfa.failed", "denied"): (PROMPT_BOMBING,),
    ("session.revoked", "refresh_token_reused"): (STOLEN_SESSION, STOLEN_TOKEN),
    ("session.revoked", "high_risk"): (STOLEN_SESSION,),
    ("session.revoked", "repeated_risk"): (STOLEN_SESSION,),
    ("session.revoked", "session_risk"): (STOLEN_SESSION, STOLEN_TOKEN),
    ("session.revoked", "session_risk_everywhere"): (STOLEN_SESSION, STOLEN_TOKEN),
    ("session.revoked", "shield"): (STOLEN_SESSION, VALID_ACCOUNTS),
    ("account.frozen", "shield"): (VALID_ACCOUNTS,),
    ("session.revoked", "reported"): (VALID_ACCOUNTS,),
    ("account.frozen", "reported"): (VALID_ACCOUNTS,),
}
_WORTH_A_REASON: Final = frozenset({"medium", "high"})
_GUESSED: Final = frozenset({"totp", "recovery_code", "email_code"})


def techniques(
    event_type: EventType,
    *,
    rule: str | None = None,
    level: str | None = None,
    method: str = "",
    reasons: Iterable[str] = (),
) -> tuple[str, ...]:
    """The ids, the most telling first. `reasons` are a score's codes; they count where the score is not a low one."""
    found = list(_BY_RULE.get((event_type, rule or ""), _BY_TYPE.get(event_type, ())))
    if event_type == "mfa.failed" and not found:
        found.append(BRUTE_FORCE if method in _GUESSED else PROMPT_BOMBING)
    if level in _WORTH_A_REASON:
        found += [BY_REASON[code] for code in reasons if code in BY_REASON]
        if event_type in {"login.mfa_required", "risk.user_raised"}:
            found.append(OF_RISKY_LOGIN)
    return tuple(dict.fromkeys(found))
