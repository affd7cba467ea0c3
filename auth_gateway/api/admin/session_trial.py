"""`POST /policy/try-sessions`: what the marks of sessions would answer to risks that nobody signalled, for programs.
Nothing is written.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.admin.policy_trial_shapes import SessionTrial, SessionTrialBody
from auth_gateway.api.reference import Schema, answer, json_of, operation, ref
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.core.session_risk import SessionMarks, response_to
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json

MOST_BYTES = 4_096
READ: AdminScope = "policy:read"

TRY: Schema = operation(
    description="What the marks of sessions in force would answer to signals of these risks of one session. Nothing is "
    "written, counted or told. Needs the scope `policy:read`.",
    answers={"200": answer("A response for each, in their order.", "SessionTrial")},
    bodies=json_of(ref("SessionTrialBody"), {"scores": [64.5, 91.0]}),
    refusals=("400", "401", "403", "413", "415", "422", "503"),
    takes_token=True,
)

_decoder = msgspec.json.Decoder(SessionTrialBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTrialRoutes:
    """Where programs try the marks of sessions."""

    gate: AdminGate
    marks: Callable[[], SessionMarks]

    async def post_try(self, request: Request) -> Response:
        """The answer.

        Raises: Refused by the gate, and those of a bad body.
        """
        await self.gate(request, READ)
        require_json(request)
        body, marks = decode(_decoder, await read_body(request, max_bytes=MOST_BYTES)), self.marks()
        responses = [response_to(score, marks) for score in body.scores]
        return json_answer(SessionTrial(responses=responses, report_only=marks.report_only))
