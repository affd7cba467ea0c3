"""What a resource server is told about a token, and who is told at all.

Source: RFC 7662.
"""

import msgspec

from auth_gateway.core.claims import TOKEN_TYPE
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.tokens import Confirmation, VerifiedToken
from auth_gateway.core.rotation import Presented

DPOP_TOKEN_TYPE = "DPoP"  # noqa: S105 - RFC 9449's name of the scheme


class Introspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer (section 2.2). A token that does not count has `active` alone, whatever the reason."""

    active: bool
    iss: str = ""
    sub: str = ""
    aud: str = ""
    client_id: str = ""
    scope: str = ""
    token_type: str = ""
    exp: int | None = None
    iat: int | None = None
    jti: str = ""
    sid: str = ""
    auth_time: int | None = None
    acr: str = ""
    amr: tuple[str, ...] = ()
    cnf: Confirmation | None = None


INACTIVE = Introspection(active=False)


def may_see(caller: RegisteredClient, *, client_id: str, audience: str) -> bool:
    """Whether this application is told about a token of that client for that audience: its own, those for the API that
    it is registered with, or all. A public one proves nothing, so it is told nothing (section 2.1)."""
    if caller.is_public:
        return False
    is_for_it = caller.audience != "" and caller.audience == audience
    return caller.may_introspect or caller.client_id == client_id or is_for_it


def of_access(token: VerifiedToken, *, issuer: str) -> Introspection:
    """What is told of an access token in force."""
    return Introspection(
        active=True,
        iss=issuer,
        sub=token.sub,
        aud=token.aud,
        client_id=token.client_id,
        scope=token.scope,
        token_type=TOKEN_TYPE if token.jkt is None else DPOP_TOKEN_TYPE,
        exp=token.exp,
        iat=token.iat,
        jti=token.jti,
        sid=token.sid,
        auth_time=token.auth_time,
        acr=token.acr,
        amr=token.amr,
        cnf=None if token.jkt is None else Confirmation(jkt=token.jkt),
    )


def of_refresh(presented: Presented, *, issuer: str) -> Introspection:
    """What is told of a refresh token that could be used now."""
    return Introspection(
        active=True,
        iss=issuer,
        sub=presented.user_id,
        client_id=presented.client_id,
        scope=presented.scope,
        exp=int(min(presented.expires_at, presented.session_expires_at)),
        sid=presented.session_id,
        auth_time=presented.auth_time,
        acr=presented.acr,
        amr=presented.authentication.amr,
        cnf=None if presented.jkt is None else Confirmation(jkt=presented.jkt),
    )
