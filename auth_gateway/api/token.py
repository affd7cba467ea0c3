"""`POST /token`: every grant of OAuth 2.0 that is served here, as a form (RFC 6749, section 4) or as JSON."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.bodies import MOST_TOKEN_BYTES, TokenBody
from auth_gateway.api.clients import PUBLIC, Registered, calling_client, shown_client
from auth_gateway.api.devices import DeviceCookie
from auth_gateway.api.edge import Edge
from auth_gateway.api.rendering import token_response
from auth_gateway.core.context import PUBLIC_CLIENT_ID, Client, LoginContext
from auth_gateway.core.provider.client import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    RegisteredClient,
)
from auth_gateway.flows.answers import InvalidGrant, SessionEnded, TokenAnswer
from auth_gateway.flows.places import Places
from auth_gateway.flows.provider.client_proof import ClientProof, invalid_client
from auth_gateway.flows.provider.client_tokens import ClientTokens
from auth_gateway.flows.provider.ports import Proof, ProofChecker
from auth_gateway.flows.provider.redeem import RedeemCode, RedeemDevice
from auth_gateway.flows.refresh import Refresh
from plumbing.bodies import decode, is_form, parse_form, read_body, require_json
from plumbing.clock import Clock
from plumbing.refusals import Refused

# Anybody may send junk here: one turn of the event loop looks at no more than this, and logins have their turn between.
MOST_AT_ONCE = 64

_decoder = msgspec.json.Decoder(TokenBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderGrants:
    """What a provider serves here beside refreshes; `url` is the published address, which proofs are made for."""

    url: str
    prove: ClientProof
    proofs: ProofChecker
    redeem_code: RedeemCode
    redeem_device: RedeemDevice
    client_tokens: ClientTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRoutes:
    """The token endpoint. Without `provider` it refreshes what `/login` gave, and nothing else."""

    refresh: Refresh
    registered: Registered
    edge: Edge
    devices: DeviceCookie
    clock: Clock
    wake_delivery: Callable[[], None]
    provider: ProviderGrants | None = None
    places: Places = field(default_factory=lambda: Places(MOST_AT_ONCE))

    async def post_token(self, request: Request) -> Response:
        """The tokens of one grant.

        A place is taken when the whole request is here, or slow senders would hold them all; and one turn of the loop
        is waited with it, because what junk costs is work that never waits: without the turn each would come alone.

        Raises: Refused `busy` (503, Retry-After) at once when there is no place.
        """
        raw = await _raw(request)
        with self.places.one():
            await asyncio.sleep(0)
            return await self._granted(request, raw)

    async def _granted(self, request: Request, raw: bytes) -> Response:
        provider = self.provider
        if provider is None:
            client: Client = calling_client(request, self.registered)
            body = _body(request, raw)
        else:
            body = _body(request, raw)
            client = await _client(request, body, provider)
        grant_type = body.grant_type
        if not grant_type:
            raise _invalid("grant_type is missing.")
        if grant_type == REFRESH_TOKEN:
            answer: TokenAnswer = await self._refreshed(request, body, client)
        elif provider is not None and grant_type in _OF_A_PROVIDER:
            answer = await self._issued(request, body, client, provider)
        else:
            raise Refused("unsupported_grant_type", "This grant type is not supported here.", status=400)
        if isinstance(answer, SessionEnded) or (isinstance(answer, InvalidGrant) and answer.verdict == "reused"):
            self.wake_delivery()
        return token_response(answer, grant_type=grant_type)

    async def _refreshed(self, request: Request, body: TokenBody, client: Client) -> TokenAnswer:
        if not body.refresh_token:
            raise _invalid("refresh_token is missing.")
        # Who may log people in by `/login` may refresh what that gives.
        if isinstance(client, RegisteredClient) and not client.may_log_in:
            _require(client, REFRESH_TOKEN)
        proof = _proof(request, client, self.provider, now=self.clock.now())
        context = self._context(request, body, client)
        return await self.refresh(body.refresh_token, client, context, scope=body.scope, proof=proof)

    async def _issued(self, request: Request, body: TokenBody, client: Client, provider: ProviderGrants) -> TokenAnswer:
        if not isinstance(client, RegisteredClient):
            raise invalid_client()
        _require(client, body.grant_type)
        proof = _proof(request, client, provider, now=self.clock.now())
        if body.grant_type == CLIENT_CREDENTIALS:
            return await provider.client_tokens(client, scope=body.scope, proof=proof)
        if body.grant_type == DEVICE_CODE:
            if not body.device_code:
                raise _invalid("device_code is missing.")
            context = self._context(request, body, client)
            return await provider.redeem_device(body.device_code, client, context, proof=proof)
        if not (body.code and body.redirect_uri and body.code_verifier):
            raise _invalid("code, redirect_uri and code_verifier are needed.")
        return await provider.redeem_code(
            body.code,
            client,
            self._context(request, body, client),
            redirect_uri=body.redirect_uri,
            code_verifier=body.code_verifier,
            proof=proof,
        )

    def _context(self, request: Request, body: TokenBody, client: Client) -> LoginContext:
        try:
            device_id = self.devices.known_id(request)
            return self.edge.context(request, body, client=client, device_id=device_id, now=self.clock.now())
        except Refused as refused:
            raise _invalid(refused.message) from None


_OF_A_PROVIDER = frozenset({AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE})


async def _client(request: Request, body: TokenBody, provider: ProviderGrants) -> Client:
    """The application that proves itself, or the public first-party client, which has no registration."""
    shown = shown_client(request, body)
    if shown is None or (shown.client_id == PUBLIC_CLIENT_ID and shown.method == "none"):
        return PUBLIC
    return await provider.prove(shown)


def _require(client: RegisteredClient, grant_type: str | None) -> None:
    if grant_type not in client.grant_types:
        raise Refused("unauthorized_client", "This client may not use this grant type.", status=400)


def _proof(request: Request, client: Client, provider: ProviderGrants | None, *, now: float) -> Proof | None:
    """The key that the tokens will be bound to, None when none was shown.

    Raises: Refused `invalid_dpop_proof` (400), also for a client that must show one.
    """
    if provider is None:
        return None
    if "dpop" in request.headers:
        return provider.proofs.check(request.headers.getlist("dpop"), method="POST", url=provider.url, now=now)
    if isinstance(client, RegisteredClient) and client.dpop_bound_access_tokens:
        raise Refused("invalid_dpop_proof", "This client must show a DPoP proof.", status=400)
    return None


async def _raw(request: Request) -> bytes:
    try:
        return await read_body(request, max_bytes=MOST_TOKEN_BYTES)
    except Refused as refused:
        raise _as_oauth(refused) from None


def _body(request: Request, raw: bytes) -> TokenBody:
    """The request's fields; what is no request at all is `invalid_request`, the one word OAuth has for it."""
    try:
        if is_form(request):
            fields = parse_form(raw)
            return msgspec.convert(fields, TokenBody, strict=False)
        require_json(request)
        return decode(_decoder, raw)
    except msgspec.ValidationError:
        raise _invalid("A field of the form has a value that it does not take.") from None
    except Refused as refused:
        raise _as_oauth(refused) from None


def _as_oauth(refused: Refused) -> Refused:
    return _invalid(refused.message) if refused.status in {400, 422} else refused


def _invalid(message: str) -> Refused:
    """Source: RFC 6749, section 5.2."""
    return Refused("invalid_request", message, status=400)
