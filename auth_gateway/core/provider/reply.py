"""How an authorization request is answered: a code or an error that travels back by way of the browser, or a page for
the person, when it is not known where back is. Values only.
"""

from collections.abc import Sequence

import msgspec

from auth_gateway.core.provider.authorization import AuthorizationRequest
from auth_gateway.core.provider.client import RegisteredClient

Parameters = Sequence[tuple[str, str]]
"""A request's parameters in the order they came, repeated names and all."""


class CodeReply(msgspec.Struct, frozen=True, kw_only=True):
    """The application gets its code (RFC 6749, section 4.1.2)."""

    redirect_uri: str
    state: str | None
    code: str


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The application is told an error (section 4.1.2.1); `description` repeats nothing of the request."""

    redirect_uri: str
    state: str | None
    error: str
    description: str


class BackToAccount(msgspec.Struct, frozen=True):
    """The person goes on to the account's `page`."""

    page: str


class ErrorPage(msgspec.Struct, frozen=True, kw_only=True):
    """The person is told, for nobody knows whether the address to go back to is the application's."""

    error: str
    description: str


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has passed every check of its form."""

    request: AuthorizationRequest
    client: RegisteredClient


Reply = CodeReply | ErrorReply
Reading = Understood | ErrorReply | ErrorPage


def refused(request: AuthorizationRequest, error: str, description: str) -> ErrorReply:
    """The error that goes back for this request."""
    return ErrorReply(redirect_uri=request.redirect_uri, state=request.state, error=error, description=description)
