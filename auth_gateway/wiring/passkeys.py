"""Passkeys: who we are to browsers, and the flows that ask for them. No rules."""

from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.webauthn import WebAuthnLibrary
from auth_gateway.api.login import LoginRoutes
from auth_gateway.assembly import Gateway
from auth_gateway.core.passkey_ceremony import relying_party
from auth_gateway.flows.passkey_login import PasskeyLogin
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.flows.passkeys import PasskeyCeremonies
from auth_gateway.flows.provider.passkey_cards import PasskeyCards
from auth_gateway.flows.provider.sign_in import SignInPage


def ceremonies(gateway: Gateway) -> PasskeyCeremonies | None:
    """What asks for passkeys; None where browsers have none for us (the issuer is no name, or has no https)."""
    party = relying_party(gateway.settings.provider_issuer or "", gateway.settings.brand_name)
    if party is None:
        return None
    return PasskeyCeremonies(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        webauthn=WebAuthnLibrary(party),
        passkeys=StoredPasskeys(),
        seen_once=gateway.provider.seen_once,
        audit=gateway.audit,
        challenge_key=gateway.vault.derive("webauthn-challenge"),
        handle_key=gateway.vault.derive("webauthn-user-handle"),
    )


def registration(gateway: Gateway) -> PasskeyRegistration | None:
    """What keeps people's passkeys."""
    asking = ceremonies(gateway)
    return None if asking is None else PasskeyRegistration(ceremonies=asking)


def cards(gateway: Gateway, routes: LoginRoutes, page: SignInPage) -> PasskeyCards | None:
    """Passkeys on the sign-in page, admitted as these login routes admit."""
    asking = ceremonies(gateway)
    if asking is None:
        return None
    login = PasskeyLogin(
        ceremonies=asking,
        throttle=routes.login.throttle,
        users=routes.login.users,
        recorder=routes.login.recorder,
        admission=routes.login.admission,
    )
    return PasskeyCards(ceremonies=asking, login=login, page=page)
