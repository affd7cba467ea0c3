"""What is told of campaigns: the marks in words, and the signal that raises a member's risk at the gateway."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from risk_scorer.contract.campaigns import CampaignEvidence, CampaignMark
from risk_scorer.contract.signals import SessionRiskSignal, SignalReason
from risk_scorer.core.campaigns.continuity import QUIET_SECONDS, Continued
from risk_scorer.core.campaigns.evidence import OPEN_FROM
from risk_scorer.core.campaigns.found import FoundCampaign, Member
from risk_scorer.core.incidents.incident import Evidence, Sighting

MOST_FOR_MEMBER: Final = 79.0
"""A member may be a victim whose password others try: being in a campaign asks for a step-up and ends no session."""
ID_BYTES: Final = 16
TEXTS: Final = {
    "rhythm": "act in one rhythm of a machine",
    "failures": "mostly fail there",
    "detections": "were scored as risky there",
    "new_accounts": "have no history",
    "history": "were taken over before, or come with what such attackers came with",
}


def evidence_of(found: FoundCampaign) -> CampaignEvidence:
    """What speaks for it, the strongest first; what says nothing is left out."""
    marks = [
        CampaignMark(
            name=mark.name,
            accounts=mark.accounts,
            share=round(mark.share, 3),
            base=round(mark.base, 4),
            nats=round(mark.nats, 1),
            text=f"{mark.share:.0%} of these accounts {TEXTS[mark.name]}, of all others {mark.base:.1%}",
        )
        for mark in found.marks
        if mark.nats > 0.0
    ]
    return CampaignEvidence(marks=tuple(sorted(marks, key=lambda each: -each.nats)), overlap=found.overlap)


def member_signal(campaign_id: str, found: FoundCampaign, member: Member, *, now: float) -> SessionRiskSignal:
    """What the gateway is told of one member; the same campaign and member are one signal."""
    name = f"{campaign_id}\0{member.user_id}".encode()
    score = min(found.score, MOST_FOR_MEMBER) if member.marks else OPEN_FROM
    shared = ", ".join(sorted({signal.kind for signal in found.signals}))
    text = f"One of {found.members_in_all} accounts that share {shared} at the same times"
    return SessionRiskSignal(
        signal_id=f"sig_{blake2b(name, digest_size=ID_BYTES).hexdigest()}",
        session_id="",
        user_id=member.user_id,
        score=score,
        level="medium",
        recommended="step_up",
        reasons=(SignalReason(code="campaign", points=score, text=text[:256]),),
        observed_at=now,
        source="campaign",
        campaign_id=campaign_id,
    )


def incident_key(campaign_id: str) -> str:
    """The key of what is seen of this campaign."""
    return f"campaign:{campaign_id}"


def how_it_ended(change: Continued, *, now: float) -> str:
    """Why a campaign that closes is no more, in words."""
    last_seen = max(each.last_seen for each in (change.found, change.before) if each is not None)
    if now - last_seen >= QUIET_SECONDS:
        return f"it ended: nothing of it was seen for {QUIET_SECONDS / 3600.0:.0f} hours"
    return "it ended: its accounts are in another campaign now"


def incident_sighting(campaign_id: str, found: FoundCampaign, *, now: float) -> Sighting:
    """The campaign as what an incident is made of; its points are shared out by what each mark says."""
    marks = evidence_of(found).marks
    nats = sum(mark.nats for mark in marks) or 1.0
    return Sighting(
        kind="campaign",
        subject=campaign_id,
        at=now,
        score=found.score,
        evidence=tuple(
            Evidence(
                code=mark.name, text=mark.text, points=round(found.score * mark.nats / nats, 1), at=found.last_seen
            )
            for mark in marks
        ),
        members=tuple(member.user_id for member in found.members),
    )
