"""Logout, revocation and introspection, and the notices that applications get. No rules."""

from fastapi import FastAPI

from auth_gateway.api.provider.ending_routes import add_ending_routes
from auth_gateway.api.provider.introspection import IntrospectionRoutes
from auth_gateway.api.provider.logout import LogoutRoutes
from auth_gateway.api.provider.logout_page import LogoutPage
from auth_gateway.api.provider.revocation import RevocationRoutes
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.provider.farewell import LogoutForms
from auth_gateway.flows.provider.introspect import Introspect
from auth_gateway.flows.provider.logout import Logout
from auth_gateway.flows.provider.revocation import Revocation
from auth_gateway.receivers import logout_receivers
from auth_gateway.service import Service
from auth_gateway.wiring import jose, pages, sign_in
from auth_gateway.wiring.tokens import client_proof, standing


def ending(service: Service) -> Ending:
    """What every door ends sessions with."""
    return service.gateway.ending


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them; from here on applications are told of ended sessions."""
    settings = service.gateway.settings
    service.find_receiver = logout_receivers(_forms(service), allow_private=settings.is_demo)
    prove = client_proof(service)
    add_ending_routes(
        app,
        logout=_logout_routes(service),
        introspection=IntrospectionRoutes(introspect=_introspect(service), prove=prove),
        revocation=RevocationRoutes(revocation=_revocation(service), prove=prove, wake_delivery=service.wake),
    )


def _logout_routes(service: Service) -> LogoutRoutes:
    gateway = service.gateway
    settings = gateway.settings
    logout = Logout(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        verifier=jose.verifier(service),
        clients=gateway.clients,
        users=gateway.users,
        browser_sessions=gateway.provider.browser_sessions,
        ending=ending(service),
    )
    return LogoutRoutes(
        logout=logout,
        cookie=sign_in.browser_cookies(gateway).session,
        page=LogoutPage(pages.pages(service)),
        csrf_key=gateway.vault.derive("csrf"),
        issuer=settings.jwt_issuer,
        wake_delivery=service.wake,
    )


def _introspect(service: Service) -> Introspect:
    gateway = service.gateway
    return Introspect(
        database=gateway.database,
        clock=gateway.clock,
        issuer=gateway.settings.jwt_issuer,
        default_audience=gateway.settings.jwt_audience,
        verifier=jose.verifier(service),
        standing=standing(service),
        refresh_tokens=gateway.refresh_tokens,
    )


def _revocation(service: Service) -> Revocation:
    gateway = service.gateway
    return Revocation(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        verifier=jose.verifier(service),
        standing=standing(service),
        refresh_tokens=gateway.refresh_tokens,
        revoked_tokens=gateway.provider.revoked_tokens,
        ending=ending(service),
        audit=gateway.audit,
    )


def _forms(service: Service) -> LogoutForms:
    gateway = service.gateway
    return LogoutForms(
        issuer=gateway.settings.jwt_issuer,
        codec=jose.codec(service),
        clock=gateway.clock,
        randomness=gateway.randomness,
    )
