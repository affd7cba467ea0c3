"""The authorization endpoint, pushed requests, the sign-in page and the discovery document. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.provider.protocol import AuthorizationGrammar
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.api.login import LoginRoutes
from auth_gateway.api.provider import authorization_reference as reference
from auth_gateway.api.provider.authorize import AuthorizeRoutes
from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.cards import Cards
from auth_gateway.api.provider.cookies import BrowserCookies
from auth_gateway.api.provider.discovery import DiscoveryRoutes
from auth_gateway.api.provider.par import PushRoutes
from auth_gateway.api.provider.sign_in import SignInRoutes
from auth_gateway.assembly import Gateway
from auth_gateway.core.provider.authorization import Interaction
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.flows.provider.authorize import Authorize
from auth_gateway.flows.provider.consent import Agreements
from auth_gateway.flows.provider.device_risk import DeviceRisk
from auth_gateway.flows.provider.entrance import Door
from auth_gateway.flows.provider.new_password_card import NewPasswordCard
from auth_gateway.flows.provider.onward import Onward
from auth_gateway.flows.provider.ports import ClientFinder
from auth_gateway.flows.provider.push import PushedRequests
from auth_gateway.flows.provider.sign_in import SignInPage
from auth_gateway.flows.provider.visits import Visits
from auth_gateway.flows.renewal import Renewal
from auth_gateway.second_factors import trust
from auth_gateway.service import Service
from auth_gateway.wiring import jose, pages, passkeys
from auth_gateway.wiring.tokens import client_proof
from plumbing.lean import add_lean

DISCOVERY_PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
    reading = grammar(service)
    routes, own = service.login_routes(), browsers(service, reading)
    waiting = _pushed(service.gateway, routes)
    authorize = _authorize_routes(service, reading, routes, own, waiting)
    cards = _card_routes(service, routes, own)
    for method, endpoint, described in (
        ("GET", authorize.get_authorize, reference.GET_AUTHORIZE),
        ("POST", authorize.post_authorize, reference.POST_AUTHORIZE),
    ):
        add_lean(app, "/authorize", endpoint, method=method, summary="Sign a person in", operation=described)
    push = _push_routes(service, reading, waiting, own).post_par
    add_lean(app, "/par", push, method="POST", summary="Push an authorization request", operation=reference.PUSH)
    app.add_api_route("/sign-in/{interaction_id}", cards.get_card, methods=["GET"], include_in_schema=False)
    app.add_api_route("/sign-in/{interaction_id}", cards.post_card, methods=["POST"], include_in_schema=False)
    document = DiscoveryRoutes(own.issuer).get_document
    for path in DISCOVERY_PATHS:
        add_lean(
            app,
            path,
            document,
            method="GET",
            summary="What the provider can do",
            operation=reference.DISCOVER,
            takes_head=True,
        )


def grammar(service: Service) -> AuthorizationGrammar:
    """Reads authorization requests, and writes the addresses that they are answered at."""
    return AuthorizationGrammar(
        issuer=_issuer(service),
        find_client=_finder(service.gateway),
        id_token_hint=jose.verifier(service).id_token_hint,
    )


def browsers(service: Service, reading: AuthorizationGrammar | None = None) -> Browsers:
    """What the pages believe of a browser, and where they send it."""
    gateway, routes, issuer = service.gateway, service.login_routes(), _issuer(service)
    return Browsers(
        issuer=issuer,
        csrf_key=gateway.vault.derive("csrf"),
        cookies=browser_cookies(gateway),
        devices=routes.devices,
        edge=routes.edge,
        clock=gateway.clock,
        randomness=gateway.randomness,
        pages=pages.pages(service),
        address_of=(reading or grammar(service)).address,
    )


def browser_cookies(gateway: Gateway) -> BrowserCookies:
    """What browsers show us."""
    return BrowserCookies(is_https=gateway.settings.is_https, trust_key=gateway.vault.derive("trusted-devices"))


def onward(gateway: Gateway) -> Onward:
    """From one card to the next."""
    return Onward(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        vault=gateway.vault,
        users=gateway.users,
        sessions=gateway.sessions,
        clients=gateway.clients,
        pending_logins=gateway.pending_logins,
        store=gateway.provider,
    )


def _authorize_routes(
    service: Service, reading: AuthorizationGrammar, routes: LoginRoutes, own: Browsers, waiting: PushedRequests
) -> AuthorizeRoutes:
    return AuthorizeRoutes(
        browsers=own,
        read=reading.read,
        find_client=_finder(service.gateway),
        pushed=waiting,
        authorize=authorize_by(service.gateway, routes),
        wake_delivery=routes.wake_delivery,
    )


def authorize_by(gateway: Gateway, routes: LoginRoutes) -> Authorize:
    """Who comes back to a browser, for an application or a device, judged as these login routes judge."""
    completion = routes.complete.completion
    return Authorize(
        onward=onward(gateway),
        recheck=completion.recheck,
        recorder=completion.recorder,
        ending=gateway.ending,
        visits=_visits(routes),
    )


def _visits(routes: LoginRoutes) -> Visits:
    """Counted where failed logins are."""
    return Visits(clock=routes.clock, throttle=routes.login.throttle)


def _card_routes(service: Service, routes: LoginRoutes, own: Browsers) -> SignInRoutes:
    gateway = service.gateway
    onwards = onward(gateway)
    page = SignInPage(
        door=_door(gateway),
        onward=onwards,
        login=routes.login,
        complete=routes.complete,
        send_code=routes.mail_code,
        vault=gateway.vault,
        visits=_visits(routes),
    )
    by_passkey = passkeys.cards(gateway, routes, page)
    new_password = _new_password(service, page)
    return SignInRoutes(
        browsers=own,
        cards=Cards(
            browsers=own,
            find_client=_finder(gateway),
            person_of=lambda interaction: _person_of(gateway, interaction),
            passkey_options=_no_passkey if by_passkey is None else by_passkey.options,
            methods=page.methods,
            chooser_of=new_password.chooser,
            asked_elsewhere=page.asked_elsewhere,
            signs_up=gateway.settings.sign_up,
        ),
        page=page,
        passkeys=by_passkey,
        new_password=new_password,
        agreements=Agreements(
            onward=onwards, audit=gateway.audit, device_risk=_device_risk(onwards, routes), visits=_visits(routes)
        ),
        floor=routes.floor,
        clock=gateway.clock,
        wake_delivery=routes.wake_delivery,
    )


def _new_password(service: Service, page: SignInPage) -> NewPasswordCard:
    gateway = service.gateway
    return NewPasswordCard(
        page=page,
        new_passwords=gateway.new_passwords,
        new_hashes=service.passwords,
        ending=gateway.ending,
        audit=gateway.audit,
        post_office=gateway.post_office,
        trusted_devices=StoredTrustedDevices(),
    )


def _device_risk(onwards: Onward, routes: LoginRoutes) -> DeviceRisk:
    completion = routes.complete.completion
    return DeviceRisk(onward=onwards, recheck=completion.recheck, recorder=completion.recorder)


def _push_routes(service: Service, reading: AuthorizationGrammar, waiting: PushedRequests, own: Browsers) -> PushRoutes:
    return PushRoutes(
        url=f"{_issuer(service)}/par",
        read=reading.read,
        prove=client_proof(service),
        proofs=jose.proofs(service),
        pushed=waiting,
        edge=own.edge,
        clock=service.gateway.clock,
    )


def _door(gateway: Gateway) -> Door:
    return Door(
        randomness=gateway.randomness,
        vault=gateway.vault,
        sessions=gateway.sessions,
        devices=gateway.devices,
        ending=gateway.ending,
        trust=trust(gateway),
        browser_sessions=gateway.provider.browser_sessions,
        interactions=gateway.provider.interactions,
        session_seconds=gateway.issuer.lifetimes.session_seconds,
        browser_seconds=gateway.settings.browser_session_hours * 3600,
        renewal=Renewal(
            sessions=gateway.sessions,
            refresh_tokens=gateway.refresh_tokens,
            codes=gateway.provider.codes,
            device_grants=gateway.provider.device_grants,
            notices=gateway.session_notices,
        ),
        notices=gateway.session_notices,
    )


def _pushed(gateway: Gateway, routes: LoginRoutes) -> PushedRequests:
    return PushedRequests(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        interactions=gateway.provider.interactions,
        seen_once=gateway.provider.seen_once,
        visits=_visits(routes),
    )


def _no_passkey(_interaction: Interaction) -> str:
    """Browsers have no passkeys for an address like ours."""
    return ""


def _person_of(gateway: Gateway, interaction: Interaction) -> str:
    """What the person of an interaction is called, "" when their session is gone."""
    session_id = interaction.session_id
    if session_id is None:
        return ""
    session = gateway.database.read(lambda tx: gateway.sessions.find(tx, session_id))
    account = None if session is None else gateway.database.read(lambda tx: gateway.users.by_id(tx, session.user_id))
    return "" if account is None else account.display_name or account.username


def _finder(gateway: Gateway) -> ClientFinder:
    def find(client_id: str) -> RegisteredClient | None:
        return gateway.database.read(lambda tx: gateway.clients.find(tx, client_id))

    return find


def _issuer(service: Service) -> str:
    return service.gateway.settings.public_url
