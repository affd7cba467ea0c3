"""`/dashboard/users`: who is most at risk, and everything of one person. What is done to them is in `user_acts`."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.devices import devices_of
from risk_scorer.core.console.person_history import HEIGHT, WIDTH
from risk_scorer.core.console.sign_in_line import line_of
from risk_scorer.core.console.visible import written_out
from risk_scorer.flows.console.people import LONGEST_ID, PeopleDesk, Person

PATH: Final = "/dashboard/users"
ONE: Final = f"{PATH}/{{user_id:path}}"
SHOWN_SIGN_INS: Final = 10
LONGEST_CURSOR: Final = 2048
MISSING: Final = {
    "gateway_not_configured": "The console is no client of a gateway, so accounts cannot be shown or changed here.",
    "gateway_unavailable": "The gateway does not answer now. What the scorer knows stands here all the same.",
    "gateway_refuses_console": "The gateway does not take the console's credentials for this.",
    "unknown_user": "The gateway has no account with this id.",
}
"""What stands where the gateway's word would, by the code of why there is none."""


class UserViews:
    """The list, and one person."""

    def __init__(self, *, desk: Desk, people: PeopleDesk) -> None:
        self._desk = desk
        self._people = people

    async def table(self, request: Request) -> Response:
        """The riskiest, or whom somebody looks for. Raises: Refused."""
        query = request.query_params
        asked = query.get("query", "").strip()[:LONGEST_ID]
        if asked:
            found = await self._people.found(asked, query.get("cursor", "")[:LONGEST_CURSOR])
            older = address(PATH, query=asked, cursor=found.next) if found.next else ""
        else:
            found = await self._people.riskiest(_place(query.get("from", "")))
            older = address(PATH, **{"from": found.next}) if found.next else ""
        return await self._desk.page(
            "console/users.html",
            request,
            lines=found.lines,
            accounts=found.accounts,
            missing=missing_words(found.missing),
            query=asked,
            older=older,
            path_part=path_part,
        )

    async def one(self, request: Request) -> Response:
        """Everything of one person. Raises: Refused (404 `unknown_user`)."""
        person = await self._people.person(request.path_params["user_id"])
        return await self._desk.page("console/user.html", request, **self._shown(request, person))

    def views(self) -> tuple[View, ...]:
        """Where they are; the page of one comes last, since its address takes any id."""
        return (View(name="users", path=PATH, title="Users", endpoint=self.table, in_menu=True),)

    def last_views(self) -> tuple[View, ...]:
        """The page of one person."""
        return (View(name="user", path=ONE, title="One user", endpoint=self.one),)

    def _shown(self, request: Request, person: Person) -> dict[str, Any]:
        veil = self._desk.veil(request)
        running = {} if person.live is None else {each.session_id: each for each in person.live}
        return {
            "person": person,
            "own": f"{PATH}/{path_part(person.user_id)}",
            "missing": missing_words(person.missing),
            "is_asked": person.missing in ("", "unknown_user"),
            "account": None if person.summary is None else person.summary.account,
            "lines": [line_of(row, veil) for row in person.sign_ins[:SHOWN_SIGN_INS]],
            "detected": [line_of(row, veil) for row in person.sign_ins if row.level != "low"][:SHOWN_SIGN_INS],
            "devices": devices_of(person.sign_ins),
            "sessions": person.sessions,
            "unjudged": [each for each in running.values() if each.session_id not in _ids(person)],
            "live": running,
            "box": (WIDTH, HEIGHT),
            "words_of": words_of,
            "written_out": written_out,
            "path_part": path_part,
        }


def missing_words(code: str) -> str:
    """What to say where the gateway says nothing; "" where it did."""
    return MISSING.get(code, f"The gateway refused to say: {code}.") if code else ""


def _ids(person: Person) -> set[str]:
    return {line.session_id for line in person.sessions}


def _place(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise Refused("invalid_filter", "from must be a place that a page gave", status=422)
    return int(text)
