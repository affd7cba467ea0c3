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
    """An account in a campaign, and what speaks against it there. `account_score` is None for one that is not among the
    most unusual."""

    user_id: str
    marks: tuple[str, ...]
    first_seen: float
    last_seen: float
    account_score: float | None


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


class Membership(Struct, frozen=True, kw_only=True):
    """A campaign that an account is or was in, and what speaks against it there."""

    campaign_id: str
    state: CampaignState
    marks: tuple[str, ...]


class Measure(Struct, frozen=True, kw_only=True):
    """A measure in which an account lies out."""

    name: str
    text: str


class RankedAccount(Struct, frozen=True, kw_only=True):
    """How unusual an account is among all others of the last look's window, 0-100: half of it `z_score`, how far it
    lies out in single measures, half `isolation`, how easily it is told from all others. Unusual is not guilty."""

    user_id: str
    score: float
    z_score: float
    isolation: float
    furthest: tuple[Measure, ...]
    updated_at: float


class AccountRanking(Struct, frozen=True, kw_only=True):
    """The most unusual accounts of the last look, the highest first."""

    accounts: list[RankedAccount]
    look: CampaignLook | None


class AccountScored(Struct, frozen=True, kw_only=True):
    """One account's score, and the campaigns that it is or was in, the newest first."""

    account: RankedAccount
    campaigns: list[Membership]
