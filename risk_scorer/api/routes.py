"""The scorer's endpoints for services: parse, call one flow, render. No rule lives here."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer, json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.lean import add_lean
from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.operations import (
    BULK_SCORE,
    FEEDBACK,
    MAX_OUTCOMES,
    OUTCOMES,
    RULES,
    SCORE,
    recent_operation,
)
from risk_scorer.api.rows import entry_of
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import MAX_BULK_BYTES, MAX_BULK_EVENTS, BulkRequest, LoginEvent
from risk_scorer.contract.feedback import MAX_FEEDBACK, MAX_FEEDBACK_BYTES, Feedback, Outcome
from risk_scorer.flows.assess import Assess
from risk_scorer.flows.feedback import Judge
from risk_scorer.flows.learn import Learn
from risk_scorer.flows.ports import EventLog

MAX_EVENT_BYTES: Final = 64 * 1024
MAX_OUTCOME_BYTES: Final = 1024 * 1024
DEFAULT_RECENT: Final = 100

_event = msgspec.json.Decoder(LoginEvent)
_bulk = msgspec.json.Decoder(BulkRequest | list[LoginEvent])
_outcomes = msgspec.json.Decoder(Outcome | list[Outcome])
_feedback = msgspec.json.Decoder(Feedback | list[Feedback])
_encode = msgspec.json.Encoder().encode


class ServiceRoutes:
    """The endpoints that other services call."""

    def __init__(
        self, *, access: Access, assess: Assess, learn: Learn, judge: Judge, log: EventLog, recent_max: int
    ) -> None:
        self._access = access
        self._assess = assess
        self._learn = learn
        self._judge = judge
        self._log = log
        self._recent_max = recent_max

    async def score(self, request: Request) -> Response:
        self._access.require(request, "score")
        require_json(request)
        event = decode(_event, await read_body(request, max_bytes=MAX_EVENT_BYTES))
        return JSONAnswer(_encode(await self._assess.one(event)))

    async def bulk_score(self, request: Request) -> Response:
        self._access.require(request, "score")
        require_json(request)
        body = decode(_bulk, await read_body(request, max_bytes=MAX_BULK_BYTES))
        is_list = isinstance(body, list)
        events = body if isinstance(body, list) else body.events
        if len(events) > MAX_BULK_EVENTS:
            raise Refused(
                "too_many_events",
                "Send fewer events at once.",
                status=413,
                evidence={"max_events": MAX_BULK_EVENTS},
            )
        announce = not isinstance(body, list) and body.announce
        parts: list[bytes] = []

        def render(scores: list[RiskScore]) -> None:
            parts.append(_encode(scores)[1:-1])

        await self._assess.many(events, announce=announce, path="$" if is_list else "$.events", render=render)
        results = b",".join(parts)
        return JSONAnswer(b"[%b]" % results if is_list else b'{"results":[%b]}' % results)

    async def outcomes(self, request: Request) -> Response:
        self._access.require(request, "outcomes")
        require_json(request)
        body = decode(_outcomes, await read_body(request, max_bytes=MAX_OUTCOME_BYTES))
        is_list = isinstance(body, list)
        outcomes = body if isinstance(body, list) else [body]
        if len(outcomes) > MAX_OUTCOMES:
            raise Refused(
                "too_many_outcomes", "Send fewer outcomes at once.", status=413, evidence={"max_outcomes": MAX_OUTCOMES}
            )
        learned = await self._learn.outcomes(outcomes, path="$" if is_list else None)
        return json_answer({"learned": learned, "known_before": len(outcomes) - learned})

    async def feedback(self, request: Request) -> Response:
        self._access.require(request, "feedback")
        require_json(request)
        body = decode(_feedback, await read_body(request, max_bytes=MAX_FEEDBACK_BYTES))
        given = body if isinstance(body, list) else [body]
        if len(given) > MAX_FEEDBACK:
            raise Refused(
                "too_much_feedback", "Send less feedback at once.", status=413, evidence={"max_feedback": MAX_FEEDBACK}
            )
        known_before = await self._judge.feedback(given, path="$" if isinstance(body, list) else None)
        return json_answer({"recorded": len(given) - known_before, "known_before": known_before})

    async def rules(self, request: Request) -> Response:
        self._access.require(request, "read")
        return JSONAnswer(_encode(self._assess.rules()))

    async def recent(self, request: Request) -> Response:
        self._access.require(request, "read")
        entries = [entry_of(scored) for scored in self._log.recent(self._limit(request))]
        return json_answer({"count": len(entries), "events": entries})

    def _limit(self, request: Request) -> int:
        text = each_once(request).get("limit")
        if text is None:
            return min(DEFAULT_RECENT, self._recent_max)
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= self._recent_max):
            raise Refused(
                "invalid_request",
                f"limit must be a whole number from 1 to {self._recent_max}.",
                status=422,
                evidence={"field": "query.limit"},
            )
        return int(text)


def add_service_routes(app: FastAPI, routes: ServiceRoutes, recent_max: int) -> None:
    """Put the endpoints under their paths, the hottest first."""
    add_lean(app, "/score", routes.score, method="POST", summary="Score one login", operation=SCORE)
    add_lean(app, "/bulk_score", routes.bulk_score, method="POST", summary="Score many logins", operation=BULK_SCORE)
    add_lean(app, "/outcomes", routes.outcomes, method="POST", summary="Report how logins ended", operation=OUTCOMES)
    add_lean(
        app, "/feedback", routes.feedback, method="POST", summary="Say what was found out later", operation=FEEDBACK
    )
    add_lean(app, "/rules", routes.rules, method="GET", summary="List the rules and their match rates", operation=RULES)
    about_recent = recent_operation(default=min(DEFAULT_RECENT, recent_max), most=recent_max)
    add_lean(
        app, "/recent", routes.recent, method="GET", summary="List the newest scored logins", operation=about_recent
    )
