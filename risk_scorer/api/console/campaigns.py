"""`/dashboard/campaigns`: attacks by several accounts at once; one of them as a drawing, a course and its members."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.contract.assessment import risk_level
from risk_scorer.core.campaigns.names import network_of
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.campaign import KINDS_IN_WORDS
from risk_scorer.core.console.campaign_graph import (
    ACCOUNT_UNITS,
    BOX_HEIGHT,
    BOX_WIDTH,
    ROW,
    SIDE,
    SIGNAL_UNITS,
)
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.entity import Kind, can_be_asked, path_of
from risk_scorer.core.console.label import fitting
from risk_scorer.core.console.moments import span_words
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.incidents.incident import Incident
from risk_scorer.flows.console.campaigns import Campaigns, ShownCampaign
from risk_scorer.flows.console.ports import ActLog

PATH: Final = "/dashboard/campaigns"
ONE: Final = f"{PATH}/{{campaign_id}}"
STATES: Final = ("open", "closed")
SHOWN_ACTS: Final = 10
ENTITY_KINDS: Final[dict[str, Kind]] = {
    "address": "address",
    "prefix": "address",
    "device": "device",
    "ja4": "fingerprint",
}


class CampaignViews:
    """The list, and one of them."""

    def __init__(self, *, desk: Desk, campaigns: Campaigns, acts: ActLog) -> None:
        self._desk = desk
        self._campaigns = campaigns
        self._acts = acts

    async def list(self, request: Request) -> Response:
        """A page of them, the last opened first. Raises: Refused."""
        query, veil = request.query_params, self._desk.veil(request)
        state = query.get("state", "")
        if state and state not in STATES:
            raise Refused("invalid_filter", f"state must be one of {', '.join(STATES)}", status=422)
        found = await self._campaigns.page(state=state, after=query.get("after", ""))
        return await self._desk.page(
            "console/campaigns.html",
            request,
            found=found,
            state=state,
            states=STATES,
            signal=lambda kind, value: _signal(kind, value, veil),
            older="" if found.next is None else address(PATH, state=state, after=found.next),
            path_part=path_part,
            words_of=words_of,
            level_of=risk_level,
        )

    async def one(self, request: Request) -> Response:
        """One with all that is known of it. Raises: Refused `unknown_campaign` (404)."""
        campaign_id, veil = request.path_params["campaign_id"], self._desk.veil(request)
        shown = await self._campaigns.one(campaign_id, request.query_params.get("members", ""))
        acts = await self._acts.page(before=None, subject=campaign_id, operator="", limit=SHOWN_ACTS)
        return await self._desk.page("console/campaign.html", request, acts=acts, **_page(shown, veil))

    async def open_ones(self) -> int:
        """How many go on. Raises: Refused."""
        return await self._campaigns.open_ones()

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(
                name="campaigns",
                path=PATH,
                title="Campaigns",
                endpoint=self.list,
                in_menu=True,
                count=self.open_ones,
            ),
            View(name="campaign", path=ONE, title="One campaign", endpoint=self.one),
        )


def _page(shown: ShownCampaign, veil: Veil) -> dict[str, Any]:
    found, graph = shown.found, shown.graph
    here = f"{PATH}/{path_part(found.campaign.campaign_id)}"
    boxes = [{"node": each, **_signal(each.kind, each.value, veil)} for each in graph.signals]
    place = None if found.next is None else f"{found.next.last_seen!r}/{found.next.user_id}"
    return {
        "found": found,
        "campaign": found.campaign,
        "incident": found.incident,
        "recommended": _recommended(found.incident),
        "evidence": shown.evidence,
        "graph": graph,
        "boxes": boxes,
        "row": ROW,
        "box_width": BOX_WIDTH,
        "box_height": BOX_HEIGHT,
        "side": SIDE,
        "label": lambda text: fitting(text, ACCOUNT_UNITS),
        "course": shown.course,
        "step_words": span_words(shown.course.step),
        "shown": shown,
        "signals": [{"accounts": each.accounts, **_signal(each.kind, each.value, veil)} for each in found.signals],
        "older": "" if place is None else address(here, members=place),
        "path_part": path_part,
        "words_of": words_of,
        "level_of": risk_level,
        "path": here,
    }


def _recommended(incident: Incident | None) -> str:
    return "" if incident is None else incident.recommended_response


def _signal(kind: str, value: str, veil: Veil) -> dict[str, Any]:
    """What is shown of a signal, and the address of its page, "" for one that has none."""
    shown = veil.text(value)
    return {
        "kind": KINDS_IN_WORDS.get(kind, kind),
        "text": shown,
        "label": fitting(shown, SIGNAL_UNITS),
        "path": _path(kind, value, veil),
    }


def _path(kind: str, value: str, veil: Veil) -> str:
    entity = ENTITY_KINDS.get(kind)
    if entity is None or not can_be_asked(value):
        return ""
    if kind == "address":
        # Of IPv6 a campaign has the /64, and pages there are of the /48.
        value = network_of(value.partition("/")[0])[1] if "/" in value else veil.subject(value)
    return path_of(entity, value) if value else ""
