"""Which techniques of MITRE ATT&CK an event may be a sign of.

Said of what looks like an attack, not of every login; a sign is no proof. Source: ATT&CK for Enterprise, v15.1; of a
technique that serves several tactics we name the one that it serves where we see it.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from auth_gateway.core.throttle import PROMPTED_TOO_OFTEN
from auth_gateway.core.vocabulary import EventType

VERSION: Final = "15.1"
FRAMEWORK: Final = "MITRE ATT&CK"


class Tactic(msgspec.Struct, frozen=True):
    """What an attacker is after."""

    id: str
    name: str


class Technique(msgspec.Struct, frozen=True):
    """How an attacker goes about it."""

    id: str
    name: str
    tactic: Tactic

    @property
    def parent_id(self) -> str:
        """The technique that a sub-technique belongs to; its own id where it is none."""
        return self.id.partition(".")[0]

    @property
    def url(self) -> str:
        """Its page."""
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}"


CREDENTIAL_ACCESS: Final = Tactic("TA0006", "Credential Access")
INITIAL_ACCESS: Final = Tactic("TA0001", "Initial Access")
COMMAND_AND_CONTROL: Final = Tactic("TA0011", "Command and Control")

BRUTE_FORCE, GUESSING, SPRAYING = "T1110", "T1110.001", "T1110.003"
VALID_ACCOUNTS, STOLEN_SESSION, STOLEN_TOKEN = "T1078", "T1539", "T1528"
PROMPT_BOMBING, MULTI_HOP_PROXY = "T1621", "T1090.003"
PROXY = "T1090"

TECHNIQUES: Final[dict[str, Technique]] = {
    each.id: each
    for each in (
        Technique(BRUTE_FORCE, "Brute Force", CREDENTIAL_ACCESS),
        Technique(GUESSING, "Password Guessing", CREDENTIAL_ACCESS),
        Technique(SPRAYING, "Password Spraying", CREDENTIAL_ACCESS),
        Technique(VALID_ACCOUNTS, "Valid Accounts", INITIAL_ACCESS),
        Technique(STOLEN_SESSION, "Steal Web Session Cookie", CREDENTIAL_ACCESS),
        Technique(STOLEN_TOKEN, "Steal Application Access Token", CREDENTIAL_ACCESS),
        Technique(PROMPT_BOMBING, "Multi-Factor Authentication Request Generation", CREDENTIAL_ACCESS),
        Technique(PROXY, "Proxy", COMMAND_AND_CONTROL),
        Technique(MULTI_HOP_PROXY, "Multi-hop Proxy", COMMAND_AND_CONTROL),
    )
}

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
_BY_REASON: Final = {
    "stuffing_in_progress": SPRAYING,
    "account_under_attack": GUESSING,
    "confirmed_attacker": VALID_ACCOUNTS,
    "session_client_changed": STOLEN_SESSION,
    "session_network_changed": STOLEN_SESSION,
    "tor_exit": MULTI_HOP_PROXY,
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
        found += [_BY_REASON[code] for code in reasons if code in _BY_REASON]
        if event_type in {"login.mfa_required", "risk.user_raised"}:
            found.append(VALID_ACCOUNTS)
    return tuple(dict.fromkeys(found))
