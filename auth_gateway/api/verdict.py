"""`POST /mfa/challenges/{challenge_id}/verdict`: the word of the MFA system, proven by its signature alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.bodies import MOST_VERDICT_BYTES, VerdictBody
from auth_gateway.api.reference import Schema, answer, json_of, operation, ref
from auth_gateway.api.rendering import verdict_response
from auth_gateway.core.push import Word
from auth_gateway.flows.verdict import TakeVerdict
from plumbing.bodies import decode, read_body, require_json
from plumbing.clock import Clock
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from webhooks.signing import BadSignature, verify

LONGEST_MESSAGE_ID = 256

_decoder = msgspec.json.Decoder(VerdictBody)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRoutes:
    """The way back of what was sent to the MFA system, signed by the same scheme and the same keys."""

    take: TakeVerdict
    expected_keys: Sequence[bytes]
    clock: Clock
    wake_delivery: Callable[[], None]

    async def post_verdict(self, request: Request) -> Response:
        """Nothing of the body is read before its signature is found right."""
        raw = await read_body(request, max_bytes=MOST_VERDICT_BYTES)
        message_id = self._sender_proven(request, raw)
        require_json(request)
        body = decode(_decoder, raw)
        challenge_id = request.path_params["challenge_id"]
        if body.challenge_id != challenge_id:
            text = "The body is about another challenge than the address."
            raise Refused("other_challenge", text, status=422, evidence={"field": "$.challenge_id"})
        word = Word(verdict=body.verdict, number=body.number)
        response = await self.take(challenge_id, word, message_id=message_id)
        self.wake_delivery()
        return verdict_response(response, body.verdict)

    def _sender_proven(self, request: Request, raw: bytes) -> str:
        """The message's id. Why a signature is refused is for the operator's log."""
        try:
            message_id = verify(self.expected_keys, request.headers, raw, now=self.clock.now())
        except BadSignature as bad:
            log.warning("verdict_signature_refused", reason=bad.code)
            raise Refused("invalid_signature", "The signature is missing, wrong or too old.", status=401) from None
        if not 0 < len(message_id) <= LONGEST_MESSAGE_ID:
            raise Refused("invalid_signature", "The signature is missing, wrong or too old.", status=401)
        return message_id


def add_verdict(app: FastAPI, routes: VerdictRoutes) -> None:
    """Serve and document it."""
    add_lean(
        app,
        "/mfa/challenges/{challenge_id}/verdict",
        routes.post_verdict,
        method="POST",
        summary="Approve or refuse a login that waits",
        operation=_VERDICT,
    )


_VERDICT: Schema = operation(
    description="For the MFA system that was told `login.mfa_required`; signed by Standard Webhooks. "
    "Each message counts once, and so does the first verdict of a challenge. `approved` lets whoever began the login "
    "finish it, `denied` ends it, `reported` also says that somebody else has the password.",
    answers={
        "200": answer("Taken.", "VerdictTaken"),
        **{
            status: answer(text, "Refusal")
            for status, text in (
                ("404", "No such challenge waits for a verdict."),
                ("409", "The challenge or the message was answered before."),
                ("410", "The challenge is over."),
            )
        },
    },
    bodies=json_of(ref("VerdictBody"), {"challenge_id": "chg_…", "verdict": "approved", "number": "42"}),
    refusals=("400", "401", "413", "415", "422", "503"),
)
