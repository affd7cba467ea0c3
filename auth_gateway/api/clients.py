"""Which application is calling: what a request shows of it. What it may do is written in its registration, never in the
request.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import unquote_plus

from starlette.requests import Request

from auth_gateway.core.context import PUBLIC_CLIENT_ID, Client
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.flows.provider.client_proof import ASSERTION_TYPE, ClientProof, Shown, invalid_client
from plumbing.credentials import digest
from plumbing.refusals import Refused

# Id and SHA-256 of the secret → the registered client, None when there is no such pair.
Registered = Callable[[str, bytes], Client | None]

PUBLIC = Client(client_id=PUBLIC_CLIENT_ID)


class ClientFields(Protocol):
    """What a body may say of its client."""

    @property
    def client_id(self) -> str | None: ...

    @property
    def client_secret(self) -> str | None: ...

    @property
    def client_assertion(self) -> str | None: ...

    @property
    def client_assertion_type(self) -> str | None: ...


class FormFields:
    """The same of a form."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.client_id = form.get("client_id")
        self.client_secret = form.get("client_secret")
        self.client_assertion = form.get("client_assertion")
        self.client_assertion_type = form.get("client_assertion_type")


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


async def proven_client(request: Request, fields: ClientFields, prove: ClientProof) -> RegisteredClient:
    """The registered application that calls an endpoint which serves no others.

    Raises: Refused `invalid_client` (401); 503 when the storage cannot remember its assertion.
    """
    shown = shown_client(request, fields)
    if shown is None:
        raise invalid_client()
    return await prove(shown)


def shown_client(request: Request, fields: ClientFields) -> Shown | None:
    """What the request shows of its client, None when it shows nothing at all.

    Raises: Refused `invalid_client` (401) for more than one way to prove it, or a way that nobody is registered with:
    two readers could each believe another one of them (RFC 6749, section 2.3).
    """
    headers = request.headers.getlist("authorization")
    # A parameter without a value is one that was left out (RFC 6749, section 3.2).
    assertion, client_id = fields.client_assertion or None, fields.client_id or None
    if fields.client_secret or len(headers) + (assertion is not None) > 1:
        raise invalid_client(tried_basic=bool(headers))
    if headers:
        pair = _basic_pair(headers[0])
        if pair is None or (client_id is not None and client_id != pair[0]):
            raise invalid_client(tried_basic=True)
        return Shown(client_id=pair[0], secret_digest=digest(pair[1]))
    if assertion is not None:
        if fields.client_assertion_type != ASSERTION_TYPE:
            raise invalid_client()
        return Shown(client_id=client_id, assertion=assertion)
    return None if client_id is None else Shown(client_id=client_id)


def require_may_log_in(client: Client) -> None:
    """People give their passwords to an application's own page only where it is registered for that.

    Raises: Refused `unauthorized_client` (403).
    """
    if isinstance(client, RegisteredClient) and not client.may_log_in:
        raise Refused("unauthorized_client", "This client may not take people's passwords.", status=403)


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
