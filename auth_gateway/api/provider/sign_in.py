"""`/sign-in/{interaction_id}`: GET shows the card that the interaction has come to, POST answers it."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.login import Floor
from auth_gateway.api.provider.browsers import Browsers, see_other
from auth_gateway.api.provider.refusal_pages import refusal_page, retry_after
from auth_gateway.core.provider.authorization import AccountVisit, AuthorizationRequest, DeviceApproval, Interaction
from auth_gateway.core.provider.device_grant import shown_user_code
from auth_gateway.flows.answers import ChallengeOver, Throttled, WrongCode, WrongCredentials
from auth_gateway.flows.proofs import CodeProof
from auth_gateway.flows.provider.consent import Agreements, Approved, AskingDevice
from auth_gateway.flows.provider.onward import CardNext
from auth_gateway.flows.provider.ports import ClientFinder
from auth_gateway.flows.provider.sign_in import CardAnswer, Entered, SignInPage
from plumbing.bodies import parse_form, read_body, require_form
from plumbing.clock import Clock
from plumbing.refusals import Refused

MOST_BYTES = 32_768

WRONG_CREDENTIALS = "sign_in.wrong_credentials"
WRONG_CODE = "sign_in.wrong_code"
CHALLENGE_OVER = "sign_in.challenge_over"
THROTTLED = "sign_in.throttled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRoutes:
    """The sign-in page. `person_of` says what to call somebody."""

    browsers: Browsers
    page: SignInPage
    agreements: Agreements
    find_client: ClientFinder
    person_of: Callable[[Interaction], str]
    floor: Floor
    clock: Clock
    wake_delivery: Callable[[], None]

    async def get_card(self, request: Request) -> Response:
        """The card, for the browser that began; whoever is in already goes on."""
        try:
            interaction = await self._interaction(request)
            if interaction is None:
                return self.browsers.pages.outdated(request)
            if interaction.card == "done":
                context = self.browsers.context(request, interaction.client_id)
                return self.browsers.go(request, await self.page.onward(interaction.interaction_id, context))
            device = None
            if interaction.card == "device":
                context = self.browsers.context(request, interaction.client_id)
                device = await self.agreements.device(interaction, context)
            return self._card(request, interaction, device=device)
        except Refused as refusal:
            return refusal_page(self.browsers.pages, request, refusal)

    async def post_card(self, request: Request) -> Response:
        """The answer to the card that is shown. The floor counts from the moment the whole request is here."""
        try:
            fields = await _fields(request)
            started_at = self.clock.monotonic()
            interaction = await self._interaction(request)
            if interaction is None:
                return self.browsers.pages.outdated(request)
            if not self.browsers.is_our_form(request, fields, interaction.interaction_id):
                return self.browsers.pages.notice(request, "common.not_ours", status=400)
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
        device = browsers.devices.value(request)
        context = browsers.context(request, interaction.client_id, device_cookie=device)
        answer = await self.page.password(
            interaction,
            fields.get("username", ""),
            fields.get("password", ""),
            context,
            shown=browsers.shown(request),
        )
        if isinstance(answer, WrongCredentials):
            await self.floor.hold(started_at)
            return self._card(request, interaction, problem=WRONG_CREDENTIALS, status=401)
        # A challenge belongs to this device, so the device must have its cookie when it comes back.
        return self._next(request, interaction, answer, device_cookie=browsers.devices.header(device))

    async def _code(self, request: Request, interaction: Interaction, fields: dict[str, str]) -> Response:
        context = self.browsers.context(request, interaction.client_id)
        code = "".join(fields.get("code", "").split())
        proof = CodeProof(kind="totp", code=code)
        answer = await self.page.factor(interaction, proof, context, shown=self.browsers.shown(request))
        if isinstance(answer, WrongCode):
            return self._card(request, interaction, problem=WRONG_CODE, status=401)
        if isinstance(answer, ChallengeOver):
            again = await self._interaction(request)
            if again is None or again.card != "password":
                return self.browsers.go(request, CardNext(interaction.interaction_id))
            return self._card(request, again, problem=CHALLENGE_OVER, status=401)
        return self._next(request, interaction, answer)

    def _next(
        self, request: Request, interaction: Interaction, answer: CardAnswer, *, device_cookie: str = ""
    ) -> Response:
        if isinstance(answer, Throttled):
            headers = {"retry-after": retry_after(answer.retry_after_seconds)}
            return self._card(request, interaction, problem=THROTTLED, status=429, headers=headers)
        cookies = [device_cookie] if device_cookie else []
        if isinstance(answer, Entered):
            cookies.append(self.browsers.cookies.session.header(answer.cookie))
            return self.browsers.go(request, answer.onwards, cookies=cookies)
        if isinstance(answer, WrongCredentials | WrongCode | ChallengeOver):  # answered by their own card before
            return see_other(f"{self.browsers.issuer}/sign-in/{interaction.interaction_id}", cookies)
        return self.browsers.go(request, answer, cookies=cookies)

    async def _interaction(self, request: Request) -> Interaction | None:
        interaction_id, browsers = request.path_params["interaction_id"], self.browsers
        return await self.page.find(interaction_id, browsers.binding(request), shown=browsers.shown(request))

    def _card(
        self,
        request: Request,
        interaction: Interaction,
        *,
        problem: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
        device: AskingDevice | None = None,
    ) -> Response:
        """The card as it is shown now. What was typed is not repeated: the next person at this screen reads it too."""
        client = self.find_client(interaction.client_id)
        if client is None:
            return self.browsers.pages.outdated(request)
        asked = interaction.request
        goes_to = asked.redirect_uri if isinstance(asked, AuthorizationRequest) else None
        values: dict[str, object] = {
            "client_name": client.name,
            "csrf": self.browsers.csrf(request, interaction.interaction_id),
            "problem": problem,
        }
        if interaction.card == "password":
            values["username"] = asked.login_hint if isinstance(asked, AuthorizationRequest) and not problem else ""
        elif interaction.card == "denied":
            values |= {"incident_id": interaction.incident_id, "can_return": goes_to is not None}
            status = 403
        elif interaction.card in ("consent", "device"):
            values |= {"person": self.person_of(interaction), "scopes": _scopes(asked)}
        if interaction.card == "device":
            if device is None:  # it waits no more
                return self.browsers.pages.outdated(request)
            values |= {"user_code": shown_user_code(device.user_code), "place": device.place, "country": device.country}
        return self.browsers.pages.page(
            request,
            f"{interaction.card}.html",
            status=status,
            goes_to=goes_to,
            headers=headers,
            ui_locales=asked.ui_locales if isinstance(asked, AuthorizationRequest) else "",
            **values,
        )

    def _approved(self, request: Request, answer: Approved) -> Response:
        key = "sign_in.connected" if answer.is_approved else "sign_in.not_connected"
        return self.browsers.pages.notice(request, key, status=200)


def _scopes(asked: AuthorizationRequest | DeviceApproval | AccountVisit) -> list[str]:
    return [] if isinstance(asked, AccountVisit) else asked.scope.split()


async def _fields(request: Request) -> dict[str, str]:
    require_form(request)
    return parse_form(await read_body(request, max_bytes=MOST_BYTES))
