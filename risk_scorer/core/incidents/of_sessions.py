"""What the risk of a session, and the gateway's answer to it, are to the incident of its person."""

from __future__ import annotations

from risk_scorer.contract.activity import RESET_FROM
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.contract.signals import SessionRiskSignal
from risk_scorer.core.incidents.incident import Evidence, Sighting


def session_sighting(signal: SessionRiskSignal) -> Sighting | None:
    """The sighting that this signal is; None below the mark of a reset, where asking the person is enough."""
    if signal.score < RESET_FROM or signal.source != "activity":
        return None
    causes = [each for each in signal.reasons if each.points > 0.0 and each.code != "baseline"]
    return Sighting(
        kind="user",
        subject=signal.user_id,
        at=signal.observed_at,
        score=signal.score,
        evidence=tuple(
            Evidence(
                code=each.code,
                text=each.text,
                points=each.points,
                at=signal.observed_at,
                session_id=signal.session_id,
            )
            for each in causes
        ),
        members=(signal.user_id,),
    )


def response_of(notice: SessionNotice) -> str | None:
    """What the gateway did, as a line of the timeline; None for a session that begins."""
    if notice.state == "started":
        return None
    if notice.state == "stepped_up":
        return f"session {notice.session_id}: the person showed a factor"
    return f"session {notice.session_id} ended: {notice.reason or 'no reason told'}"
