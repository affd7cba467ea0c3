"""`/dashboard/incidents`: the queue that a security team works on, and one incident with all that was seen and done."""

from __future__ import annotations

from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.activity.incidents import incident_id_of
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.chips import weight_of, with_words, words_of
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.console.way_back import way_back
from risk_scorer.core.incidents.incident import Incident, IncidentChange, State
from risk_scorer.core.incidents.shown import MOST_COUNTED
from risk_scorer.flows.incidents import Incidents

PATH: Final = "/dashboard/incidents"
ONE: Final = f"{PATH}/{{incident_id}}"
PAGE_ROWS: Final = 50
LONGEST: Final = 256
STATES: Final[tuple[State, ...]] = get_args(State)
MINE: Final = "me"
MOST_WHYS: Final = 3
CHANGES: Final[dict[str, tuple[State | None, bool, str]]] = {
    "take": (None, True, "is yours"),
    "acknowledge": ("acknowledged", True, "is acknowledged"),
    "close": ("closed", False, "is closed"),
    "reopen": ("open", False, "is open again"),
}
"""What a button does: the state afterwards, None for as before; whether the incident is theirs then; how it is told."""


class IncidentViews:
    """The queue, an incident, and what people do with it."""

    def __init__(self, *, desk: Desk, incidents: Incidents) -> None:
        self._desk = desk
        self._incidents = incidents

    async def queue(self, request: Request) -> Response:
        """A page of them, the last changed first. Raises: Refused."""
        query, operator = request.query_params, self._desk.require(request)
        state, owner = _state(query.get("state", "")), query.get("owner", "")
        found = await self._incidents.page(
            state=state,
            owner=(operator.name if owner == MINE else owner[:LONGEST]) or None,
            before=query.get("before", "")[:LONGEST],
            limit=PAGE_ROWS,
        )
        return await self._desk.page(
            "console/incidents.html",
            request,
            incidents=found.incidents,
            whys=_whys,
            states=STATES,
            most_counted=MOST_COUNTED,
            counts=await self._incidents.counts(),
            state=state or "",
            owner=owner,
            older="" if found.next is None else address(PATH, state=state, owner=owner, before=found.next),
            quote=path_part,
        )

    async def one(self, request: Request) -> Response:
        """One with its evidence, timeline and people. Raises: Refused `unknown_incident` (404)."""
        found = await self._incidents.find(incident_id_of(request))
        incident = found.incident
        return await self._desk.page(
            "console/incident.html",
            request,
            incident=incident,
            level=found.level,
            recommended=found.recommended_response,
            members=found.members,
            words_of=words_of,
            weight_of=weight_of,
            with_words=with_words,
            written_out=written_out,
            quote=path_part,
        )

    async def change(self, request: Request) -> Response:
        """Take it, acknowledge it, close it, open it again. Raises: Refused, and as `Desk.act`."""
        incident_id, form = incident_id_of(request), await self._desk.form(request)
        does = form.one("does")
        if does not in CHANGES:
            raise Refused("invalid_change", f"An incident can be changed by {', '.join(CHANGES)}.", status=422)
        version = form.one("version")
        if not (version.isascii() and version.isdigit() and len(version) < 10 and int(version)):
            raise Refused("invalid_change", "Say which version of the incident you saw.", status=422)

        async def do(doing: Doing) -> str:
            operator, (state, is_taken, told) = doing.operator.name, CHANGES[does]
            owner = operator if is_taken else None
            change = IncidentChange(by=operator, why=doing.act.reason, state=state, owner=owner, version=int(version))
            await self._incidents.change(incident_id, change)
            return f"The incident {told}."

        back = way_back(form.one("back", "") or f"{PATH}/{path_part(incident_id)}")
        return await self._desk.act(request, f"incident.{does}", incident_id, effect=do, back=back)

    async def open_ones(self) -> int:
        """How many wait for somebody. Raises: Refused."""
        return (await self._incidents.counts()).get("open", 0)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(
                name="incidents", path=PATH, title="Incidents", endpoint=self.queue, in_menu=True, count=self.open_ones
            ),
            View(name="incident", path=ONE, title="One incident", endpoint=self.one),
            View(
                name="incident-change",
                path=f"{ONE}/change",
                title="Change an incident",
                endpoint=self.change,
                role="analyst",
                kind="act",
            ),
        )


def _whys(incident: Incident) -> list[str]:
    """What speaks most for it, each thing once."""
    return list(dict.fromkeys(words_of(cause.code) for cause in incident.evidence))[:MOST_WHYS]


def _state(text: str) -> State | None:
    if not text:
        return None
    for state in STATES:
        if text == state:
            return state
    raise Refused("invalid_filter", f"state must be one of {', '.join(STATES)}", status=422)
