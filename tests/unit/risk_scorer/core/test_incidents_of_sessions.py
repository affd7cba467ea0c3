"""Which session is an incident, and what the gateway's answer to it looks like in the timeline."""

import pytest

from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.contract.signals import SessionRiskSignal, SignalReason, SignalSource
from risk_scorer.core.incidents.of_sessions import response_of, session_sighting

NOW = 1_760_000_000.0


def signal(score: float, *, source: SignalSource = "activity") -> SessionRiskSignal:
    reasons = (
        SignalReason(code="several_actors", points=score - 2, text="two browsers"),
        SignalReason(code="baseline", points=2.0),
        SignalReason(code="volume", points=0.0),
    )
    return SessionRiskSignal(
        signal_id="sig_00000001",
        session_id="ses-1",
        user_id="alice",
        score=score,
        level="high",
        recommended="reset_session",
        reasons=reasons,
        observed_at=NOW,
        source=source,
    )


@pytest.mark.parametrize(("score", "is_one"), [(60.0, False), (79.99, False), (80.0, True), (100.0, True)])
def test_a_session_is_an_incident_from_the_mark_of_a_reset_on(score: float, is_one: bool) -> None:
    """Below it the person is asked, and nobody else has to do anything."""
    assert (session_sighting(signal(score)) is not None) is is_one


def test_what_speaks_against_the_session_is_the_evidence() -> None:
    """Not what every session has, and not what says nothing."""
    found = session_sighting(signal(90.0))
    assert found is not None
    assert (found.key, found.members, found.at) == ("user:alice", ("alice",), NOW)
    assert [(each.code, each.points, each.session_id) for each in found.evidence] == [("several_actors", 88.0, "ses-1")]


def test_a_campaigns_word_on_a_member_is_no_incident_of_theirs() -> None:
    """The campaign has one of its own."""
    assert session_sighting(signal(90.0, source="campaign")) is None


def test_a_response_is_what_ended_or_was_shown() -> None:
    """A session that begins is none."""
    notice = SessionNotice(session_id="ses-1", user_id="alice", state="started", at=NOW)
    assert response_of(notice) is None
    ended = SessionNotice(session_id="ses-1", user_id="alice", state="ended", at=NOW, reason="session_risk")
    assert response_of(ended) == "session ses-1 ended: session_risk"
    shown = SessionNotice(session_id="ses-1", user_id="alice", state="stepped_up", at=NOW)
    assert response_of(shown) == "session ses-1: the person showed a factor"
