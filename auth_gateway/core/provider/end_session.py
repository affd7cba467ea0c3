"""Which sign-out an application may ask for, and where the browser goes afterwards. No look-up, no page.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from auth_gateway.core.provider.client import RegisteredClient
from plumbing.refusals import Refused


class EndSessionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Section 2's parameters that we read; "" is "not given"."""

    id_token_hint: str = ""
    client_id: str = ""
    post_logout_redirect_uri: str = ""
    state: str = ""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """Whose session at which application the request is about; from an ID token that we signed."""

    user_id: str
    client_id: str
    session_id: str


def hinted(claims: Mapping[str, Any] | None) -> Hint:
    """What a verified ID token says.

    Raises: Refused `invalid_id_token_hint` when there is none (it was not ours), or one of another shape than we issue.
    """
    found = claims or {}
    told = [found.get(name) for name in ("sub", "aud", "sid")]
    user_id, client_id, session_id = (value if isinstance(value, str) else "" for value in told)
    if not (user_id and client_id and session_id):
        raise Refused("invalid_id_token_hint", "The id_token_hint is not an ID token of ours.", status=400)
    return Hint(user_id=user_id, client_id=client_id, session_id=session_id)


def asking_client_id(request: EndSessionRequest, hint: Hint | None) -> str:
    """Which application asks, "" when the request names none.

    Raises: Refused `invalid_request` when the parameter and the hint name two (section 2).
    """
    if hint is not None and request.client_id and request.client_id != hint.client_id:
        raise Refused("invalid_request", "client_id is not the one that the id_token_hint is for.", status=400)
    return request.client_id if hint is None else hint.client_id


def destination(request: EndSessionRequest, client: RegisteredClient | None) -> str | None:
    """Where the browser goes when it is signed out, with the `state`; None when it stays with us.

    Without an `id_token_hint` the address must still be the application's own, and the person confirms (section 3).

    Raises: Refused `invalid_request` for an address that is not exactly a registered one: an open redirector would lend
    our name to anybody's page.
    """
    address = request.post_logout_redirect_uri
    if not address:
        return None
    if client is None or address not in client.post_logout_redirect_uris:
        raise Refused("invalid_request", "post_logout_redirect_uri is not registered for this application.", status=400)
    if not request.state:
        return address
    joint = "&" if "?" in address else "?"
    return address + joint + urlencode({"state": request.state})
