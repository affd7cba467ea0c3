"""A campaign as lists of the console show it."""

from __future__ import annotations

from msgspec import Struct


class ListedCampaign(Struct, frozen=True):
    """One line; times are epoch seconds, `members` counts all that it ever had."""

    campaign_id: str
    state: str
    score: float
    members: int
    first_seen: float
    last_seen: float
    opened_at: float
