"""`/account/password`: another password, by whoever knows the one before."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.password_rules import LONGEST, shortest_for
from auth_gateway.flows.account.current_password import WRONG_PASSWORD
from auth_gateway.flows.account.door import PASSWORD_PAGE, Person
from auth_gateway.flows.account.password import ChangePassword, PasswordChanged
from auth_gateway.flows.answers import Throttled

PAGE = PASSWORD_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRoutes:
    """The password's page."""

    gate: AccountGate
    change: ChangePassword

    async def get_page(self, request: Request) -> Response:
        """The form."""
        return await self.gate.get(request, PAGE, lambda person: self._page(request, person), is_sensitive=True)

    async def post_page(self, request: Request) -> Response:
        """The current password and the new one."""

        async def act(person: Person, fields: Fields) -> Response:
            answer = await self.change(person, fields.get("current", ""), fields.get("new", ""))
            if isinstance(answer, Throttled):
                raise self.gate.throttled(answer)
            if isinstance(answer, PasswordChanged):
                return self.gate.moved("", "password_changed", answer.cookie)
            return self._page(request, person, problem=answer.code, status=400)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    def _page(self, request: Request, person: Person, *, problem: str = "", status: int = 200) -> Response:
        return self.gate.page(
            request,
            "password.html",
            person,
            status=status,
            problem=f"account.{problem}" if problem else "",
            is_current_wrong=problem == WRONG_PASSWORD,
            shortest=shortest_for(has_factor=is_enrolled(person.kinds)),
            longest=LONGEST,
            username=person.account.username,
        )
