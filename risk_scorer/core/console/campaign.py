"""Campaigns as the console shows them: a line of a list, a member, and all that one page needs."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.contract.campaigns import Campaign, CampaignLook, CampaignSignal
from risk_scorer.core.incidents.incident import Incident

KINDS_IN_WORDS: Final = {
    "address": "address",
    "prefix": "network",
    "device": "device",
    "ja4": "TLS fingerprint",
    "user_agent": "user agent",
    "rhythm": "rhythm",
}


class ListedCampaign(Struct, frozen=True):
    """One line beside something else; times are epoch seconds, `members` counts all that it ever had."""

    campaign_id: str
    state: str
    score: float
    members: int
    first_seen: float
    last_seen: float
    opened_at: float


class CampaignLine(Struct, frozen=True, kw_only=True):
    """One line of the list: the most shared signals, and the incident where there is one."""

    campaign: Campaign
    signals: tuple[CampaignSignal, ...]
    incident: Incident | None


class CampaignPage(Struct, frozen=True, kw_only=True):
    """A page of them; `next` is where it goes on, `look` None before anybody ever looked."""

    lines: tuple[CampaignLine, ...]
    next: str | None
    look: CampaignLook | None


class MemberPlace(Struct, frozen=True):
    """Between two members, in the order of whoever was seen last."""

    last_seen: float
    user_id: str


class Member(Struct, frozen=True, kw_only=True):
    """An account in it, and what else is held of it; None is not known."""

    user_id: str
    marks: tuple[str, ...]
    first_seen: float
    last_seen: float
    account_score: float | None
    session_risk: float | None


class FoundCampaign(Struct, frozen=True, kw_only=True):
    """One campaign with what its members share and a page of them."""

    campaign: Campaign
    signals: tuple[CampaignSignal, ...]
    incident: Incident | None
    members: tuple[Member, ...]
    next: MemberPlace | None
