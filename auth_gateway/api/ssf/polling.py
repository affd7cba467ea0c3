"""Receivers fetch their events.

Source: RFC 8936, section 2.
"""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.ssf.bodies import MOST_POLL_BYTES, PollBody, body_of
from auth_gateway.api.ssf.streams import SCOPE, known_stream
from auth_gateway.core.ssf.set_error import UNKNOWN, error_code
from auth_gateway.flows.ssf.polling import MOST_EVENTS, Poll, Polling
from plumbing.asgi import json_answer

_polls = msgspec.json.Decoder(PollBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRoutes:
    """The poll endpoint of every stream that is polled."""

    gate: AdminGate
    polling: Polling

    async def post_poll(self, request: Request) -> Response:
        """Tokens by their `jti`, oldest first, and whether more wait.

        Raises: Refused as `StreamRoutes`.
        """
        client_id = await self.gate(request, SCOPE)
        body = await body_of(request, _polls, max_bytes=MOST_POLL_BYTES)
        poll = Poll(
            acknowledged=body.ack,
            refused={jti: error_code(said.err) or UNKNOWN for jti, said in body.set_errs.items()},
            most=MOST_EVENTS if body.max_events is None else min(body.max_events, MOST_EVENTS),
            is_patient=not body.return_immediately,
        )
        stream_id = known_stream(request.path_params["stream_id"])
        polled = await self.polling(client_id, stream_id, poll, request.is_disconnected)
        return json_answer({"sets": polled.sets, "moreAvailable": polled.more_available})
