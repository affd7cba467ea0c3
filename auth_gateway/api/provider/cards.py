"""The cards of the sign-in page as they are shown: which template, and what stands on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.core.factor import FactorKind
from auth_gateway.core.password_rules import LONGEST
from auth_gateway.core.provider.authorization import AccountVisit, AuthorizationRequest, DeviceApproval, Interaction
from auth_gateway.core.provider.device_grant import shown_user_code
from auth_gateway.flows.provider.consent import AskingDevice
from auth_gateway.flows.provider.new_password_card import Chooser
from auth_gateway.flows.provider.onward import OUR_ACCOUNT_PAGES
from auth_gateway.flows.provider.ports import ClientFinder
from auth_gateway.flows.provider.sign_in import AskedElsewhere

LONGEST_NAME = 256
"""What the field takes; no account has a longer one."""
LOOK_AGAIN_SECONDS = 5
"""How soon a page that waits for a word from elsewhere looks again, without a script, until its person stops that
(WCAG 2.2, success criterion 2.2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Shows cards. `person_of` says what to call somebody, `passkey_options` what the card asks the browser, "" where
    it asks for no passkey, `methods` what answers the challenge of a card, the strongest first, `chooser_of` who is
    asked for another password, `asked_elsewhere` which MFA system is asked. `signs_up` says that strangers may make an
    account."""

    browsers: Browsers
    find_client: ClientFinder
    person_of: Callable[[Interaction], str]
    passkey_options: Callable[[Interaction], str]
    methods: Callable[[Interaction], tuple[FactorKind, ...]]
    chooser_of: Callable[[Interaction], Chooser | None]
    asked_elsewhere: Callable[[Interaction], AskedElsewhere | None]
    signs_up: bool = False

    def show(
        self,
        request: Request,
        interaction: Interaction,
        *,
        problem: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        username: str | None = None,
        device: AskingDevice | None = None,
        method: str = "",
        is_sent: bool = False,
    ) -> Response:
        """The interaction's card. `problem` is the key of a text, `username` the name that was typed: nobody has been
        asked whether it exists, and the next page has the form that it came by. `method` is the second factor that was
        chosen, `is_sent` says that a code is on its way by mail."""
        is_ours = isinstance(interaction.request, AccountVisit)
        client = OUR_ACCOUNT_PAGES if is_ours else self.find_client(interaction.client_id)
        chooser = self.chooser_of(interaction) if interaction.card == "new_password" else None
        is_outdated = {"device": device is None, "new_password": chooser is None}.get(interaction.card, False)
        if client is None or is_outdated:  # the device waits no more, or the password is another one
            return self.browsers.pages.outdated(request)
        asked = interaction.request
        goes_to = asked.redirect_uri if isinstance(asked, AuthorizationRequest) else None
        template: str = interaction.card
        values: dict[str, object] = {
            "client_name": self.browsers.pages.words(request)("account.name") if is_ours else client.name,
            "csrf": self.browsers.csrf(request, interaction.interaction_id),
            "problem": problem,
        }
        if interaction.card == "password":
            name = _suggested(request, interaction) if username is None and not problem else username or ""
            values |= {"username": name, "passkey": self.passkey_options(interaction), "signs_up": self.signs_up}
            template = "password" if name else "name"
        elif interaction.card == "denied":
            values |= {"incident_id": interaction.incident_id, "can_return": goes_to is not None}
            status = 403
        elif interaction.card == "code":
            values |= self._ways(request, interaction, method) | {"is_sent": is_sent or bool(problem)}
            headers = {**_looking_again(values), **(headers or {})}
        values |= self._known(interaction, chooser, device)
        return self.browsers.pages.page(
            request,
            f"{template}.html",
            status=status,
            goes_to=goes_to,
            headers=headers,
            ui_locales=asked.ui_locales if isinstance(asked, AuthorizationRequest) else "",
            **values,
        )

    def _known(
        self, interaction: Interaction, chooser: Chooser | None, device: AskingDevice | None
    ) -> dict[str, object]:
        """What is said to somebody who has been recognised."""
        values: dict[str, object] = {}
        if interaction.card in ("consent", "device"):
            values = {"person": self.person_of(interaction), "scopes": _scopes(interaction.request)}
        if chooser is not None:
            values |= {"username": chooser.account.username, "least": chooser.least, "longest": LONGEST}
        if device is not None:
            values |= {"user_code": shown_user_code(device.user_code), "place": device.place, "country": device.country}
        return values

    def _ways(self, request: Request, interaction: Interaction, method: str) -> dict[str, object]:
        """The second factor that the card asks for, the strongest unless its person chose, and the others."""
        passkey, elsewhere = self.passkey_options(interaction), self.asked_elsewhere(interaction)
        is_awaited = elsewhere is not None and elsewhere.is_awaited
        kinds = self.methods(interaction) or (("push",) if is_awaited else ("totp",))
        ways = [kind for kind in kinds if kind != "passkey" or passkey] or ["totp"]
        way = method if method in ways else ways[0]
        others = [kind for kind in ways if kind != way]
        # With a session, an application asked for more; without one, something about this sign-in did.
        values: dict[str, object] = {"passkey": passkey, "way": way, "others": others}
        values["is_new"] = interaction.session_id is None
        if way == "push" and elsewhere is not None:
            values |= self._waiting(request, interaction, elsewhere, is_first=way == ways[0])
        return values

    def _waiting(
        self, request: Request, interaction: Interaction, elsewhere: AskedElsewhere, *, is_first: bool
    ) -> dict[str, object]:
        """The same page again, by its address: whoever chose this way, or that it stand still, must not lose that."""
        page = f"{self.browsers.issuer}/sign-in/{interaction.interaction_id}"
        still, is_still = f"{page}?way=push&still=1", "still" in request.query_params
        again = page if is_first else f"{page}?way=push"
        return {
            "number": elsewhere.number,
            "is_still": is_still,
            "still": still,
            "again": still if is_still else again,
        }


def _looking_again(values: Mapping[str, object]) -> dict[str, str]:
    return {} if values.get("is_still", True) else {"refresh": f"{LOOK_AGAIN_SECONDS}; url={values['again']}"}


def _suggested(request: Request, interaction: Interaction) -> str:
    """The name that the application suggests, unless its person has chosen to type another."""
    asked = interaction.request
    if not isinstance(asked, AuthorizationRequest) or "name" in request.query_params:
        return ""
    return asked.login_hint


def _scopes(asked: AuthorizationRequest | DeviceApproval | AccountVisit) -> list[str]:
    return [] if isinstance(asked, AccountVisit) else asked.scope.split()
