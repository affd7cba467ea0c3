"""Which sign-ins their owner is asked about, and which one a line of the audit trail tells of."""

import msgspec
import pytest

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.sign_in_report import SignIn, is_worth_asking, sign_in_of
from risk_scorer.contract.assessment import Explain, RiskScore

COUNTS = dict.fromkeys(["user_freq", "ip_freq", "device_freq", "ua_freq", "ja4_freq", "ja4h_freq", "ja4s_freq"], 0)
LINE = AuditEvent(event_id="evt_2", ts=1.0, kind="login.allowed", user_id="alice", session_id="s1")


def score(*new: str) -> RiskScore:
    return RiskScore(
        risk_score=10.0,
        risk_level="low",
        model_label=1,
        explain=Explain(hour=0, day_of_week=0, success=1, ip_rep=0.0, new=new, **COUNTS),
        ts_scored=1.0,
        reasons=[],
        model_version="m",
        event_id="evt_1",
    )


@pytest.mark.parametrize(
    ("new", "is_asked"),
    [
        ((), False),
        (("ip", "prefix", "browser_version", "ja4"), False),
        (("device",), True),
        (("country",), True),
        (("ip", "asn"), True),
    ],
)
def test_a_new_device_or_place_is_asked_about(new: tuple[str, ...], is_asked: bool) -> None:
    """A new address of the usual operator is not: phones have one each morning."""
    assert is_worth_asking(score(*new)) is is_asked


def test_what_nobody_looked_at_is_asked_about() -> None:
    """Without a score the owner's eyes are all there is."""
    assert is_worth_asking(None)


@pytest.mark.parametrize(
    ("line", "scored_as"),
    [
        (LINE, "evt_2"),
        (msgspec.structs.replace(LINE, kind="challenge.passed", detail="chg_1 evt_1"), "evt_1"),
        (msgspec.structs.replace(LINE, kind="challenge.passed", detail="chg_1 evt_1 new_device"), "evt_1"),
    ],
)
def test_a_sign_in_is_known_by_what_its_password_was_scored_with(line: AuditEvent, scored_as: str) -> None:
    """That is the event that taught, so it is the one that a verdict is about."""
    assert sign_in_of(line) == SignIn(user_id="alice", session_id="s1", scored_as=scored_as)


@pytest.mark.parametrize(
    "line",
    [
        msgspec.structs.replace(LINE, kind="login.denied"),
        msgspec.structs.replace(LINE, kind="challenge.passed", detail="chg_1"),
        msgspec.structs.replace(LINE, kind="challenge.passed", detail=None),
        msgspec.structs.replace(LINE, session_id=None),
        msgspec.structs.replace(LINE, user_id=None),
    ],
)
def test_other_lines_tell_of_no_sign_in(line: AuditEvent) -> None:
    """Nobody got in by them."""
    assert sign_in_of(line) is None
