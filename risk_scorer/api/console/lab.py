"""`/dashboard/lab`: a login that never was, built by hand or from a preset, scored and put before policy; two beside
each other. Every fact stands in the address, so that it can be sent to somebody, and nothing is kept.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.lab_answer import side_by_side
from risk_scorer.core.console.lab_presets import PRESETS, preset_named
from risk_scorer.core.console.supposed_login import FIELDS, BadSupposition, SupposedLogin, supposed_of
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.console.waterfall import MARKS, waterfall
from risk_scorer.flows.console.lab import Lab, LabAnswer

PATH: Final = "/dashboard/lab"
SECOND: Final = "b_"
"""What the names of the second login's fields begin with."""
MORE: Final = {
    "country": "Country (two letters)",
    "city": "City",
    "asn": "Number of the operator (ASN)",
    "ip_rep": "Reputation (0 good, 100 bad)",
    "tried": "Failed attempts around it",
    "people": "For how many people",
}
"""Fields that outrank what is looked up, with their labels."""
ADDRESSES: Final = ("ip", "began_ip")
LONGEST_USER: Final = 256


class LabPage:
    """The form, and what came of it."""

    def __init__(self, *, desk: Desk, lab: Lab) -> None:
        self._desk = desk
        self._lab = lab

    async def page(self, request: Request) -> Response:
        """The lab. Raises: Refused (503)."""
        query, veil = request.query_params, self._desk.veil(request)
        if query.get("preset"):
            return await self._preset(request, veil)
        problem, first, second = "", SupposedLogin(), SupposedLogin()
        answers: list[LabAnswer] = []
        try:
            first, second = supposed_of(query), supposed_of(query, SECOND)
            shown = tuple(_veiled(login, veil) for login in (first, second))
            if shown != (first, second):
                return self._desk.back(_address(*shown))
            answers = [await self._lab.tried(login) for login in (first, second) if login.given]
        except BadSupposition as bad:
            problem = bad.message
        except Refused as refused:
            if refused.status != 422:
                raise
            problem = refused.message
        return await self._shown(request, first, second, answers, problem)

    async def _shown(
        self, request: Request, first: SupposedLogin, second: SupposedLogin, answers: list[LabAnswer], problem: str
    ) -> Response:
        return await self._desk.page(
            "console/lab.html",
            request,
            status=422 if problem else 200,
            problem=problem,
            logins=(("", "This login", first), (SECOND, "Beside this one", second)),
            has_second=bool(second.given),
            answers=[_result(answer) for answer in answers],
            compared=side_by_side(*(each.score.reasons for each in answers)) if len(answers) == 2 else (),
            presets=PRESETS,
            more=MORE,
            marks=MARKS,
            user=first.user,
            stolen=address(f"{PATH}/session", preset="stolen", user=first.user),
            link=_address(first, second),
            doubled=_address(first, first),
        )

    async def _preset(self, request: Request, veil: Veil) -> Response:
        """On to the address that has all facts of the preset in it. Raises: Refused."""
        query = request.query_params
        name, user = preset_named(query["preset"]), query.get("user", "").strip()[:LONGEST_USER]
        if name is None:
            raise Refused("invalid_preset", f"Choose one of {', '.join(PRESETS)}.", status=422)
        made = _veiled(await self._lab.made(name, user), veil)
        if query.get("beside") != "usual" or name == "usual":
            return self._desk.back(_address(made, SupposedLogin()))
        usual = _veiled(await self._lab.made("usual", user), veil)
        return self._desk.back(_address(usual, made))

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="lab", path=PATH, title="Scenario lab", endpoint=self.page, in_menu=True),)


def _address(first: SupposedLogin, second: SupposedLogin) -> str:
    """The lab with both in its query."""
    return address(PATH, **first.given, **{SECOND + name: value for name, value in second.given.items()})


def _veiled(login: SupposedLogin, veil: Veil) -> SupposedLogin:
    """The same, with networks in place of addresses in a veiled session."""
    changed = {name: veil.subject(getattr(login, name)) for name in ADDRESSES}
    return msgspec.structs.replace(login, **changed)


def _result(answer: LabAnswer) -> dict[str, Any]:
    score = answer.score
    return {
        "score": score,
        "steps": waterfall(score.reasons, score.risk_score),
        "unknown": answer.unknown,
        "explain": score.explain,
        "policy": answer.policy,
        "policy_problem": answer.problem,
        "is_invented": answer.login.past == "invented",
        "is_supposed_pressure": answer.is_supposed_pressure,
        "user": written_out(answer.login.user),
    }


assert set(MORE) <= set(FIELDS)  # noqa: S101 - a label without its field would be a form that forgets
