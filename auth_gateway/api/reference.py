"""Routes without the framework's argument machinery, and their place in the API reference all the same."""

from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.account_list_shapes import LIST_SHAPES
from auth_gateway.api.admin.account_shapes import SHAPES as ACCOUNT_SHAPES
from auth_gateway.api.admin.delivery_shapes import SHAPES as DELIVERY_SHAPES
from auth_gateway.api.admin.policy_findings import SHAPES as FINDING_SHAPES
from auth_gateway.api.admin.policy_shapes import SHAPES as POLICY_SHAPES
from auth_gateway.api.admin.policy_trial_shapes import SHAPES as POLICY_TRIAL_SHAPES
from auth_gateway.api.admin.webhook_shapes import SHAPES as WEBHOOK_SHAPES
from auth_gateway.api.answers import DOCUMENTED
from auth_gateway.api.bodies import ChallengeBody, LoginBody, TokenBody, VerdictBody
from plumbing.bodies import FORM_TYPE

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
CLIENT_SCHEME, TOKEN_SCHEME = "client", "accessToken"
SECURITY_SCHEMES = {
    CLIENT_SCHEME: {
        "type": "http",
        "scheme": "basic",
        "description": "A client made by `auth-gateway clients add NAME`. Left out, the caller is the public client.",
    },
    TOKEN_SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of POST /token: for what programs do, by client_credentials, with the scope "
        "that the operation names; for /userinfo, a person's. One that is bound to a key is shown as DPoP.",
    },
}
REFUSALS = {
    "400": "Not well-formed, or not allowed for this caller.",
    "401": "Wrong credentials, code or client.",
    "403": "Refused by policy.",
    "404": "There is none, or none for this caller.",
    "409": "Not as things are now.",
    "413": "Too large.",
    "415": "Not a type that is taken here.",
    "422": "A field has a value that it does not take.",
    "429": "Too many attempts; see Retry-After.",
    "503": "Too busy or without storage now; see Retry-After.",
}


def operation(
    *,
    description: str,
    answers: Schema,
    bodies: Schema | None = None,
    refusals: tuple[str, ...] = (),
    takes_client: bool = False,
    takes_token: bool = False,
) -> Schema:
    """One endpoint's entry in the reference; `bodies` and `answers` go from media type and status to their content."""
    responses: Schema = dict(answers)
    for status in refusals:
        responses.setdefault(status, {"description": REFUSALS[status], "content": json_of(ref("Refusal"))})
    entry: Schema = {"description": description, "responses": responses}
    if bodies is not None:
        entry["requestBody"] = {"required": True, "content": bodies}
    if takes_client:
        entry["security"] = [{}, {CLIENT_SCHEME: []}]
    if takes_token:
        entry["security"] = [{TOKEN_SCHEME: []}]
    return entry


def answer(description: str, *names: str) -> Schema:
    """A JSON answer in one of the named shapes."""
    shapes = [ref(name) for name in names]
    return {"description": description, "content": json_of(shapes[0] if len(shapes) == 1 else {"oneOf": shapes})}


def json_of(schema: Schema, example: object = None) -> Schema:
    """JSON content of that shape."""
    content: Schema = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"application/json": content}


def form_of(*required: str, optional: tuple[str, ...] = ()) -> Schema:
    """Content of a form with those fields."""
    properties = dict.fromkeys((*required, *optional), TEXT)
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return {FORM_TYPE: {"schema": schema}}


def query_of(*names: str) -> list[Schema]:
    """Parameters of a query; which of them are needed, the endpoint says in its own words."""
    return [{"name": name, "in": "query", "required": False, "schema": TEXT} for name in names]


def ref(name: str) -> Schema:
    """A reference to one of the documented shapes."""
    return {"$ref": f"#/components/schemas/{name}"}


def describe(app: FastAPI) -> None:
    """Add our shapes and the way clients prove themselves to the document that the framework makes."""
    generate = app.openapi

    def openapi() -> Schema:
        if app.openapi_schema is None:
            made = generate()
            components = made.setdefault("components", {})
            components["schemas"] = {**components.get("schemas", {}), **_shapes()}
            components["securitySchemes"] = SECURITY_SCHEMES
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


@cache
def _shapes() -> Schema:
    """What we document of each of them; shared, and never changed."""
    shapes = [
        *(LoginBody, ChallengeBody, TokenBody, VerdictBody, *DOCUMENTED),
        *(*WEBHOOK_SHAPES, *DELIVERY_SHAPES, *ACCOUNT_SHAPES, *LIST_SHAPES, *POLICY_TRIAL_SHAPES),
        *(*POLICY_SHAPES, *FINDING_SHAPES),
    ]
    _, schemas = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    return schemas
