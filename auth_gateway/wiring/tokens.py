"""The token endpoint's grants and userinfo: adapters joined with flows. No rules."""

from dataclasses import replace

from fastapi import FastAPI

from auth_gateway.api.provider.userinfo import UserInfoRoutes
from auth_gateway.api.reference import Schema, answer, form_of, operation
from auth_gateway.api.token import ProviderGrants, TokenRoutes
from auth_gateway.flows.provider.arrival import Arrivals
from auth_gateway.flows.provider.bearing import Bearers
from auth_gateway.flows.provider.client_proof import ClientProof
from auth_gateway.flows.provider.client_tokens import ClientTokens
from auth_gateway.flows.provider.granting import Granting
from auth_gateway.flows.provider.identity import IdTokens
from auth_gateway.flows.provider.redeem import RedeemCode, RedeemDevice
from auth_gateway.flows.provider.standing import TokenStanding
from auth_gateway.flows.provider.userinfo import UserInfo
from auth_gateway.flows.refresh import ProviderPart, Refresh
from auth_gateway.service import Service
from auth_gateway.wiring import jose
from plumbing.lean import add_lean


def token_routes(service: Service) -> TokenRoutes:
    """The token endpoint, with every grant where there is a provider."""
    routes, issuer = service.token_routes(), service.gateway.settings.provider_issuer
    if issuer is None:
        return routes
    gateway = service.gateway
    id_tokens = IdTokens(issuer=issuer, codec=jose.codec(service))
    part = ProviderPart(users=gateway.users, seen_once=gateway.provider.seen_once, id_tokens=id_tokens)
    refresh = replace(routes.refresh, provider=part)
    return replace(routes, refresh=refresh, provider=_grants(service, issuer, refresh, id_tokens))


def client_proof(service: Service) -> ClientProof:
    """What every endpoint authenticates applications with."""
    gateway = service.gateway
    return ClientProof(
        database=gateway.database,
        clock=gateway.clock,
        clients=gateway.clients,
        seen_once=gateway.provider.seen_once,
        assertions=jose.assertions(service),
    )


def standing(service: Service) -> TokenStanding:
    """What says whether an access token counts."""
    gateway = service.gateway
    return TokenStanding(
        clients=gateway.clients,
        sessions=gateway.sessions,
        users=gateway.users,
        session_clients=gateway.provider.session_clients,
        revoked_tokens=gateway.provider.revoked_tokens,
    )


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them; the token endpoint itself is the service's own."""
    routes = UserInfoRoutes(userinfo=_userinfo(service), url=f"{service.gateway.settings.provider_issuer}/userinfo")
    for method, described in (("GET", _USERINFO), ("POST", _POST_USERINFO)):
        add_lean(app, "/userinfo", routes.answer, method=method, summary="Claims of a person", operation=described)


def _grants(service: Service, issuer: str, refresh: Refresh, id_tokens: IdTokens) -> ProviderGrants:
    gateway = service.gateway
    store, audit = gateway.provider, refresh.recorder.audit
    granting = Granting(
        randomness=gateway.randomness,
        issuer=refresh.issuer,
        id_tokens=id_tokens,
        users=gateway.users,
        sessions=gateway.sessions,
        refresh_tokens=gateway.refresh_tokens,
        session_clients=store.session_clients,
        seen_once=store.seen_once,
    )
    arrivals = Arrivals(
        randomness=gateway.randomness, recheck=refresh.recheck, recorder=refresh.recorder, ending=refresh.ending
    )
    return ProviderGrants(
        url=f"{issuer}/token",
        prove=client_proof(service),
        proofs=jose.proofs(service),
        redeem_code=RedeemCode(
            database=gateway.database,
            clock=gateway.clock,
            codes=store.codes,
            granting=granting,
            arrivals=arrivals,
            audit=audit,
            lines=refresh.lines,
        ),
        redeem_device=RedeemDevice(
            database=gateway.database,
            clock=gateway.clock,
            device_grants=store.device_grants,
            granting=granting,
            arrivals=arrivals,
            audit=audit,
        ),
        client_tokens=ClientTokens(
            database=gateway.database,
            clock=gateway.clock,
            randomness=gateway.randomness,
            issuer=refresh.issuer,
            codec=id_tokens.codec,
            audit=audit,
            seen_once=store.seen_once,
        ),
    )


def _userinfo(service: Service) -> UserInfo:
    gateway = service.gateway
    return UserInfo(
        bearers=bearers(service),
        standing=standing(service),
        users=gateway.users,
        clients=gateway.clients,
        granted=gateway.refresh_tokens,
    )


def bearers(service: Service) -> Bearers:
    """What reads tokens that are shown to the gateway itself."""
    gateway = service.gateway
    return Bearers(
        database=gateway.database,
        clock=gateway.clock,
        verifier=jose.verifier(service),
        proofs=jose.proofs(service),
        seen_once=gateway.provider.seen_once,
    )


_USERINFO: Schema = operation(
    description="Show the access token in the Authorization header, as Bearer, or as DPoP with a proof when it is "
    "bound to a key. Which claims there are follows from the scope, and from the `claims` parameter.",
    answers={"200": answer("The claims.", "PersonClaims")},
    refusals=("401", "403", "503"),
    takes_token=True,
)
_POST_USERINFO: Schema = {
    **_USERINFO,
    "description": f"{_USERINFO['description']} A bearer's may also stand in a form, as `access_token`.",
    "requestBody": {
        "required": False,
        "content": form_of(optional=("access_token",)),
    },
    "responses": {
        **_USERINFO["responses"],
        **operation(description="", answers={}, refusals=("400", "413"))["responses"],
    },
}
