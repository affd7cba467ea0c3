"""The pages of a recovery link: a second factor where there is one, then the new password."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.links import SECRET_ADDRESS, link_over
from auth_gateway.api.provider.refusal_pages import retry_after
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import CodeKind
from auth_gateway.core.letter import MailLink
from auth_gateway.core.password_rules import LONGEST
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.flows.answers import Denied, Throttled, WrongCode
from auth_gateway.flows.passkeys import PasskeyCeremonies
from auth_gateway.flows.proofs import CodeProof, Proof
from auth_gateway.flows.recovery import FactorMissing, Recovered, Recovering, Recovery
from plumbing.refusals import Refused

PASSWORD_PROBLEMS = {
    "invalid_password",
    "password_too_short",
    "password_too_long",
    "password_common",
    "password_personal",
}
CODE_KINDS: tuple[CodeKind, ...] = ("totp", "recovery_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPage:
    """What a recovery link shows and does. `ceremonies` None: no browser has passkeys for us."""

    browsers: Browsers
    recovery: Recovery
    ceremonies: PasskeyCeremonies | None

    async def show(self, request: Request, token: str, link: MailLink) -> Response:
        """The factor, or the password where there is none."""
        found = self.recovery.find(token)
        return link_over(self.browsers, request) if found is None else self._first(request, found)

    async def act(self, request: Request, token: str, link: MailLink, fields: Mapping[str, str]) -> Response:
        """One factor, or the new password."""
        found = self.recovery.find(token)
        if found is None:
            return link_over(self.browsers, request)
        if fields.get("card") == "factor":
            return await self._factor_shown(request, found, fields)
        if fields.get("card") == "password":
            return await self._password_given(request, found, fields)
        return self._first(request, found)

    def _first(self, request: Request, found: Recovering) -> Response:
        return self._factor(request, found) if found.kinds else self._password(request, found)

    async def _factor_shown(self, request: Request, found: Recovering, fields: Mapping[str, str]) -> Response:
        proof = self._proof(request, found, fields)
        if proof is None:
            return self._first(request, found)
        context = self.browsers.context(request, ACCOUNT_CLIENT_ID)
        answer = await self.recovery.show(found, proof, context)
        if isinstance(answer, Throttled):
            headers = {"retry-after": retry_after(answer.retry_after_seconds)}
            return self._factor(request, found, problem="recovery.throttled", status=429, headers=headers)
        if isinstance(answer, WrongCode):
            return self._factor(request, found, problem="recovery.wrong_factor", status=401)
        return self._password(request, found, ticket=answer.ticket)

    def _proof(self, request: Request, found: Recovering, fields: Mapping[str, str]) -> Proof | None:
        credential, method = fields.get("credential", ""), fields.get("method", "")
        if credential and self.ceremonies is not None:
            line = AuditEvent(
                event_id=self.browsers.randomness.event_id("evt"),
                ts=self.browsers.clock.now(),
                kind="challenge.failed",
                client_id=ACCOUNT_CLIENT_ID,
                ip=self.browsers.context(request, ACCOUNT_CLIENT_ID).ip,
            )
            user_id = found.account.user_id
            return self.ceremonies.proof(credential, _bound_to(found), line, expected_user_id=user_id)
        for kind in CODE_KINDS:
            if method == kind:
                return CodeProof(kind=kind, code="".join(fields.get("code", "").split()))
        return None

    async def _password_given(self, request: Request, found: Recovering, fields: Mapping[str, str]) -> Response:
        ticket = fields.get("ticket", "")
        context = self.browsers.context(request, ACCOUNT_CLIENT_ID)
        try:
            answer = await self.recovery(found, ticket, fields.get("password", ""), context)
        except Refused as refusal:
            if refusal.code not in PASSWORD_PROBLEMS:
                raise
            return self._password(request, found, ticket=ticket, problem=f"recovery.{refusal.code}", status=422)
        if isinstance(answer, Recovered):
            return self.browsers.pages.notice(request, "recovery.recovered", status=200, headers=SECRET_ADDRESS)
        if isinstance(answer, FactorMissing):
            return self._factor(request, found, problem="recovery.factor_again", status=401)
        if isinstance(answer, Denied):
            incident_id = answer.incident_id
            return self.browsers.pages.notice(
                request, "recovery.denied", status=403, headers=SECRET_ADDRESS, incident_id=incident_id
            )
        return link_over(self.browsers, request)

    def _factor(
        self,
        request: Request,
        found: Recovering,
        *,
        problem: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        options = None
        if self.ceremonies is not None and "passkey" in found.kinds:
            options = self.ceremonies.step_up_options(found.account.user_id, _bound_to(found))
        return self.browsers.pages.page(
            request,
            "link/factor.html",
            status=status,
            headers={**SECRET_ADDRESS, **(headers or {})},
            problem=problem,
            passkey=options or "",
            kinds=[kind for kind in CODE_KINDS if kind in found.kinds],
        )

    def _password(
        self, request: Request, found: Recovering, *, ticket: str = "", problem: str = "", status: int = 200
    ) -> Response:
        return self.browsers.pages.page(
            request,
            "link/new_password.html",
            status=status,
            headers=SECRET_ADDRESS,
            problem=problem,
            username=found.account.display_name or found.account.username,
            ticket=ticket,
            least=found.least,
            longest=LONGEST,
            heading="recovery.reset_heading",
            submit="recovery.reset_submit",
        )


def _bound_to(found: Recovering) -> str:
    """A passkey's answer counts for the one link that it was asked for."""
    return f"recovery {found.link.token_digest.hex()}"
