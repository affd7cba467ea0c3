"""What the scorer tells of campaigns: attacks by several accounts that no single login shows."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

CampaignState = Literal["open", "closed"]


class CampaignMark(Struct, frozen=True, kw_only=True):
    """What speaks for abuse: `share` of the members' community show it, of everybody else `base`."""

    name: str
    accounts: int
    share: float
    base: float
    nats: float
    text: str = ""


class CampaignEvidence(Struct, frozen=True, kw_only=True):
    """Why it is one: what its accounts show, and for how much of their time they share their signals (0-1)."""

    marks: tuple[CampaignMark, ...]
    overlap: float


class Campaign(Struct, frozen=True, kw_only=True):
    """One campaign; times are epoch seconds, `members` counts all that it ever had."""

    campaign_id: str
    state: CampaignState
    score: float
    recommended: Literal["step_up"] = "step_up"
    members: int
    revision: int
    first_seen: float
    last_seen: float
    opened_at: float
    updated_at: float
    closed_at: float | None
    evidence: CampaignEvidence


class CampaignMember(Struct, frozen=True, kw_only=True):
    """An account in a campaign, and what speaks against it there."""

    user_id: str
    marks: tuple[str, ...]
    first_seen: float
    last_seen: float


class CampaignSignal(Struct, frozen=True, kw_only=True):
    """What so many members share."""

    kind: str
    value: str
    accounts: int


class CampaignLook(Struct, frozen=True, kw_only=True):
    """The last look for campaigns: when, over how much, and how long it took."""

    looked_at: float
    events: int
    accounts: int
    seconds: float


class CampaignList(Struct, frozen=True, kw_only=True):
    """Campaigns, the last changed first; `next` is where to go on, `look` None before the first one."""

    campaigns: list[Campaign]
    next: str | None
    look: CampaignLook | None


class CampaignDetail(Struct, frozen=True, kw_only=True):
    """One campaign with its signals and the members last seen, `shown` of them at most."""

    campaign: Campaign
    signals: list[CampaignSignal]
    members: list[CampaignMember]
