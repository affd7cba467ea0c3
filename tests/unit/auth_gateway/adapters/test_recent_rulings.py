"""The memory of rulings on refreshes."""

import pytest

from auth_gateway.adapters.recent_rulings import MemoryRulings
from auth_gateway.core.decision import Allow, Challenge
from auth_gateway.core.ruling import Ruling

LOW = Ruling(decision=Allow("low", ("new_device",)), risk_score=10.0, level="low", scored_as="evt_1")


@pytest.mark.parametrize(("elapsed", "is_good"), [(0.0, True), (59.9, True), (60.0, False), (-1.0, False)])
def test_a_ruling_is_good_for_its_time(elapsed: float, is_good: bool) -> None:
    """And not for longer because the clock was set back."""
    rulings = MemoryRulings(reuse_seconds=60)
    rulings.remember("s1", b"home", LOW, 1000.0)
    assert (rulings.recall("s1", b"home", 1000.0 + elapsed) is not None) is is_good


def test_a_ruling_is_for_one_session_and_one_context() -> None:
    """Another session from the same place, or the same session from another, is asked about."""
    rulings = MemoryRulings(reuse_seconds=60)
    rulings.remember("s1", b"home", LOW, 1000.0)
    assert rulings.recall("s2", b"home", 1000.0) is None
    assert rulings.recall("s1", b"away", 1000.0) is None
    found = rulings.recall("s1", b"home", 1000.0)
    assert found is not None
    assert (found.decision, found.risk_score, found.scored_as) == (Allow("low"), 10.0, "evt_1")


def test_only_the_latest_context_of_a_session_is_known() -> None:
    """Two places that take turns are scored each time."""
    rulings = MemoryRulings(reuse_seconds=60)
    rulings.remember("s1", b"home", LOW, 1000.0)
    rulings.remember("s1", b"away", Ruling(decision=Challenge("medium")), 1001.0)
    assert rulings.recall("s1", b"home", 1001.0) is None


def test_the_idle_are_forgotten_first() -> None:
    """The memory is bounded."""
    rulings = MemoryRulings(reuse_seconds=60, most_sessions=2)
    for session_id in ("s1", "s2"):
        rulings.remember(session_id, b"home", LOW, 1000.0)
    assert rulings.recall("s1", b"home", 1000.0) is not None
    rulings.remember("s3", b"home", LOW, 1000.0)
    known = [session_id for session_id in ("s1", "s2", "s3") if rulings.recall(session_id, b"home", 1000.0)]
    assert known == ["s1", "s3"]


def test_nothing_is_reused_when_the_operator_wants_none() -> None:
    """0 seconds: each refresh is scored."""
    rulings = MemoryRulings(reuse_seconds=0)
    rulings.remember("s1", b"home", LOW, 1000.0)
    assert rulings.recall("s1", b"home", 1000.0) is None


def test_a_reused_challenge_takes_the_same_factors() -> None:
    """Asked again a moment later, somebody near the deny mark still needs a passkey."""
    rulings = MemoryRulings(reuse_seconds=60)
    asked = Challenge("near_high", ("new_device",), demand="phishing_resistant")
    rulings.remember("s1", b"home", Ruling(decision=asked), 1000.0)
    found = rulings.recall("s1", b"home", 1000.0)
    assert found is not None
    assert found.decision == Challenge("near_high", demand="phishing_resistant")
