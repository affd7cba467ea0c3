"""`/dashboard/lab/session`: a session that never was, its requests judged one after the other, and what the gateway
would do at which. Every fact stands in the address, so that it can be sent to somebody, and nothing is kept.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.contract.activity import Signal
from risk_scorer.contract.assessment import Reason
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.chips import chips
from risk_scorer.core.console.session_answer import WORDS, Step, stop_of
from risk_scorer.core.console.session_scenes import SCENES, scene_named
from risk_scorer.core.console.supposed_login import BadSupposition
from risk_scorer.core.console.supposed_session import LINE, LONGEST_ASKS, SupposedSession, supposed_session_of
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.console.waterfall import MARKS, waterfall
from risk_scorer.flows.console.session_lab import SessionAnswer, SessionLab

PATH: Final = "/dashboard/lab/session"
ADDRESSES: Final = ("ip", "other_ip")
LONGEST_USER: Final = 256


class SessionLabPage:
    """The form, and what came of it."""

    def __init__(self, *, desk: Desk, lab: SessionLab) -> None:
        self._desk = desk
        self._lab = lab

    async def page(self, request: Request) -> Response:
        """The lab. Raises: Refused (503)."""
        query, veil = request.query_params, self._desk.veil(request)
        if query.get("preset"):
            return await self._preset(request, veil)
        problem, session, answer = "", SupposedSession(), None
        try:
            session = supposed_session_of(query)
            shown = _veiled(session, veil)
            if shown != session:
                return self._desk.back(address(PATH, **shown.given))
            answer = await self._lab.tried(session) if session.given else None
        except BadSupposition as bad:
            problem = bad.message
        except Refused as refused:
            if refused.status != 422:
                raise
            problem = refused.message
        return await self._desk.page(
            "console/lab_session.html",
            request,
            status=422 if problem else 200,
            problem=problem,
            session=session,
            result=None if answer is None else _result(answer),
            scenes=SCENES,
            line=LINE,
            longest=LONGEST_ASKS,
            marks=MARKS,
            link=address(PATH, **session.given),
        )

    async def _preset(self, request: Request, veil: Veil) -> Response:
        """On to the address that has all facts of the scene in it. Raises: Refused."""
        query = request.query_params
        name, user = scene_named(query["preset"]), query.get("user", "").strip()[:LONGEST_USER]
        if name is None:
            raise Refused("invalid_preset", f"Choose one of {', '.join(SCENES)}.", status=422)
        made = _veiled(await self._lab.made(name, user), veil)
        return self._desk.back(address(PATH, **made.given))

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="lab-session", path=PATH, title="A session in the lab", endpoint=self.page),)


def _veiled(session: SupposedSession, veil: Veil) -> SupposedSession:
    """The same, with networks in place of addresses in a veiled session."""
    changed = {name: veil.subject(getattr(session, name)) for name in ADDRESSES}
    return msgspec.structs.replace(session, **changed)


def _result(answer: SessionAnswer) -> dict[str, Any]:
    stop, last = stop_of(answer.steps), answer.steps[-1].answer
    return {
        "steps": [_line(step) for step in answer.steps],
        "last": last,
        "waterfall": waterfall(_reasons(last.signals), last.total_score),
        "unknown": [written_out(name.replace("_", " ")) for name in last.unknown],
        "stop": None if stop is None else _line(stop),
        "report_only": answer.trial is not None and answer.trial.report_only,
        "problem": answer.problem,
        "is_told": any(step.is_told for step in answer.steps),
        "began": answer.began,
        "is_invented": answer.session.past == "invented",
        "user": written_out(answer.session.user),
    }


def _line(step: Step) -> dict[str, Any]:
    return {"step": step, "chips": chips(_reasons(step.answer.signals)), "does": WORDS[step.response or "none"]}


def _reasons(signals: list[Signal]) -> list[Reason]:
    return [
        Reason(code=each.code, points=each.points, observed=each.observed, usual=each.usual, text=each.text)
        for each in signals
    ]
