"""Looking at campaigns: a page of them, and one with its drawing, its course, what made its score, and its members."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from plumbing.refusals import Refused
from risk_scorer.core.console.campaign import CampaignPage, FoundCampaign, MemberPlace
from risk_scorer.core.console.campaign_edges import edges_of
from risk_scorer.core.console.campaign_evidence import Adding, adding
from risk_scorer.core.console.campaign_graph import MOST_ACCOUNTS, Graph, graph
from risk_scorer.core.console.campaign_seen import Seen
from risk_scorer.core.console.campaign_timeline import Timeline, step_of, timeline
from risk_scorer.flows.console.ports import Gateway

PAGE_ROWS: Final = 25
PAGE_MEMBERS: Final = 25
DRAWN_MEMBERS: Final = MOST_ACCOUNTS
"""Members, the last seen, whose doings are read for the drawing and the course: as many as a drawing has."""
LONGEST_ID: Final = 128
ASK_SECONDS: Final = 1.0
"""For what the gateway holds against the members of a page; without its answer the page goes without."""


class CampaignRows(Protocol):
    async def page(self, *, state: str, after: str, limit: int) -> CampaignPage | None:
        """The last opened first; None where there is nothing to go on from. Raises: Refused."""
        ...

    async def one(self, campaign_id: str, *, after: MemberPlace | None, limit: int) -> FoundCampaign | None:
        """One, with so many members from that place on; None where there is none. Raises: Refused."""
        ...

    async def open_ones(self) -> int:
        """How many go on. Raises: Refused."""
        ...


class CampaignSightings(Protocol):
    async def seen(self, user_ids: Sequence[str], *, first: float, last: float, step: float) -> Seen:
        """What these accounts did from `first` to `last`, counted by steps. Raises: Refused."""
        ...


class ShownCampaign(Struct, frozen=True, kw_only=True):
    """All of one page. `held` is the gateway's risk by person, of those that it knows; `drawn_members` were read."""

    found: FoundCampaign
    evidence: Adding
    graph: Graph
    course: Timeline
    drawn_members: int
    held: dict[str, float]
    is_held_known: bool


class Campaigns:
    """What pages ask."""

    def __init__(self, *, rows: CampaignRows, sightings: CampaignSightings, gateway: Gateway) -> None:
        self._rows = rows
        self._sightings = sightings
        self._gateway = gateway

    async def page(self, *, state: str, after: str) -> CampaignPage:
        """A page of them; "" is any state. Raises: Refused (422 for a place that is none)."""
        found = None
        if len(after) <= LONGEST_ID and after.isprintable():
            found = await self._rows.page(state=state, after=after, limit=PAGE_ROWS)
        if found is None:
            raise Refused("invalid_filter", "after must be what a page gave", status=422)
        return found

    async def one(self, campaign_id: str, after: str) -> ShownCampaign:
        """One of them, and members from that place on. Raises: Refused (404 `unknown_campaign`, 422)."""
        found = await self.find(campaign_id, place_of(after))
        newest = await self.find(campaign_id, None, limit=DRAWN_MEMBERS) if after else found
        drawn = [each.user_id for each in newest.members[:DRAWN_MEMBERS]]
        campaign = found.campaign
        step = step_of(campaign.first_seen, campaign.last_seen)
        seen = await self._sightings.seen(drawn, first=campaign.first_seen, last=campaign.last_seen, step=step)
        signals = [(each.kind, each.value) for each in found.signals]
        # Some 15 ms of the processor, in which nobody else's answer would be made.
        edges = await asyncio.to_thread(edges_of, seen.sightings, signals)
        held = await self._held([each.user_id for each in found.members])
        return ShownCampaign(
            found=found,
            evidence=adding(campaign),
            graph=graph(edges),
            course=timeline(seen.counts, first=campaign.first_seen, step=step),
            drawn_members=len(drawn),
            held=held or {},
            is_held_known=held is not None,
        )

    async def open_ones(self) -> int:
        """How many go on. Raises: Refused."""
        return await self._rows.open_ones()

    async def find(self, campaign_id: str, after: MemberPlace | None, *, limit: int = PAGE_MEMBERS) -> FoundCampaign:
        """One with a page of its members. Raises: Refused `unknown_campaign` (404)."""
        found = None
        if len(campaign_id) <= LONGEST_ID and campaign_id.isprintable():
            found = await self._rows.one(campaign_id, after=after, limit=limit)
        if found is None:
            raise Refused("unknown_campaign", "There is no campaign of that id.", status=404)
        return found

    async def _held(self, user_ids: Sequence[str]) -> dict[str, float] | None:
        """What the gateway holds against them; None where it does not say."""
        if not self._gateway.is_on:
            return None
        try:
            async with asyncio.timeout(ASK_SECONDS):
                risks = await asyncio.gather(*map(self._risk, user_ids), return_exceptions=True)
        except TimeoutError:
            return None
        known = {user: risk for user, risk in zip(user_ids, risks, strict=True) if isinstance(risk, float)}
        return None if any(isinstance(risk, BaseException) for risk in risks) else known

    async def _risk(self, user_id: str) -> float | None:
        """None where the gateway does not know the person. Raises: Refused, where it does not answer."""
        try:
            return (await self._gateway.risk(user_id, limit=1)).risk
        except Refused as refused:
            if refused.status == 404:
                return None
            raise


def place_of(text: str) -> MemberPlace | None:
    """Where a page of members goes on. Raises: Refused (422)."""
    if not text:
        return None
    seen, _, user_id = text.partition("/")
    try:
        moment = float(seen)
    except ValueError:
        moment = math.nan
    if not (math.isfinite(moment) and user_id and "\0" not in user_id):
        raise Refused("invalid_filter", "members must be a place that a page gave", status=422)
    return MemberPlace(moment, user_id)
