"""Receivers keep their streams. Each request shows an access token, and reaches the streams of its application alone.

Source: OpenID Shared Signals Framework 1.0, section 8.1.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.ssf.bodies import (
    StreamBody,
    StreamChangeBody,
    StreamStatusBody,
    SubjectBody,
    VerificationBody,
    body_of,
)
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.core.ssf.stream import POLL
from auth_gateway.core.ssf.wish import Delivery, Wish
from auth_gateway.flows.ssf.configuration import Configuration
from auth_gateway.flows.ssf.status import StreamStatus, Verification
from auth_gateway.flows.ssf.subjects import Subjects
from plumbing.asgi import json_answer
from plumbing.bodies import refuse_unsafe_text
from plumbing.refusals import Refused

SCOPE: AdminScope = "streams:manage"
_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")

_streams = msgspec.json.Decoder(StreamBody)
_changes = msgspec.json.Decoder(StreamChangeBody)
_statuses = msgspec.json.Decoder(StreamStatusBody)
_subjects = msgspec.json.Decoder(SubjectBody)
_verifications = msgspec.json.Decoder(VerificationBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRoutes:
    """The stream management API. Every method raises Refused: 401 or 403 of the gate, 400 for what is no such request,
    404 `unknown_stream`, 503."""

    gate: AdminGate
    configuration: Configuration
    status: StreamStatus
    subjects: Subjects
    verification: Verification

    async def post_stream(self, request: Request) -> Response:
        """A new stream (201)."""
        client_id = await self.gate(request, SCOPE)
        wish = _wish(await body_of(request, _streams))
        return json_answer(await self.configuration.create(client_id, wish), status=201)

    async def get_streams(self, request: Request) -> Response:
        """One stream, or all of the receiver's."""
        client_id = await self.gate(request, SCOPE)
        stream_id = _asked(request)
        if stream_id is None:
            return json_answer(await self.configuration.list(client_id))
        return json_answer(await self.configuration.read(client_id, stream_id))

    async def patch_stream(self, request: Request) -> Response:
        """Change what the body says."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _changes)
        told = await self.configuration.update(client_id, known_stream(body.stream_id), _wish(body), _check(body))
        return json_answer(told)

    async def put_stream(self, request: Request) -> Response:
        """Replace everything by what the body says."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _changes)
        told = await self.configuration.replace(client_id, known_stream(body.stream_id), _wish(body), _check(body))
        return json_answer(told)

    async def delete_stream(self, request: Request) -> Response:
        """Remove it (204)."""
        client_id = await self.gate(request, SCOPE)
        await self.configuration.remove(client_id, _needed(request))
        return Response(status_code=204)

    async def get_status(self, request: Request) -> Response:
        """Whether it goes."""
        client_id = await self.gate(request, SCOPE)
        return json_answer(await self.status.read(client_id, _needed(request)))

    async def post_status(self, request: Request) -> Response:
        """Pause, stop or resume it."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _statuses)
        reason = _text(body.reason, "$.reason")
        return json_answer(await self.status.set(client_id, known_stream(body.stream_id), body.status, reason))

    async def post_add_subject(self, request: Request) -> Response:
        """An empty 200, whether there is such a person or not."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _subjects)
        await self.subjects.add(client_id, known_stream(body.stream_id), body.subject, is_verified=body.verified)
        return Response(status_code=200)

    async def post_remove_subject(self, request: Request) -> Response:
        """An empty 204, whether there is such a person or not."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _subjects)
        await self.subjects.remove(client_id, known_stream(body.stream_id), body.subject)
        return Response(status_code=204)

    async def post_verification(self, request: Request) -> Response:
        """A verification event is on its way (204)."""
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _verifications)
        await self.verification(client_id, known_stream(body.stream_id), body.state)
        return Response(status_code=204)


def _wish(body: StreamBody) -> Wish:
    delivery = body.delivery
    return Wish(
        events_requested=body.events_requested,
        description=body.description,
        delivery=UNSET
        if delivery is UNSET
        else Delivery(
            method=delivery.method, endpoint_url=delivery.endpoint_url, authorization=delivery.authorization_header
        ),
    )


def _check(body: StreamChangeBody) -> Any:
    """Lets a configuration pass that is as the body says, where it says what is ours to say."""

    def check(told: dict[str, Any]) -> None:
        aud = body.aud if isinstance(body.aud, str) or body.aud is UNSET else " ".join(body.aud)
        polled = told["delivery"]["endpoint_url"] if told["delivery"]["method"] == POLL else ""
        given = "" if body.delivery is UNSET or body.delivery.method != POLL else body.delivery.endpoint_url
        pairs = (
            (body.iss, told["iss"]),
            (aud, told["aud"]),
            (_set(body.events_supported), set(told["events_supported"])),
            (_set(body.events_delivered), set(told["events_delivered"])),
            (body.min_verification_interval, told["min_verification_interval"]),
            (given or UNSET, polled),
        )
        if any(said is not UNSET and said != known for said, known in pairs):
            raise Refused("invalid_request", "Something that only we say of a stream is said otherwise.", status=400)

    return check


def _set(names: Any) -> Any:
    return names if names is UNSET else set(names)


def known_stream(stream_id: str) -> str:
    """An id that a stream may have.

    Raises: Refused `unknown_stream` (404): the database need not see the others.
    """
    if not _ID.fullmatch(stream_id):
        raise Refused("unknown_stream", "There is no stream of this id.", status=404)
    return stream_id


def _asked(request: Request) -> str | None:
    given = request.query_params.getlist("stream_id")
    if len(given) > 1:
        raise Refused("invalid_request", "stream_id is given more than once.", status=400)
    return known_stream(given[0]) if given else None


def _needed(request: Request) -> str:
    stream_id = _asked(request)
    if stream_id is None:
        raise Refused("invalid_request", "stream_id is missing.", status=400)
    return stream_id


def _text(text: str, field: str) -> str:
    try:
        return refuse_unsafe_text(text, field)
    except Refused as refused:
        raise Refused(refused.code, refused.message, status=400, evidence=refused.evidence) from None
