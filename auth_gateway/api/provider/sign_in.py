"""`/sign-in/{interaction_id}`: GET shows the card that the interaction has come to, POST answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.login import Floor
from auth_gateway.api.provider.browsers import Browsers, see_other
from auth_gateway.api.provider.cards import LONGEST_NAME, Cards
from auth_gateway.api.provider.refusal_pages import refusal_page, retry_after
from auth_gateway.core.factor import CodeKind
from auth_gateway.core.provider.authorization import Interaction
from auth_gateway.flows.answers import ChallengeOver, Throttled, WrongCode, WrongCredentials
from auth_gateway.flows.mailed_code import CodeSent, NoMoreCodes
from auth_gateway.flows.proofs import CodeProof, PushProof
from auth_gateway.flows.provider.consent import Agreements, Approved
from auth_gateway.flows.provider.new_password_card import NewPasswordCard, NotChosen
from auth_gateway.flows.provider.onward import CardNext
from auth_gateway.flows.provider.passkey_cards import PasskeyCards
from auth_gateway.flows.provider.sign_in import CardAnswer, Entered, SignInPage
from plumbing.bodies import parse_form, read_body, require_form
from plumbing.clock import Clock
from plumbing.refusals import Refused

MOST_BYTES = 32_768

WRONG_CREDENTIALS = "sign_in.wrong_credentials"
WRONG_CODE = "sign_in.wrong_code"
WRONG_PASSKEY = "passkey.wrong"
CHALLENGE_OVER = "sign_in.challenge_over"
THROTTLED = "sign_in.throttled"
NO_MORE_CODES = "sign_in.no_more_codes"
NAME_MISSING = "sign_in.name_missing"
PASSWORD_MISSING = "sign_in.password_missing"  # noqa: S105 # the key of a text

_TYPED: Final[dict[str, CodeKind]] = {"totp": "totp", "recovery_code": "recovery_code", "email_code": "email_code"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRoutes:
    """The sign-in page. `passkeys` is None where browsers have none for us."""

    browsers: Browsers
    cards: Cards
    page: SignInPage
    passkeys: PasskeyCards | None
    new_password: NewPasswordCard
    agreements: Agreements
    floor: Floor
    clock: Clock
    wake_delivery: Callable[[], None]

    async def get_card(self, request: Request) -> Response:
        """The card, for the browser that began; whoever is in already goes on."""
        try:
            interaction = await self._interaction(request)
            if interaction is None:
                return self.browsers.pages.outdated(request)
            if interaction.card == "done" or self._asks_nobody(interaction):
                context = self.browsers.context(request, interaction.client_id)
                return self.browsers.go(request, await self.page.onward(interaction.interaction_id, context))
            response = await self._heard_elsewhere(request, interaction)
            if response is not None:
                return response
            device = None
            if interaction.card == "device":
                context = self.browsers.context(request, interaction.client_id)
                device = await self.agreements.device(interaction, context)
            way = request.query_params.get("way", "")
            return self.cards.show(request, interaction, device=device, method=way)
        except Refused as refusal:
            return refusal_page(self.browsers.pages, request, refusal)

    async def post_card(self, request: Request) -> Response:
        """The answer to the card that is shown. The floor counts from the moment the whole request is here."""
        try:
            fields = await _fields(request)
            started_at = self.clock.monotonic()
            interaction = self._look(request)
            if interaction is None:
                return self.browsers.pages.outdated(request)
            if not self.browsers.is_our_form(request, fields, interaction.interaction_id):
                return self.browsers.pages.notice(request, "common.not_ours", status=400)
            if fields.get("card") == interaction.card:
                held = await self._held(request, interaction)
                if held is None:
                    return self.browsers.pages.outdated(request)
                interaction = held
            if fields.get("card") != interaction.card:
                return self.browsers.go(request, CardNext(interaction.interaction_id))
            response = await self._answered(request, interaction, fields, started_at)
        except Refused as refusal:
            response = refusal_page(self.browsers.pages, request, refusal)
        self.wake_delivery()
        return response

    async def _answered(
        self, request: Request, interaction: Interaction, fields: dict[str, str], started_at: float
    ) -> Response:
        if interaction.card == "password":
            return await self._password(request, interaction, fields, started_at)
        if interaction.card == "code":
            return await self._code(request, interaction, fields)
        if interaction.card == "new_password":
            return await self._new_password(request, interaction, fields)
        if interaction.card == "denied":
            return self.browsers.go(request, await self.page.leave(interaction))
        is_given = fields.get("answer") == "yes"
        context = self.browsers.context(request, interaction.client_id)
        answer = await self.agreements.answer(interaction, context, is_given=is_given)
        return self._approved(request, answer) if isinstance(answer, Approved) else self.browsers.go(request, answer)

    async def _password(
        self, request: Request, interaction: Interaction, fields: dict[str, str], started_at: float
    ) -> Response:
        browsers = self.browsers
        device, shown = browsers.devices.value(request), browsers.shown(request)
        context = browsers.context(request, interaction.client_id, device_cookie=device)
        credential, name, password = (fields.get(field, "") for field in ("credential", "username", "password"))
        if credential and self.passkeys is not None:
            answer = await self.passkeys.sign_in(interaction, credential, context, shown=shown)
            problem = WRONG_PASSKEY
        elif password:
            answer = await self.page.password(interaction, name, password, context, shown=shown)
            problem = WRONG_CREDENTIALS
        else:
            return self._name(request, interaction, _shown(name), is_again="step" in fields)
        if isinstance(answer, WrongCredentials):
            await self.floor.hold(started_at)
            return self.cards.show(request, interaction, problem=problem, status=401, username=_shown(name))
        # A challenge belongs to this device, so the device must have its cookie when it comes back.
        cookie = browsers.devices.header(device)
        return self._next(request, interaction, answer, device_cookie=cookie, username=_shown(name))

    def _name(self, request: Request, interaction: Interaction, username: str, *, is_again: bool) -> Response:
        """The password's step for whatever name was typed; nothing is looked up, so all names look the same."""
        if not username:
            return self.cards.show(request, interaction, problem=NAME_MISSING, status=400)
        if is_again:
            return self.cards.show(request, interaction, problem=PASSWORD_MISSING, status=400, username=username)
        return self.cards.show(request, interaction, username=username)

    async def _code(self, request: Request, interaction: Interaction, fields: dict[str, str]) -> Response:
        if fields.get("choose") == "email_code":
            return await self._mail_code(request, interaction)
        if "choose" in fields:
            return self.cards.show(request, interaction, method=fields["choose"])
        context, shown = self.browsers.context(request, interaction.client_id), self.browsers.shown(request)
        credential, method = fields.get("credential", ""), fields.get("method", "")
        trusts = fields.get("trust") == "yes"
        if credential and self.passkeys is not None:
            answer = await self.passkeys.step_up(interaction, credential, context, shown=shown, trusts=trusts)
            problem = WRONG_PASSKEY
        else:
            kind = _TYPED.get(method, "totp")
            proof = CodeProof(kind=kind, code="".join(fields.get("code", "").split()))
            answer = await self.page.factor(interaction, proof, context, shown=shown, trusts=trusts)
            problem = WRONG_CODE
        if isinstance(answer, WrongCode):
            return self.cards.show(request, interaction, problem=problem, status=401, method=method)
        if isinstance(answer, ChallengeOver):
            return self._over(request, interaction)
        return self._next(request, interaction, answer, method=method)

    async def _mail_code(self, request: Request, interaction: Interaction) -> Response:
        """A code by mail, because the person asked for one."""
        answer = await self.page.mail_code(interaction)
        if isinstance(answer, ChallengeOver):
            return self._over(request, interaction)
        if isinstance(answer, NoMoreCodes):
            return self.cards.show(request, interaction, problem=NO_MORE_CODES, status=429, method="email_code")
        return self.cards.show(request, interaction, method="email_code", is_sent=isinstance(answer, CodeSent))

    async def _heard_elsewhere(self, request: Request, interaction: Interaction) -> Response | None:
        """What the word of an MFA system has made of this card since it was shown; None while there is none."""
        asked = self.page.asked_elsewhere(interaction)
        if asked is None or asked.is_awaited:
            return None
        context, shown = self.browsers.context(request, interaction.client_id), self.browsers.shown(request)
        answer = await self.page.factor(interaction, PushProof(), context, shown=shown)
        self.wake_delivery()
        if isinstance(answer, ChallengeOver):
            return self._over(request, interaction)
        return self._next(request, interaction, answer)

    def _over(self, request: Request, interaction: Interaction) -> Response:
        """The challenge is over: the password is asked for again, unless another answer was faster."""
        again = self._look(request)
        if again is None or again.card != "password":
            return self.browsers.go(request, CardNext(interaction.interaction_id))
        return self.cards.show(request, again, problem=CHALLENGE_OVER, status=401)

    async def _new_password(self, request: Request, interaction: Interaction, fields: dict[str, str]) -> Response:
        context, shown = self.browsers.context(request, interaction.client_id), self.browsers.shown(request)
        answer = await self.new_password(interaction, fields.get("new_password", ""), context, shown=shown)
        if isinstance(answer, NotChosen):
            return self.cards.show(request, interaction, problem=f"sign_in.{answer.code}", status=422)
        return self._next(request, interaction, answer)

    def _next(
        self,
        request: Request,
        interaction: Interaction,
        answer: CardAnswer,
        *,
        device_cookie: str = "",
        username: str = "",
        method: str = "",
    ) -> Response:
        if isinstance(answer, Throttled):
            return self.cards.show(
                request,
                interaction,
                problem=THROTTLED,
                status=429,
                headers={"retry-after": retry_after(answer.retry_after_seconds)},
                username=username,
                method=method,
            )
        cookies = [device_cookie] if device_cookie else []
        if isinstance(answer, Entered):
            cookies.append(self.browsers.cookies.session.header(answer.cookie))
            if answer.trusted is not None:
                cookies.append(self.browsers.cookies.trusted.header(answer.trusted))
            return self.browsers.go(request, answer.onwards, cookies=cookies)
        if isinstance(answer, WrongCredentials | WrongCode | ChallengeOver):  # answered by their own card before
            return see_other(f"{self.browsers.issuer}/sign-in/{interaction.interaction_id}", cookies)
        return self.browsers.go(request, answer, cookies=cookies)

    def _look(self, request: Request) -> Interaction | None:
        return self.page.look(request.path_params["interaction_id"], self.browsers.binding(request))

    def _asks_nobody(self, interaction: Interaction) -> bool:
        """Whether its card was for another password, and nobody owes one any more, or may not choose it now."""
        return interaction.card == "new_password" and self.new_password.chooser(interaction) is None

    async def _interaction(self, request: Request) -> Interaction | None:
        interaction_id, browsers = request.path_params["interaction_id"], self.browsers
        return await self.page.find(interaction_id, browsers.binding(request), shown=browsers.shown(request))

    async def _held(self, request: Request, interaction: Interaction) -> Interaction | None:
        browsers = self.browsers
        return await self.page.held(interaction, browsers.binding(request), shown=browsers.shown(request))

    def _approved(self, request: Request, answer: Approved) -> Response:
        key = "sign_in.connected" if answer.is_approved else "sign_in.not_connected"
        return self.browsers.pages.notice(request, key, status=200)


def _shown(username: str) -> str:
    """A name as the next step repeats it; what nobody could be called, it does not."""
    return username if len(username) <= LONGEST_NAME and username.isprintable() and username.strip() else ""


async def _fields(request: Request) -> dict[str, str]:
    require_form(request)
    return parse_form(await read_body(request, max_bytes=MOST_BYTES))
