"""`/dashboard/sessions`: sessions by their risk, and one of them with what was seen, said and done."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.users import missing_words
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.chips import weight_of, words_of
from risk_scorer.core.console.session_lines import OF_LEVEL, RESPONSES
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.console.waterfall import MARKS
from risk_scorer.flows.console.sessions import SessionDesk
from risk_scorer.flows.console.user_acts import UserActs

PATH: Final = "/dashboard/sessions"
ONE: Final = f"{PATH}/{{session_id:path}}"
NAMES: Final = ("user", "level", "response", "open")
QUERY_NAMES: Final = {"address": "ip", "device": "device"}


class SessionViews:
    """The list, one session, and its end."""

    def __init__(self, *, desk: Desk, sessions: SessionDesk, acts: UserActs) -> None:
        self._desk = desk
        self._sessions = sessions
        self._acts = acts

    async def table(self, request: Request) -> Response:
        """A page of them, the riskiest first. Raises: Refused (422 `invalid_filter`)."""
        query = request.query_params
        wanted, page = await self._sessions.asked(query)
        given = {name: query.get(name, "") for name in NAMES}
        return await self._desk.page(
            "console/sessions.html",
            request,
            lines=page.lines,
            wanted=wanted,
            given=given,
            levels=tuple(OF_LEVEL),
            responses=RESPONSES,
            is_first=not query.get("after"),
            older=address(PATH, **given, after=page.next) if page.next else "",
            path_part=path_part,
        )

    async def one(self, request: Request) -> Response:
        """Everything of one. Raises: Refused (404 `unknown_session`)."""
        veil = self._desk.veil(request)
        found = await self._sessions.of(request.path_params["session_id"])
        sharing = []
        for each in found.shares:
            is_place = each.kind == "address"
            asked = veil.subject(each.value) if is_place else each.value
            shown = veil.address(each.value) if is_place else each.value
            sharing.append((each.kind, shown, f"{QUERY_NAMES[each.kind]}={path_part(asked)}", each.people))
        return await self._desk.page(
            "console/session_of.html",
            request,
            found=found,
            line=found.line,
            sharing=sharing,
            missing=missing_words(found.missing),
            marks=MARKS,
            words_of=words_of,
            weight_of=weight_of,
            written_out=written_out,
            path_part=path_part,
        )

    async def end(self, request: Request) -> Response:
        """End it, and no other session of its person. Raises: Refused, and as `Desk.act`."""
        session_id = request.path_params["session_id"]
        self._desk.require(request, "analyst")
        await self._desk.form(request)
        line = await self._sessions.line(session_id)

        async def do(doing: Doing) -> str:
            by, why = doing.operator.name, doing.act.reason
            return await self._acts.end_session(line.user_id, line.session_id, by=by, why=why)

        back = f"{PATH}/{path_part(session_id)}"
        return await self._desk.act(
            request, "session.end", (session_id, line.user_id), effect=do, back=back, sensitive=True
        )

    def views(self) -> tuple[View, ...]:
        """Where they are; the page of one comes last, since its address takes any id."""
        return (
            View(name="sessions", path=PATH, title="Sessions", endpoint=self.table, in_menu=True),
            View(
                name="session-end",
                path=f"{ONE}/end",
                title="End a session",
                endpoint=self.end,
                role="analyst",
                kind="act",
            ),
            View(name="session-of", path=ONE, title="One session", endpoint=self.one),
        )
