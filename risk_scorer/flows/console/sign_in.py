"""In and out at the gateway: who it vouches for and who has a role here is let in, and out when it says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.console.operator import FRESH_SECONDS, TWO_FACTOR_LEVELS
from risk_scorer.core.console.sign_in_request import SignInRequest
from risk_scorer.flows.console.ports import Consoles, Identity, Proof

REFUSALS: Final = {
    "access_denied": "The sign-in was given up at the gateway.",
    "unmet_authentication_requirements": "This needs a second factor, and your account at the gateway has none.",
    "login_required": "The gateway wants you to sign in there first.",
    "temporarily_unavailable": "The gateway cannot sign anybody in now.",
}
"""What the gateway may say instead of a code (OpenID Connect Core 1.0, section 3.1.2.6), for people."""
SLACK_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class NoRoleHere(Exception):
    """The gateway vouches for somebody who has no role at this console."""

    def __init__(self, proof: Proof) -> None:
        super().__init__()
        self.proof = proof


class SignIn:
    """What happens between two redirects."""

    def __init__(self, *, identity: Identity, consoles: Consoles, clock: Clock) -> None:
        self._identity = identity
        self._consoles = consoles
        self._clock = clock

    @property
    def issuer(self) -> str:
        """Who vouches."""
        return self._identity.issuer

    def address(self, asked: SignInRequest) -> str:
        """Where the person goes to be vouched for."""
        return self._identity.address(asked)

    async def finish(self, asked: SignInRequest, answer: Mapping[str, str]) -> str:
        """A session token for whoever came back.

        Raises: NoRoleHere; Refused `sign_in_unknown`, `wrong_issuer`, `sign_in_refused` or what the gateway said (400),
            `step_up_missing` (403), and as the identity does.
        """
        if not asked.is_answered_by(answer.get("state", "")):
            raise Refused("sign_in_unknown", "This browser has begun no such sign-in: begin again.", status=400)
        if answer.get("iss") != self._identity.issuer:  # RFC 9207, section 2.4
            raise Refused("wrong_issuer", "This answer is not the gateway's.", status=400)
        if "error" in answer:
            code = answer["error"] if answer["error"] in REFUSALS else "sign_in_refused"
            raise Refused(code, REFUSALS.get(code, "The gateway did not sign you in."), status=400)
        if not answer.get("code"):
            raise Refused("sign_in_unknown", "The gateway's answer has no code: begin again.", status=400)
        proof = await self._identity.proof(answer["code"], asked)
        if asked.max_age is not None and not self._is_strong(proof):
            raise Refused("step_up_missing", "The gateway did not ask you for a second factor just now.", status=403)
        if self._consoles.role_of(proof) is None:
            log.info("console_without_role")
            raise NoRoleHere(proof)
        return await self._consoles.open(proof)

    async def farewell(self, logout_token: str) -> int:
        """How many sessions here ended because one did there. Raises: Refused, as the identity does."""
        ended = await self._identity.ended(logout_token)
        gone = await self._consoles.end_of(session_id=ended.session_id, subject=ended.subject)
        log.info("console_sessions_ended", sessions=gone)
        return gone

    def end_address(self, session_token: str, after: str) -> str | None:
        """Where the person goes so that their session at the gateway ends too; None for one that is not its."""
        id_token = self._consoles.id_token_of(session_token)
        return None if id_token is None else self._identity.end_address(id_token, after)

    def _is_strong(self, proof: Proof) -> bool:
        is_young = self._clock.now() - proof.proved_at <= FRESH_SECONDS + SLACK_SECONDS
        return proof.level in TWO_FACTOR_LEVELS and is_young
