"""`POST /signals/session-risk`: the scorer's word that a session has become risky, proven by its signature alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.reference import Schema, json_of, operation
from auth_gateway.flows.session_signal import Taken, TakeSignal
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.clock import Clock
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.contract.signals import MAX_SIGNAL_BYTES, SIGNAL_PATH, SessionRiskSignal
from webhooks.signing import BadSignature, verify

_decoder = msgspec.json.Decoder(SessionRiskSignal)

log = structlog.get_logger(__name__)


class SignalHeard(msgspec.Struct, frozen=True, kw_only=True):
    """The word was heard; the same to whoever says it again, and of a session that is not ours."""

    status: str = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRoutes:
    """The way in of the scorer's word."""

    take: TakeSignal
    expected_keys: Sequence[bytes]
    clock: Clock
    wake_delivery: Callable[[], None]

    async def post_signal(self, request: Request) -> Response:
        """Nothing of the body is read before its signature is found right.

        Raises: Refused `invalid_signature` (401), `other_signal` (422), those of a bad body, and 503.
        """
        raw = await read_body(request, max_bytes=MAX_SIGNAL_BYTES)
        message_id = self._sender_proven(request, raw)
        require_json(request)
        signal = decode(_decoder, raw)
        if signal.signal_id != message_id:
            text = "The body is another signal than the message."
            raise Refused("other_signal", text, status=422, evidence={"field": "$.signal_id"})
        taken: Taken = await self.take(signal)
        if taken == "taken":
            self.wake_delivery()
        log.info("session_signal", outcome=taken, source=signal.source, score=signal.score)
        return json_answer(SignalHeard(), status=202)

    def _sender_proven(self, request: Request, raw: bytes) -> str:
        """The message's id. Why a signature is refused is for the operator's log."""
        try:
            return verify(self.expected_keys, request.headers, raw, now=self.clock.now())
        except BadSignature as bad:
            log.warning("session_signal_signature_refused", reason=bad.code)
            raise Refused("invalid_signature", "The signature is missing, wrong or too old.", status=401) from None


def add_signals(app: FastAPI, routes: SignalRoutes) -> None:
    """Serve and document it."""
    summary = "Say that a session is risky"
    add_lean(app, SIGNAL_PATH, routes.post_signal, method="POST", summary=summary, operation=_SIGNAL)


_EXAMPLE = {
    "signal_id": "sig_…",
    "session_id": "…",
    "user_id": "…",
    "score": 84.0,
    "level": "high",
    "recommended": "reset_session",
    "reasons": [{"code": "several_actors", "points": 41.0, "text": "Two browsers in one session."}],
    "observed_at": 1700000000.0,
    "source": "activity",
    "campaign_id": None,
}
_SIGNAL: Schema = operation(
    description="For the scorer; signed by Standard Webhooks with SESSION_SIGNAL_SECRET, and closed without it. Each "
    "`signal_id` counts once. Which response follows is said by the marks in force, not by `recommended`. A session "
    "that is not known is accepted, and nothing is done.",
    answers={"202": {"description": "Heard.", "content": json_of({"type": "object"}, {"status": "accepted"})}},
    bodies=json_of({"type": "object"}, _EXAMPLE),
    refusals=("400", "401", "413", "415", "422", "503"),
)
