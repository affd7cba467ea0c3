"""`/account/recovery-codes`: new ones are shown in the answer that makes them, and never again."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.overview import Overviews
from auth_gateway.flows.account.recovery_codes import MakeRecoveryCodes

PAGE = "/recovery-codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryCodeRoutes:
    """The recovery codes' page."""

    gate: AccountGate
    overviews: Overviews
    make: MakeRecoveryCodes

    async def get_page(self, request: Request) -> Response:
        """How many are left, and the button for new ones."""
        return await self.gate.get(request, PAGE, lambda person: self._page(request, person), is_sensitive=True)

    async def post_page(self, request: Request) -> Response:
        """The new codes, this once; a form that was sent before shows none."""

        async def act(person: Person, fields: Fields) -> Response:
            codes = await self.make(person, fields.get("once", ""))
            return self._page(request, person, codes=codes) if codes else self.gate.go(request, PAGE)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    def _page(self, request: Request, person: Person, *, codes: tuple[str, ...] = ()) -> Response:
        proofs = self.overviews.proofs(person)
        return self.gate.page(
            request,
            "recovery_codes.html",
            person,
            codes=codes,
            is_enrolled=proofs.is_enrolled,
            codes_left=proofs.codes_left,
            once=self.make.once(),
        )
