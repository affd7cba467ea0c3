"""The grammar of an authorization request, read with Authlib's protocol core and answered in values of ours.

State, sessions and codes are none of its business (docs/decisions/0013). What Authlib would repeat in an error text is
checked before it looks, for its errors refuse characters that a stranger may send, and ours repeat nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode

from auth_gateway.adapters.provider.wishes import Unreadable, authorization_request
from auth_gateway.core.provider.client import AUTHORIZATION_CODE, RegisteredClient
from auth_gateway.core.provider.reply import (
    CodeReply,
    ErrorPage,
    ErrorReply,
    Parameters,
    Reading,
    Reply,
    Understood,
)
from auth_gateway.flows.provider.ports import ClientFinder

IdTokenHint = Callable[[str], Mapping[str, Any] | None]

# Whether a connection is safe is judged where it ends, and not by Authlib, which reads the environment for it.
_ADDRESS: Final = "https://localhost/authorize"
_LOOPBACK: Final = ("127.0.0.1", "::1")
_NOT_SUPPORTED: Final = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
_TEXTS: Final = {
    "invalid_request": "A parameter is missing, repeated or has a value that is not allowed.",
    "invalid_scope": "No scope that this application may ask for was asked for.",
    "unauthorized_client": "This application is not registered for the authorization code grant.",
    "unsupported_response_type": "response_type must be code.",
    "request_not_supported": "Request objects are not supported.",
    "request_uri_not_supported": "Only a request_uri of the pushed authorization request endpoint is supported.",
    "registration_not_supported": "Registration by the request is not supported.",
}
_SOMEBODY: Final = object()
"""Authlib asks whether anybody is signed in to judge `prompt`; that is decided later, by `core.provider.journey`."""


class AuthorizationGrammar:
    """Reads authorization requests, and writes the addresses that they are answered at."""

    def __init__(self, *, issuer: str, find_client: ClientFinder, id_token_hint: IdTokenHint) -> None:
        self._find_client = find_client
        self._id_token_hint = id_token_hint
        self._server = _Server(find_client)
        self._issuer = issuer

    def read(self, parameters: Parameters) -> Reading:
        """The request, or what is wrong with it; an error goes back to the application only when both it and the
        address are known good.

        Source: RFC 6749, sections 4.1.1 and 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2; RFC 7636, section 4.3.
        """
        given = dict(parameters)
        names = [name for name, _ in parameters]
        client = self._find_client(given.get("client_id", "")) if names.count("client_id") == 1 else None
        if client is None:
            return ErrorPage(error="invalid_client", description="The application that sent you here is not known.")
        redirect_uri = given.get("redirect_uri", "")
        if names.count("redirect_uri") != 1 or not is_registered(client, redirect_uri):
            text = "The application that sent you here gave an address to return to that is not registered."
            return ErrorPage(error="invalid_request", description=text)
        state = given.get("state") if names.count("state") == 1 else None
        try:
            self._check(parameters, given)
            request = authorization_request(given, client, self._id_token_hint)
        except Unreadable as wrong:
            return ErrorReply(redirect_uri=redirect_uri, state=state, error=wrong.error, description=wrong.text)
        return Understood(request=request, client=client)

    def address(self, reply: Reply) -> str:
        """Where the browser goes with the reply; `iss` says whose it is (RFC 9207)."""
        params = [("code", reply.code)] if isinstance(reply, CodeReply) else _error(reply)
        if reply.state is not None:
            params.append(("state", reply.state))
        params.append(("iss", self._issuer))
        # The registered address stays as it is, letter by letter: Authlib would encode its query anew.
        return f"{reply.redirect_uri}{'&' if '?' in reply.redirect_uri else '?'}{urlencode(params)}"

    def _check(self, parameters: Parameters, given: Mapping[str, str]) -> None:
        """
        Raises: Unreadable.
        """
        if len(given) != len(parameters):  # RFC 6749, section 3.1: no parameter more than once
            raise Unreadable("invalid_request", "A parameter is given more than once.")
        for name, error in _NOT_SUPPORTED.items():
            if given.get(name):
                raise Unreadable(error, _TEXTS[error])
        if not given.get("response_type"):
            raise Unreadable("invalid_request", "response_type is missing.")
        if given["response_type"] != "code":
            raise Unreadable("unsupported_response_type", _TEXTS["unsupported_response_type"])
        if given.get("response_mode", "query") != "query":
            raise Unreadable("invalid_request", "response_mode must be query.")
        request = _Request("GET", _ADDRESS)
        request.payload = BasicOAuth2Payload(given)
        try:
            self._server.get_consent_grant(request, end_user=_SOMEBODY)
        except OAuth2Error as wrong:
            error = str(wrong.error)
            raise Unreadable(error, _TEXTS.get(error, _TEXTS["invalid_request"])) from None


def is_registered(client: RegisteredClient, redirect_uri: str) -> bool:
    """Whether this is one of the client's addresses, letter by letter; only the port of an application that listens
    on its own machine is free, since the system picks it.

    Source: RFC 9700, section 2.1; RFC 8252, section 7.3.
    """
    if redirect_uri in client.redirect_uris:
        return redirect_uri != ""
    if client.application_type != "native":
        return False
    portless = _without_port(redirect_uri)
    return portless is not None and any(portless == _without_port(uri) for uri in client.redirect_uris)


def _without_port(uri: str) -> str | None:
    """A loopback address without its port; None for anything else, or when anything else hides in it."""
    try:
        parts = urlsplit(uri)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if parts.scheme != "http" or host not in _LOOPBACK or not uri.isascii() or not uri.isprintable():
        return None
    shown = f"[{host}]" if ":" in host else host
    if parts.netloc != (shown if port is None else f"{shown}:{port}"):
        return None
    return uri.replace(parts.netloc, shown, 1)


def _error(reply: ErrorReply) -> list[tuple[str, str]]:
    return [("error", reply.error), ("error_description", reply.description)]


class _Request(OAuth2Request):  # type: ignore[misc] # Authlib publishes no types
    """A request whose parameters are already here."""


class _Client(ClientMixin):  # type: ignore[misc]
    """A registration as Authlib asks about it."""

    def __init__(self, client: RegisteredClient) -> None:
        self.client_id = client.client_id
        self._client = client

    def get_default_redirect_uri(self) -> None:
        """OpenID Connect has none: the address is always said."""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return is_registered(self._client, redirect_uri)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and AUTHORIZATION_CODE in self._client.grant_types

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is unknown is dropped; None, an error, when nothing is left."""
        return self._client.allowed_scope(scope or "") or None


class _OpenId(OpenIDCode):  # type: ignore[misc]
    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        """A nonce is its client's own matter here: it is tied to the code, and that is spent once."""
        return False


class _Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server as a reader of requests: it issues nothing and keeps nothing."""

    def __init__(self, find_client: ClientFinder) -> None:
        super().__init__()
        self._find = find_client
        self.register_grant(AuthorizationCodeGrant, [CodeChallenge(required=True), _OpenId(require_nonce=False)])

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def query_client(self, client_id: str) -> _Client | None:
        client = self._find(client_id)
        return None if client is None else _Client(client)
