"""Which application is calling. What it may do is written in its registration, never in the request."""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import unquote_plus

from starlette.requests import Request

from auth_gateway.core.context import Client
from plumbing.credentials import digest
from plumbing.refusals import Refused

# Id and SHA-256 of the secret → the registered client, None when there is no such pair.
Registered = Callable[[str, bytes], Client | None]

PUBLIC = Client(client_id="public")


def calling_client(request: Request, registered: Registered) -> Client:
    """The client that proves itself by HTTP Basic, or the public one when nobody tries to.

    Raises: Refused `invalid_client` (401); a wrong secret never falls back to being anonymous, or an application with
    a stale secret would go on without its rights and nobody would notice.
    """
    header = request.headers.get("authorization")
    if header is None:
        return PUBLIC
    pair = _basic_pair(header)
    client = registered(pair[0], digest(pair[1])) if pair is not None else None
    if client is None:
        raise Refused(
            "invalid_client",
            "The client is unknown or its secret is wrong.",
            status=401,
            headers={"www-authenticate": 'Basic realm="clients", charset="UTF-8"'},
        )
    return client


def _basic_pair(header: str) -> tuple[str, str] | None:
    """Id and secret, both form-encoded inside the header.

    Source: RFC 7617 section 2; RFC 6749 section 2.3.1.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        pair = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        return None
    return pair if colon else None
