"""`/dashboard/sign-ins/{event_id}`: one sign-in, why it scored as it did, and what stands around it."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.beside_usual import Usual
from risk_scorer.core.console.entity import Kind, can_be_asked, path_of
from risk_scorer.core.console.globe import arc, on_map
from risk_scorer.core.console.pictures import bars
from risk_scorer.core.console.sign_in_filter import VERDICTS
from risk_scorer.core.console.sign_in_line import line_of
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.console.waterfall import MARKS, waterfall
from risk_scorer.flows.console.sign_in_details import Details, SignInDetails
from risk_scorer.flows.ports import ScoredEvent

PATH: Final = "/dashboard/sign-ins/{event_id:path}"
SIGN_INS: Final = "/dashboard/sign-ins"
HOURS_BOX: Final = (240.0, 48.0)


class SignInPage:
    """The drawer: a page of its own, or with `?fragment=1` its main part."""

    def __init__(self, *, desk: Desk, details: SignInDetails, has_narrator: bool) -> None:
        self._desk = desk
        self._details = details
        self._has_narrator = has_narrator

    async def page(self, request: Request) -> Response:
        """Everything of one sign-in. Raises: Refused (404 `unknown_event`)."""
        veil = self._desk.veil(request)
        found = await self._details.of(request.path_params["event_id"])
        return await self._desk.page(
            "console/sign_in.html",
            request,
            line=line_of(found.row, veil),
            marks=MARKS,
            verdicts=VERDICTS,
            fitting=found.fitting,
            usual=found.usual,
            hours=None if found.usual is None else bars(found.usual.hours, width=HOURS_BOX[0], height=HOURS_BOX[1]),
            way=_way(found.usual),
            sharing=[_shared(each.kind, each.value, each.people, each.is_more, veil) for each in found.sharing],
            around=[line_of(row, veil) for row in found.around],
            has_narrator=self._has_narrator,
            **_scored(found, veil),
        )

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="sign-in", path=PATH, title="One sign-in", endpoint=self.page),)


def _scored(found: Details, veil: Veil) -> dict[str, Any]:
    if found.scored is None:
        return {"steps": None, "explain": None, "raw": ""}
    score = found.scored.score
    return {
        "steps": waterfall(score.reasons, score.risk_score),
        "explain": score.explain,
        "raw": veil.text(_raw(found.scored)),
    }


def _raw(scored: ScoredEvent) -> str:
    """The event as it was reported, on lines of its own, with signs that nobody sees written out."""
    text = msgspec.json.format(msgspec.json.encode(scored.event), indent=2).decode()
    return "\n".join(written_out(line) for line in text.split("\n"))


def _way(usual: Usual | None) -> dict[str, Any] | None:
    """The picture of the way from the usual place to this one."""
    if usual is None or usual.here is None:
        return None
    way = None if usual.usual is None else arc(usual.usual, usual.here)
    return {
        "here": on_map(usual.here),
        "usual": None if usual.usual is None else on_map(usual.usual),
        "lines": () if way is None else way.lines,
    }


def _shared(kind: Kind, value: str, people: tuple[str, ...], is_more: bool, veil: Veil) -> dict[str, Any]:
    asked = veil.subject(value) if kind == "address" else value
    return {
        "kind": kind,
        "value": veil.address(value) if kind == "address" else value,
        "path": path_of(kind, asked) if can_be_asked(asked) else SIGN_INS,
        "people": people,
        "is_more": is_more,
    }
