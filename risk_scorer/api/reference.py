"""Routes that skip the framework's argument machinery, and the place they keep in the API reference all the same.

FastAPI resolves dependencies and serialises answers on every call; for an endpoint that reads raw bytes and writes raw
bytes that is most of the time it takes. `LeanRoute` calls the endpoint with the request, and `operation` says for
/openapi.json what it accepts and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.contract.activity import Assessment, AssessRequest, SessionScore, TaskState
from risk_scorer.contract.assessment import BulkResponse, RiskScore
from risk_scorer.contract.decisions import Decision, DecisionsHeard
from risk_scorer.contract.events import BulkRequest, LoginEvent
from risk_scorer.contract.feedback import Erasure, Feedback, Outcome
from risk_scorer.contract.narrative import NarrativeAnswer
from risk_scorer.contract.prediction import Anomaly, BehaviourRow, SessionQuery, TaskAccepted
from risk_scorer.contract.rules import RuleReport
from risk_scorer.contract.sessions import SessionNotice, SessionsHeard
from risk_scorer.flows.activity.standing import PersonActivity

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
Schema = dict[str, Any]

SECURITY_NAME = "serviceCredential"
SECURITY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A credential made by `risk-scorer credentials add NAME --scope score`.",
}
REFUSAL: Schema = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "A stable code."},
        "error_description": {"type": "string", "description": "For people; safe to show."},
        "field": {"type": "string", "description": "Where in the body, for invalid input."},
        "positions": {
            "type": "array",
            "items": {"type": "integer"},
            "description": "Which of the things sent are unknown, the first is 0.",
        },
    },
}
REFUSALS = {
    "400": "Not JSON.",
    "401": "No living credential.",
    "403": "The credential lacks the scope.",
    "404": "Not known, or not any more.",
    "409": "It is not as the request takes it to be.",
    "413": "Too large.",
    "415": "Not application/json.",
    "422": "A field has a value that it does not take.",
    "429": "Too much of this at once; see Retry-After.",
    "503": "No model, or the storage cannot be used now; see Retry-After.",
}


_CONTRACT = (
    LoginEvent, BulkRequest, RiskScore, BulkResponse, Outcome, Feedback, Erasure, NarrativeAnswer, RuleReport,
    AssessRequest, Assessment, SessionScore, TaskState, TaskAccepted, SessionNotice, SessionsHeard, SessionQuery,
    BehaviourRow, Anomaly, PersonActivity, Decision, DecisionsHeard,
)  # fmt: skip


def operation(
    *,
    scope: str | None,
    answers: Schema,
    body: Schema | None = None,
    example: Schema | list[Schema] | None = None,
    parameters: list[Schema] | None = None,
    description: str = "",
    refusals: tuple[str, ...] = (),
    done: str = "200",
) -> Schema:
    """One endpoint's entry in the reference; `scope` is what a credential must have, None for an open endpoint."""
    responses: Schema = {done: {"description": "Done.", "content": {"application/json": {"schema": answers}}}}
    for status in refusals:
        responses[status] = {
            "description": REFUSALS[status],
            "content": {"application/json": {"schema": ref("Refusal")}},
        }
    found: Schema = {"description": description, "responses": responses}
    if scope is not None:
        found["security"] = [{SECURITY_NAME: []}]
        found["description"] = f"{description} Needs a credential with the scope `{scope}`.".strip()
    if body is not None:
        content = {"schema": body, **({"example": example} if example else {})}
        found["requestBody"] = {"required": True, "content": {"application/json": content}}
    if parameters:
        found["parameters"] = parameters
    return found


def ref(name: str) -> Schema:
    """A reference to a schema of the contract."""
    return {"$ref": f"#/components/schemas/{name}"}


def describe(app: FastAPI) -> None:
    """Add the contract's schemas and the security scheme to the reference that the app generates."""
    generate = app.openapi
    _, contract = msgspec.json.schema_components(_CONTRACT, ref_template="#/components/schemas/{name}")

    def openapi() -> Schema:
        if app.openapi_schema is None:
            made = generate()
            components = made.setdefault("components", {})
            components["schemas"] = {**components.get("schemas", {}), **contract, "Refusal": REFUSAL}
            components["securitySchemes"] = {SECURITY_NAME: SECURITY_SCHEME}
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
