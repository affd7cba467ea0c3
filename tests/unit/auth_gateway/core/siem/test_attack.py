"""Which technique an event may be a sign of."""

from typing import Any

import pytest

from auth_gateway.core.siem.attack import techniques
from auth_gateway.core.vocabulary import EventType
from risk_scorer.contract.attack import TECHNIQUES
from risk_scorer.core.reasons import CODES


@pytest.mark.parametrize(
    ("event_type", "known", "ids"),
    [
        ("login.allowed", {"level": "low"}, ()),
        ("login.allowed", {"level": "low", "reasons": ["stuffing_in_progress"]}, ()),
        ("login.failed", {"rule": "wrong_password"}, ("T1110",)),
        ("login.denied", {"level": "high"}, ("T1078",)),
        ("login.denied", {"level": "high", "reasons": ["stuffing_in_progress"]}, ("T1078", "T1110.003")),
        ("login.mfa_required", {"level": "medium", "reasons": ["account_under_attack"]}, ("T1110.001", "T1078")),
        ("login.mfa_required", {"level": None}, ()),
        ("login.high_risk", {"level": "high", "reasons": ["tor_exit", "new_asn"]}, ("T1078", "T1090.003")),
        ("mfa.failed", {"method": "totp", "level": "low"}, ("T1110",)),
        ("mfa.failed", {"method": "push", "rule": "denied"}, ("T1621",)),
        ("mfa.failed", {"method": "push", "rule": "reported"}, ("T1621", "T1078")),
        ("login.failed", {"rule": "prompted_too_often"}, ("T1621", "T1078")),
        ("mfa.passed", {"method": "totp", "level": "medium"}, ()),
        ("token.refresh_reused", {"rule": "reused"}, ("T1539", "T1528")),
        ("token.denied", {"level": "high", "reasons": ["session_client_changed"]}, ("T1539", "T1528")),
        ("session.revoked", {"rule": "refresh_token_reused"}, ("T1539", "T1528")),
        ("session.revoked", {"rule": "signed_out"}, ()),
        ("session.revoked", {"rule": "reported"}, ("T1078",)),
        ("account.frozen", {"rule": "reported"}, ("T1078",)),
        ("account.frozen", {"rule": None}, ()),
        ("sign_in.reported", {}, ("T1078",)),
        ("password.changed", {}, ()),
    ],
)
def test_what_looks_like_an_attack_is_named(event_type: EventType, known: dict[str, Any], ids: tuple[str, ...]) -> None:
    """Spraying, a valid account in wrong hands, a stolen session, prompts without end; nothing for what is usual."""
    assert techniques(event_type, **known) == ids


def test_every_technique_that_can_be_named_is_known() -> None:
    """With its name and tactic, and so is the technique that a sub-technique belongs to."""
    for technique in TECHNIQUES.values():
        assert technique.parent_id in TECHNIQUES
    everything = techniques("login.denied", rule="high", level="high", reasons=CODES)
    assert set(everything) <= set(TECHNIQUES)
    assert {"T1110.003", "T1078", "T1539"} <= set(everything)
