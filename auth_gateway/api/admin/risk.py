"""`/users/{user_id}/risk`: what is held against a person and why, and an analyst's word about it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.reference import Schema, json_of, operation, query_of
from auth_gateway.core.names import LONGEST_USER_ID
from auth_gateway.core.user_risk import Source, UserLevel
from auth_gateway.flows.ports.user_risk import NotedChange
from auth_gateway.flows.risk_desk import LATEST, MOST_SHOWN, PersonRisk, RiskDesk
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, refuse_unsafe_text, require_json
from plumbing.queries import each_once
from plumbing.refusals import Refused

MOST_VERDICT_BYTES = 4_096
USUAL_PAGE = 50


class VerdictBody(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /users/{user_id}/risk/verdict`."""

    verdict: Annotated[str, Meta(max_length=32)]
    by: Annotated[str, Meta(max_length=128)]
    why: Annotated[str, Meta(max_length=500)]


class ShownChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `by` and `why` are there where somebody said it."""

    ts: float
    source: Source
    reason: str
    before: float
    after: float
    event_id: str
    by: str | UnsetType = UNSET
    why: str | UnsetType = UNSET


class ShownRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A person's risk now, and a page of its history, the newest first; `next` goes on, as `before`."""

    user_id: str
    risk: float
    level: UserLevel
    is_held: bool
    changed_at: float | None
    history: list[ShownChange]
    next: int | UnsetType = UNSET


_decoder = msgspec.json.Decoder(VerdictBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRoutes:
    """What programs that run the gateway may see and say of people's risks."""

    gate: AdminGate
    desk: RiskDesk

    async def get_risk(self, request: Request) -> Response:
        """The risk and its history.

        Raises: Refused by the gate; `unknown_user` (404), `invalid_request` (422).
        """
        await self.gate(request, "risk:read")
        before, limit = _number(request, "before", LATEST), _number(request, "limit", USUAL_PAGE)
        user_id = _user_id(request)

        def look() -> PersonRisk:
            return self.desk.show(self.desk.of_id(user_id), before=before, limit=limit)

        return json_answer(shown(await asyncio.to_thread(look)))

    async def post_verdict(self, request: Request) -> Response:
        """The risk after the verdict.

        Raises: Refused by the gate; `unknown_user` (404), `invalid_verdict` (422), and those of a bad body.
        """
        client_id = await self.gate(request, "risk:write")
        require_json(request)
        said = decode(_decoder, await read_body(request, max_bytes=MOST_VERDICT_BYTES))
        user_id = _user_id(request)

        def say() -> PersonRisk:
            account = self.desk.of_id(user_id)
            return self.desk.verdict(account, said.verdict, by=said.by, why=said.why, client_id=client_id)

        return json_answer(shown(await asyncio.to_thread(say)))


def shown(risk: PersonRisk) -> ShownRisk:
    """As programs are told it; numbers to two places."""
    return ShownRisk(
        user_id=risk.user_id,
        risk=round(risk.value, 2),
        level=risk.level,
        is_held=risk.is_held,
        changed_at=risk.changed_at if risk.history or risk.value else None,
        history=[_shown_change(noted) for noted in risk.history],
        next=UNSET if risk.next_place is None else risk.next_place,
    )


def _shown_change(noted: NotedChange) -> ShownChange:
    change = noted.change
    return ShownChange(
        ts=change.ts,
        source=change.source,
        reason=change.reason,
        before=round(change.before, 2),
        after=round(change.after, 2),
        event_id=change.event_id,
        by=change.by or UNSET,
        why=change.why or UNSET,
    )


def _user_id(request: Request) -> str:
    user_id = str(request.path_params["user_id"])
    if len(user_id) > LONGEST_USER_ID:
        raise Refused("unknown_user", "There is no account with this id.", status=404)
    return refuse_unsafe_text(user_id, "user_id")


def _number(request: Request, name: str, usual: int) -> int:
    text = each_once(request).get(name)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise Refused("invalid_request", "This is no whole number above 0.", status=422, evidence={"field": name})
    return int(text)


_SHAPES, _COMPONENTS = msgspec.json.schema_components([VerdictBody, ShownRisk], ref_template="#/$defs/{name}")
_PERSON: Schema = {"name": "user_id", "in": "path", "required": True, "schema": {"type": "string"}}


def _inline(schema: Schema) -> Schema:
    """The schema with nothing in it that stands elsewhere."""
    if "$ref" in schema:
        return _inline(_COMPONENTS[schema["$ref"].rpartition("/")[2]])
    return {name: _inlined(value) for name, value in schema.items()}


def _inlined(value: object) -> object:
    if isinstance(value, dict):
        return _inline(value)
    return [_inlined(each) for each in value] if isinstance(value, list) else value


_ANSWER: Schema = {"200": {"description": "The risk.", "content": json_of(_inline(_SHAPES[1]))}}
GET_RISK: Schema = {
    **operation(
        description="What is held against a person, whatever they do now: 0 to 100, fading with time, and by whom or "
        f"what it was raised and lowered. Up to {MOST_SHOWN} changes at a time (`limit`). Needs the scope `risk:read`.",
        answers=_ANSWER,
        refusals=("401", "403", "422", "503"),
        takes_token=True,
    ),
    "parameters": [_PERSON, *query_of("before", "limit")],
}
POST_VERDICT: Schema = {
    **operation(
        description="An analyst's word. `safe`: the detections were wrong; the risk is 0 and the scorer learns it. "
        "`dismissed`: of no concern; the risk is 0 and nobody learns. `compromised`: somebody else has the account; "
        "the risk is 100 until the password is another one, all sessions end, and the scorer learns it. Needs the "
        "scope `risk:write`.",
        answers=_ANSWER,
        bodies=json_of(
            _inline(_SHAPES[0]), {"verdict": "dismissed", "by": "mara@soc.example", "why": "a drill, announced"}
        ),
        refusals=("400", "401", "403", "413", "415", "422", "503"),
        takes_token=True,
    ),
    "parameters": [_PERSON],
}
for _described in (GET_RISK, POST_VERDICT):
    _described["responses"]["404"] = {"description": "Nobody has this id.", "content": json_of({"type": "object"})}
