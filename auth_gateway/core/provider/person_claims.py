"""What an application is told of a person: which claims its scopes and its `claims` parameter open. No account is read
here, and no token made.

Source: OpenID Connect Core 1.0, sections 5.1, 5.4 and 5.5.
"""

from typing import Any, Literal

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.provider.client import RegisteredClient

SCOPE_OF = {"name": "profile", "preferred_username": "profile", "email": "email", "email_verified": "email"}
"""Section 5.4, for the claims that we know."""
CLAIMS_SUPPORTED = ("sub", *SCOPE_OF)

Place = Literal["userinfo", "id_token"]


class ClaimsRequest(msgspec.Struct, frozen=True):
    """The `claims` parameter; how a claim is asked for (essential, a value) does not change what we know of it."""

    userinfo: dict[str, Any] | None = None
    id_token: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(ClaimsRequest)


def named_claims(parameter: str | None, place: Place) -> frozenset[str]:
    """The claims that the parameter names for this place; of one that is no such parameter, none."""
    if parameter is None:
        return frozenset()
    try:
        asked: dict[str, Any] | None = getattr(_decoder.decode(parameter), place)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return frozenset()
    return frozenset(asked or ())


def released(
    account: Account, client: RegisteredClient | None, *, scope: str, named: frozenset[str], by_scope: bool
) -> dict[str, Any]:
    """What is told of the account: what the granted scope opens (`by_scope`), and the `named` claims.

    A claim that is named is opened by its scope. Where the person is never asked it is enough that the client is
    registered for that scope; where they are, they must have granted it, or naming claims would get past them.
    """
    granted = frozenset(scope.split())
    may_name = granted if client is None or client.requires_consent else granted | frozenset(client.scopes)
    return {
        name: value
        for name, value in _known(account).items()
        if (by_scope and SCOPE_OF[name] in granted) or (name in named and SCOPE_OF[name] in may_name)
    }


def _known(account: Account) -> dict[str, Any]:
    known: dict[str, Any] = {"name": account.display_name, "preferred_username": account.username}
    if account.email:
        known |= {"email": account.email, "email_verified": account.email_verified}
    return known
