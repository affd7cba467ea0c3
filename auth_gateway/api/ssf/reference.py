"""The addresses of Shared Signals in the API reference."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI

from auth_gateway.api.reference import Schema, json_of, operation, query_of
from auth_gateway.api.ssf.bodies import (
    PollBody,
    StreamBody,
    StreamChangeBody,
    StreamStatusBody,
    SubjectBody,
    VerificationBody,
)
from auth_gateway.api.ssf.discovery import PATH, TransmitterRoutes
from auth_gateway.api.ssf.polling import PollRoutes
from auth_gateway.api.ssf.streams import StreamRoutes
from plumbing.lean import Endpoint, add_lean

_TOKEN: Final = "It takes an access token of the scope `streams:manage` that was issued for this gateway."  # noqa: S105
_REFUSALS: Final = ("400", "401", "403", "404", "413", "415", "503")


def add_stream_routes(
    app: FastAPI, *, document: TransmitterRoutes, well_known: str, streams: StreamRoutes, polls: PollRoutes
) -> None:
    """Serve and document them; `well_known` is where the document stands."""
    add_lean(
        app,
        well_known,
        document.get_document,
        method="GET",
        summary="What the transmitter of Shared Signals can do",
        operation=operation(
            description="OpenID Shared Signals Framework 1.0, section 7.",
            answers={"200": {"description": "Endpoints, and what they take."}},
        ),
        takes_head=True,
    )
    served: tuple[tuple[str, str, Endpoint, str, Schema], ...] = (
        ("POST", "/ssf/streams", streams.post_stream, "Make a stream", _described("201", StreamBody, "409")),
        ("GET", "/ssf/streams", streams.get_streams, "Read a stream, or all", _described("200")),
        ("PATCH", "/ssf/streams", streams.patch_stream, "Change a stream", _described("200", StreamChangeBody)),
        ("PUT", "/ssf/streams", streams.put_stream, "Replace a stream", _described("200", StreamChangeBody)),
        ("DELETE", "/ssf/streams", streams.delete_stream, "Remove a stream", _described("204")),
        ("GET", "/ssf/status", streams.get_status, "Read a stream's status", _described("200")),
        ("POST", "/ssf/status", streams.post_status, "Change a status", _described("200", StreamStatusBody)),
        ("POST", "/ssf/subjects/add", streams.post_add_subject, "Add a subject", _described("200", SubjectBody)),
        (
            "POST",
            "/ssf/subjects/remove",
            streams.post_remove_subject,
            "Remove a subject",
            _described("204", SubjectBody),
        ),
        (
            "POST",
            "/ssf/verify",
            streams.post_verification,
            "Verify a stream",
            _described("204", VerificationBody, "429"),
        ),
        ("POST", "/ssf/poll/{stream_id}", polls.post_poll, "Fetch events", _polled()),
    )
    for method, path, endpoint, summary, described in served:
        add_lean(app, path, endpoint, method=method, summary=summary, operation=described)


def document_path(issuer_path: str) -> str:
    """Where the document of an issuer with that path stands: between the host and the path (section 7.2)."""
    return PATH + issuer_path.rstrip("/")


def _described(status: str, body: Any = None, *more: str) -> Schema:
    answers: Schema = {status: {"description": "Done."}}
    if status in {"200", "201"} and body is not SubjectBody:
        answers = {status: {"description": "As it is now.", "content": {"application/json": {"schema": {}}}}}
    described = operation(
        description=_TOKEN,
        answers=answers,
        bodies=None if body is None else json_of(_schema(body)),
        refusals=(*_REFUSALS, *more),
        takes_token=True,
    )
    return described if body is not None else {**described, "parameters": query_of("stream_id")}


def _polled() -> Schema:
    parameter = {"name": "stream_id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {**_described("200", PollBody), "parameters": [parameter]}


def _schema(body: Any) -> Schema:
    """The shape itself, for one that no other address shares."""
    return _inlined(msgspec.json.schema(body))


def _inlined(schema: Schema) -> Schema:
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(definitions[part["$ref"].rpartition("/")[2]])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    found: Schema = resolved(schema)
    return found
