"""`/account/passkeys`: a new one, another name, and away with one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.api.provider.account.words import Phrase, ago
from auth_gateway.core.factor import Passkey, is_enrolled
from auth_gateway.core.passkey_ceremony import LONGEST_NAME, MOST_PASSKEYS, Flaw, Flawed
from auth_gateway.flows.account.current_password import StillNeeded
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.passkeys import AccountPasskeys
from auth_gateway.flows.answers import Throttled

PAGE = "/passkeys"
_PROBLEMS: dict[Flaw, str] = {"too_many": "passkey.too_many", "duplicate": "passkey.already_added"}


@dataclass(frozen=True, slots=True)
class ShownPasskey:
    """One passkey as its owner sees it; `passkey_id` is what its forms send."""

    passkey_id: str
    name: str
    began: Phrase
    used: Phrase | None
    is_backed_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRoutes:
    """The passkeys' page."""

    gate: AccountGate
    passkeys: AccountPasskeys

    async def get_page(self, request: Request) -> Response:
        """The list, and what the browser needs for a new one."""
        return await self.gate.get(request, PAGE, lambda person: self._page(request, person), is_sensitive=True)

    async def post_page(self, request: Request) -> Response:
        """A browser's answer: the new passkey."""

        async def act(person: Person, fields: Fields) -> Response:
            default = str(self.gate.browsers.pages.words(request)("passkey.default_name"))
            added = await self.passkeys.add(person, fields.get("credential", ""), fields.get("name", ""), default)
            if isinstance(added, Flawed):
                problem = _PROBLEMS.get(added.flaw, "passkey.not_added")
                return self._page(request, person, problem=problem, status=400)
            # Whoever had no factor would be asked for this very one on the way back to the list.
            return self.gate.go(request, PAGE if is_enrolled(person.kinds) else "", "passkey_added")

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    async def post_name(self, request: Request) -> Response:
        """Another name."""

        async def act(person: Person, fields: Fields) -> Response:
            default = str(self.gate.browsers.pages.words(request)("passkey.default_name"))
            credential_id = _credential_id(fields)
            renamed = await self.passkeys.rename(person, credential_id, fields.get("name", ""), default)
            return self.gate.go(request, PAGE, "passkey_renamed") if renamed else self.gate.nothing_there(request)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    async def post_removal(self, request: Request) -> Response:
        """It opens nothing any more."""

        async def act(person: Person, fields: Fields) -> Response:
            removed = await self.passkeys.remove(person, _credential_id(fields), fields.get("current", ""))
            if isinstance(removed, Throttled):
                raise self.gate.throttled(removed)
            if isinstance(removed, StillNeeded):
                return self._page(request, person, problem=f"account.{removed.code}", status=400, is_removal=True)
            return self.gate.go(request, PAGE, "passkey_removed") if removed else self.gate.nothing_there(request)

        return await self.gate.post(request, PAGE, act, is_sensitive=True)

    def _page(
        self, request: Request, person: Person, *, problem: str = "", status: int = 200, is_removal: bool = False
    ) -> Response:
        kept = self.passkeys.of(person)
        options = self.passkeys.options(person) if len(kept) < MOST_PASSKEYS else ""
        return self.gate.page(
            request,
            "passkeys.html",
            person,
            status=status,
            problem=problem,
            is_removal=is_removal,
            is_last=self.passkeys.is_last(person),
            username=person.account.username,
            passkeys=[_shown(each, person.now) for each in kept],
            options=options,
            longest_name=LONGEST_NAME,
        )


def _shown(passkey: Passkey, now: float) -> ShownPasskey:
    return ShownPasskey(
        passkey_id=urlsafe_b64encode(passkey.credential_id).decode(),
        name=passkey.name,
        began=ago(passkey.created_at, now),
        used=None if passkey.last_used_at is None else ago(passkey.last_used_at, now),
        is_backed_up=passkey.is_backed_up,
    )


def _credential_id(fields: Fields) -> bytes:
    """What the form names; b"" is nobody's."""
    try:
        return urlsafe_b64decode(fields.get("passkey", ""))
    except ValueError:
        return b""
