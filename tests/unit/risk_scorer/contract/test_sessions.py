"""What gateway and scorer tell each other of sessions: names and bounds that both rely on."""

import json
from typing import Any

import msgspec
import pytest

from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.contract.signals import MAX_SIGNAL_BYTES, MAX_SIGNAL_REASONS, SessionRiskSignal, SignalReason

NOTICE = msgspec.json.Decoder(SessionNotice)
LEAST = {"session_id": "ses_1", "user_id": "alice", "state": "started", "at": 1_700_000_000}


def test_a_notice_needs_a_session_a_person_a_state_and_a_moment() -> None:
    """Everything else is unknown by default; roles that were not told differ from none."""
    notice = NOTICE.decode(json.dumps({**LEAST, "shoe_size": 44}))
    assert (notice.ip, notice.roles, notice.amr, notice.ja4) == ("", None, (), None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("session_id", ""),
        ("session_id", "x" * 257),
        ("user_id", ""),
        ("state", "resumed"),
        ("at", -1),
        ("at", 2**33),
        ("ip", "x" * 65),
        ("roles", ["r"] * 65),
        ("roles", ["x" * 129]),
        ("privileges", ["p"] * 257),
        ("amr", [""]),
        ("reason", "x" * 129),
    ],
)
def test_a_notice_past_a_bound_is_refused(field: str, value: Any) -> None:
    """Nothing that the gateway would not send is kept."""
    with pytest.raises(msgspec.ValidationError):
        NOTICE.decode(json.dumps({**LEAST, field: value}))


def test_the_longest_signal_fits_its_bound() -> None:
    """A gateway that bounds the body at the contract's size refuses no signal of ours."""
    reason = SignalReason(code="c" * 64, points=100.0 / 3, text="\U0001f510" * 256)
    signal = SessionRiskSignal(
        signal_id="s" * 128,
        session_id="\U0001f510" * 256,
        user_id="\U0001f510" * 256,
        score=100.0 / 3,
        level="high",
        recommended="reset_session",
        reasons=(reason,) * MAX_SIGNAL_REASONS,
        observed_at=1e9 / 3,
        source="campaign",
        campaign_id="\U0001f510" * 128,
    )
    assert len(msgspec.json.encode(signal)) <= MAX_SIGNAL_BYTES
