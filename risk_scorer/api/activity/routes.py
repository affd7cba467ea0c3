"""The endpoints of activity for services: parse, call one flow, render. No rule lives here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer, json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.activity import operations as about
from risk_scorer.contract.activity import Assessment, AssessRequest
from risk_scorer.contract.events import MAX_BULK_BYTES, MAX_BULK_EVENTS
from risk_scorer.contract.prediction import MAX_ROWS, MAX_ROWS_BYTES, Anomaly, BehaviourRow, SessionQuery, TaskAccepted
from risk_scorer.contract.sessions import MAX_NOTICES, MAX_NOTICES_BYTES, SessionNotice
from risk_scorer.flows.activity.assess import AssessActivity
from risk_scorer.flows.activity.hear import HearSessions
from risk_scorer.flows.activity.standing import Standing
from risk_scorer.flows.activity.tasks import AssessLater

MAX_EVENT_BYTES: Final = 64 * 1024
MAX_QUERY_BYTES: Final = 8 * 1024
RETRY_SECONDS: Final = 5

Predict = Callable[[Sequence[BehaviourRow]], Sequence[Anomaly] | None]
"""How unusual each window is, None while there is no model that says so."""

_event = msgspec.json.Decoder(AssessRequest)
_bulk = msgspec.json.Decoder(list[AssessRequest])
_notices = msgspec.json.Decoder(SessionNotice | list[SessionNotice])
_query = msgspec.json.Decoder(SessionQuery)
_rows = msgspec.json.Decoder(BehaviourRow | list[BehaviourRow])
_encode = msgspec.json.Encoder().encode


class ActivityRoutes:
    """The endpoints that applications and the gateway call."""

    def __init__(
        self,
        *,
        access: Access,
        assess: AssessActivity,
        later: AssessLater,
        hear: HearSessions,
        standing: Standing,
        predict: Predict,
    ) -> None:
        self._access = access
        self._assess = assess
        self._later = later
        self._hear = hear
        self._standing = standing
        self._predict = predict

    async def assess(self, request: Request) -> Response:
        caller = self._access.require(request, "activity")
        require_json(request)
        asked = decode(_event, await read_body(request, max_bytes=MAX_EVENT_BYTES))
        return JSONAnswer(_encode(await self._assess.one(asked, may_vouch="vouch" in caller.scopes)))

    async def assess_bulk(self, request: Request) -> Response:
        caller = self._access.require(request, "activity")
        require_json(request)
        asked = decode(_bulk, await read_body(request, max_bytes=MAX_BULK_BYTES))
        _bounded(len(asked), MAX_BULK_EVENTS, "too_many_events", "Send fewer events at once.")
        answers = await self._assess.many(asked, may_vouch="vouch" in caller.scopes)
        return JSONAnswer(b"[%b]" % b",".join([_encode(_shown(each)) for each in answers]))

    async def assess_async(self, request: Request) -> Response:
        caller = self._access.require(request, "activity")
        require_json(request)
        asked = decode(_event, await read_body(request, max_bytes=MAX_EVENT_BYTES))
        task_id = await self._later.accept(asked, caller=caller.name, may_vouch="vouch" in caller.scopes)
        return json_answer(TaskAccepted(task_id=task_id), 202, {"location": f"/tasks/{task_id}"})

    async def task(self, request: Request) -> Response:
        caller = self._access.require(request, "activity")
        state = await self._later.state(_path(request, "task_id"), caller=caller.name)
        if state is None:
            raise Refused("unknown_task", "There is no such task of yours, or not any more.", status=404)
        return json_answer(state)

    async def sessions(self, request: Request) -> Response:
        self._access.require(request, "outcomes")
        require_json(request)
        body = decode(_notices, await read_body(request, max_bytes=MAX_NOTICES_BYTES))
        is_list = isinstance(body, list)
        notices = body if isinstance(body, list) else [body]
        _bounded(len(notices), MAX_NOTICES, "too_many_notices", "Send fewer notices at once.")
        return json_answer(await self._hear.notices(notices, path="$" if is_list else None))

    async def score_session(self, request: Request) -> Response:
        self._access.require(request, "activity")
        require_json(request)
        asked = decode(_query, await read_body(request, max_bytes=MAX_QUERY_BYTES))
        return json_answer(self._standing.session(asked.session_id))

    async def predict(self, request: Request) -> Response:
        self._access.require(request, "activity")
        require_json(request)
        body = decode(_rows, await read_body(request, max_bytes=MAX_ROWS_BYTES))
        rows = body if isinstance(body, list) else [body]
        _bounded(len(rows), MAX_ROWS, "too_many_rows", "Send fewer rows at once.")
        found = self._predict(rows)
        if found is None:
            text = "There is no session model to predict with."
            raise Refused("model_unavailable", text, status=503, retry_after_seconds=RETRY_SECONDS)
        return json_answer(list(found) if isinstance(body, list) else found[0])

    async def person(self, request: Request) -> Response:
        self._access.require(request, "read")
        return json_answer(await self._standing.person(_path(request, "user_id")))


def _shown(answer: Assessment | Refused) -> object:
    return answer.as_answer() if isinstance(answer, Refused) else answer


def _bounded(found: int, most: int, code: str, text: str) -> None:
    if found > most:
        raise Refused(code, text, status=413, evidence={"most": most})


def _path(request: Request, name: str) -> str:
    """What stands in the path there: no id of ours is longer than an id of the contract."""
    text: str = request.path_params[name]
    if not 1 <= len(text) <= 256:
        raise Refused("invalid_request", "That is no id.", status=422, evidence={"field": f"path.{name}"})
    return text


def add_activity(app: FastAPI, routes: ActivityRoutes) -> None:
    """Put the endpoints under their paths."""
    for path, endpoint, method, summary, operation in (
        ("/assess", routes.assess, "POST", "Judge one event of a session", about.ASSESS),
        ("/assess/bulk", routes.assess_bulk, "POST", "Judge many events", about.ASSESS_BULK),
        ("/assess/async", routes.assess_async, "POST", "Judge one event later", about.ASSESS_ASYNC),
        ("/tasks/{task_id}", routes.task, "GET", "Ask how far a task is", about.TASK),
        ("/sessions", routes.sessions, "POST", "Tell of sessions", about.SESSIONS),
        ("/score-session", routes.score_session, "POST", "Ask how a session stands", about.SCORE_SESSION),
        ("/predict", routes.predict, "POST", "Ask how unusual a window is", about.PREDICT),
        ("/people/{user_id:path}/activity", routes.person, "GET", "Ask what a person does", about.PERSON),
    ):
        add_lean(app, path, endpoint, method=method, summary=summary, operation=operation)
