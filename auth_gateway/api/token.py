"""`POST /token`: the refresh grant of OAuth 2.0, as a form (RFC 6749, section 6) or as JSON."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.bodies import MOST_TOKEN_BYTES, TokenBody
from auth_gateway.api.clients import Registered, calling_client
from auth_gateway.api.devices import DeviceCookie
from auth_gateway.api.edge import Edge
from auth_gateway.api.rendering import token_response
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.flows.answers import SessionEnded
from auth_gateway.flows.places import Places
from auth_gateway.flows.refresh import Refresh
from plumbing.bodies import decode, parse_form, read_body, require_json
from plumbing.clock import Clock
from plumbing.refusals import Refused

FORM_TYPE = "application/x-www-form-urlencoded"
# Anybody may send junk here: one turn of the event loop looks at no more than this, and logins have their turn between.
MOST_AT_ONCE = 64

_decoder = msgspec.json.Decoder(TokenBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRoutes:
    """The token endpoint."""

    refresh: Refresh
    registered: Registered
    edge: Edge
    devices: DeviceCookie
    clock: Clock
    wake_delivery: Callable[[], None]
    places: Places = field(default_factory=lambda: Places(MOST_AT_ONCE))

    async def post_token(self, request: Request) -> Response:
        """The next pair of tokens for a refresh token.

        A place is taken when the whole request is here, or slow senders would hold them all; and one turn of the loop
        is waited with it, because what junk costs is work that never waits: without the turn each would come alone.

        Raises: Refused `busy` (503, Retry-After) at once when there is no place.
        """
        raw = await _raw(request)
        with self.places.one():
            await asyncio.sleep(0)
            return await self._refreshed(request, raw)

    async def _refreshed(self, request: Request, raw: bytes) -> Response:
        client = calling_client(request, self.registered)
        body = _body(request, raw)
        if body.grant_type is None:
            raise _invalid("grant_type is missing.")
        if body.grant_type != "refresh_token":
            raise Refused("unsupported_grant_type", "This grant type is not supported here.", status=400)
        if not body.refresh_token:
            raise _invalid("refresh_token is missing.")
        answer = await self.refresh(body.refresh_token, client, self._context(request, body, client))
        if isinstance(answer, SessionEnded):
            self.wake_delivery()
        return token_response(answer)

    def _context(self, request: Request, body: TokenBody, client: Client) -> LoginContext:
        try:
            device_id = self.devices.known_id(request)
            return self.edge.context(request, body, client=client, device_id=device_id, now=self.clock.now())
        except Refused as refused:
            raise _invalid(refused.message) from None


async def _raw(request: Request) -> bytes:
    try:
        return await read_body(request, max_bytes=MOST_TOKEN_BYTES)
    except Refused as refused:
        raise _as_oauth(refused) from None


def _body(request: Request, raw: bytes) -> TokenBody:
    """The request's fields; what is no request at all is `invalid_request`, the one word OAuth has for it."""
    try:
        if _is_form(request):
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


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower() == FORM_TYPE


def _invalid(message: str) -> Refused:
    """Source: RFC 6749, section 5.2."""
    return Refused("invalid_request", message, status=400)
