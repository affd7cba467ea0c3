"""`/account/authenticator`: a secret as a picture and as text, its first code, and the way to be rid of it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.flows.account.authenticator import Authenticators, Offer
from auth_gateway.flows.account.current_password import StillNeeded
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.answers import Throttled

PAGE = "/authenticator"
LONGEST_CODE = 64
_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorRoutes:
    """The authenticator's page. `picture` draws a text that a camera reads."""

    gate: AccountGate
    authenticators: Authenticators
    picture: Callable[[str], str]

    async def get_page(self, request: Request) -> Response:
        """A new secret, shown until its first code."""
        return await self.gate.get(
            request,
            PAGE,
            lambda person: self._page(request, person, self.authenticators.offer(person)),
            is_sensitive=True,
        )

    async def post_page(self, request: Request) -> Response:
        """The first code; a wrong one leaves the secret on the page."""

        async def act(person: Person, fields: Fields) -> Response:
            sealed, code = fields.get("offer", ""), fields.get("code", "")[:LONGEST_CODE]
            confirmed = await self.authenticators.confirm(person, sealed, code)
            if confirmed == "enrolled":
                return self.gate.go(request, "", "authenticator_added")
            offer = self.authenticators.reopen(person, sealed) if confirmed == "wrong_code" else None
            if offer is not None:
                return self._page(request, person, offer, problem="account.wrong_first_code", status=400)
            fresh = self.authenticators.offer(person)
            return self._page(request, person, fresh, problem="account.offer_outdated", status=409)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    async def post_removal(self, request: Request) -> Response:
        """No authenticator any more."""

        async def act(person: Person, fields: Fields) -> Response:
            removed = await self.authenticators.remove(person, fields.get("current", ""))
            if isinstance(removed, Throttled):
                raise self.gate.throttled(removed)
            if isinstance(removed, StillNeeded):
                offer, problem = self.authenticators.offer(person), f"account.{removed.code}"
                return self._page(request, person, offer, problem=problem, status=400, is_removal=True)
            return self.gate.go(request, "", "authenticator_removed") if removed else self.gate.nothing_there(request)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    def _page(
        self,
        request: Request,
        person: Person,
        offer: Offer,
        *,
        problem: str = "",
        status: int = 200,
        is_removal: bool = False,
    ) -> Response:
        groups = [offer.secret[start : start + _GROUP] for start in range(0, len(offer.secret), _GROUP)]
        return self.gate.page(
            request,
            "authenticator.html",
            person,
            status=status,
            problem=problem,
            is_removal=is_removal,
            is_last=self.authenticators.is_last(person),
            username=person.account.username,
            offer=offer,
            picture=self.picture(offer.provisioning_uri),
            secret=" ".join(groups),
        )
