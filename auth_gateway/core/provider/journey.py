"""What a person must still do before an application gets its code: the one place that reads `prompt`, `max_age` and
`acr_values`. The risk of the request has been judged before; nothing here makes up for it.

Source: OpenID Connect Core 1.0, section 3.1.2; RFC 9470, section 5.
"""

import msgspec

from auth_gateway.core.factor import Demand, FactorKind, is_enrolled, usable
from auth_gateway.core.provider.assurance import demand_of, demanded_level, is_strong_enough
from auth_gateway.core.provider.authorization import AuthorizationRequest
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.session import Session


class SignIn(msgspec.Struct, frozen=True):
    """The password card comes next."""


class StepUp(msgspec.Struct, frozen=True):
    """A second factor comes next, of those that `demand` takes."""

    demand: Demand = "enrolled"


class ChooseNewPassword(msgspec.Struct, frozen=True):
    """Another password comes next, because others guess the one that was shown."""


class AskConsent(msgspec.Struct, frozen=True):
    """The person is asked to agree to `scope`."""

    scope: str


class GiveCode(msgspec.Struct, frozen=True):
    """Nothing is left to do."""


class Refuse(msgspec.Struct, frozen=True):
    """The application is told an error (OpenID Connect Core 3.1.2.6, or Unmet Authentication Requirements 1.0)."""

    error: str
    description: str


Step = SignIn | StepUp | ChooseNewPassword | AskConsent | GiveCode | Refuse


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the person at the browser. `session` is None when nobody is signed in, or when its risk asks
    for a new login; `factors` are the kinds that they could show, `consented` is what they agreed to before.
    `owes_new_password` says that others guess the password which they showed."""

    session: Session | None = None
    factors: tuple[FactorKind, ...] = ()
    consented: str = ""
    has_agreed_here: bool = False
    owes_new_password: bool = False

    @property
    def awaits_factor(self) -> bool:
        """Whether the session rests until a factor was shown."""
        return self.session is not None and self.session.awaits_factor

    @property
    def has_factor(self) -> bool:
        """Whether there is a factor that they enrolled."""
        return is_enrolled(self.factors)


def next_step(
    request: AuthorizationRequest, client: RegisteredClient, standing: Standing, *, began_at: float | None, now: float
) -> Step:
    """The next thing to do for this request.

    `began_at` is when the interaction began that keeps this session as its own; None at the authorization endpoint,
    where whoever is signed in was so before.
    """
    is_silent = "none" in request.prompt
    session = standing.session
    if session is None or _must_sign_in_again(request, session, began_at=began_at, now=now):
        return Refuse("login_required", "The person must sign in.") if is_silent else SignIn()
    demanded = demanded_level(request.acr_values)
    if not is_strong_enough(session.acr, demanded):
        return stronger(demanded, standing, is_silent=is_silent)
    if _must_ask(request, client, standing):
        return Refuse("consent_required", "The person must agree.") if is_silent else AskConsent(request.scope)
    return GiveCode()


def before_a_resting_session(step: Step, standing: Standing, *, is_silent: bool) -> Step:
    """`step`, or the factor that comes before it while the session rests; the password, and with it a new login, where
    there is no factor. Whoever shows a factor anyway shows it for this as well."""
    if not standing.awaits_factor or isinstance(step, SignIn | StepUp):
        return step
    if isinstance(step, Refuse) and step.error == "login_required":
        return step
    if is_silent:
        return Refuse("interaction_required", "The person must show a factor.")
    return StepUp("enrolled") if standing.has_factor else SignIn()


def stronger(demanded: str | None, standing: Standing, *, is_silent: bool = False) -> StepUp | Refuse:
    """The factor that reaches the level asked for. Whoever has none that does is told so, never asked for another."""
    demand = demand_of(demanded)
    if not usable(standing.factors, demand):
        return Refuse("unmet_authentication_requirements", "This account cannot reach the level asked for.")
    return Refuse("interaction_required", "A second factor is needed.") if is_silent else StepUp(demand)


def _must_sign_in_again(request: AuthorizationRequest, session: Session, *, began_at: float | None, now: float) -> bool:
    """A login inside the interaction answers `prompt` and `max_age`; auth_time counts whole seconds.

    No timestamp says whose login it was, since a session of before may have the interaction's own. An interaction that
    asks for a login begins without a session, so one that it keeps has signed in there.
    """
    if request.id_token_hint_sub is not None and request.id_token_hint_sub != session.user_id:
        return True
    if began_at is None and (request.max_age == 0 or not {"login", "select_account"}.isdisjoint(request.prompt)):
        return True
    if request.max_age is None or (began_at is not None and session.auth_time >= int(began_at)):
        return False
    return now - session.auth_time > request.max_age


def _must_ask(request: AuthorizationRequest, client: RegisteredClient, standing: Standing) -> bool:
    if standing.has_agreed_here:
        return False
    if "consent" in request.prompt:
        return True
    return client.requires_consent and not set(request.scope.split()) <= set(standing.consented.split())
