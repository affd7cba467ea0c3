"""Passkeys' answers as a form brings them, read to the letter and without belief."""

import re
from base64 import urlsafe_b64decode
from typing import TypeVar

import msgspec
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.structs import AuthenticatorTransport

from auth_gateway.core.passkey_ceremony import LONGEST_CREDENTIAL_ID, Assertion, Attestation, Flawed

LONGEST_ANSWER = 16_384

T = TypeVar("T")

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}


class ClientData(msgspec.Struct, frozen=True):
    """What the browser says of the page that asked (section 5.8.1); `topOrigin` is the page around it."""

    type: str
    challenge: str
    origin: str
    crossOrigin: bool = False  # noqa: N815 - the standard's own name
    topOrigin: str | None = None  # noqa: N815


class _AssertionAnswer(msgspec.Struct, frozen=True):
    clientDataJSON: str  # noqa: N815
    authenticatorData: str  # noqa: N815
    signature: str
    userHandle: str | None = None  # noqa: N815


class _AttestationAnswer(msgspec.Struct, frozen=True):
    clientDataJSON: str  # noqa: N815
    attestationObject: str  # noqa: N815
    transports: list[str] = []


class _AssertionForm(msgspec.Struct, frozen=True):
    id: str
    rawId: str  # noqa: N815
    type: str
    response: _AssertionAnswer


class _AttestationForm(msgspec.Struct, frozen=True):
    id: str
    rawId: str  # noqa: N815
    type: str
    response: _AttestationAnswer


_assertion_decoder = msgspec.json.Decoder(_AssertionForm)
_attestation_decoder = msgspec.json.Decoder(_AttestationForm)
_client_data_decoder = msgspec.json.Decoder(ClientData)


def read_client_data(client_data: bytes) -> ClientData:
    """What the browser said.

    Raises: ValueError; not for what was read before.
    """
    return _client_data_decoder.decode(client_data)


def read_assertion(text: str) -> Assertion | Flawed:
    """The answer to a request. Never raises, whatever is sent."""
    try:
        form = _read(_assertion_decoder, text)
        answer = form.response
        client_data = _bytes(answer.clientDataJSON)
        return Assertion(
            credential_id=_credential_id(form),
            client_data=client_data,
            authenticator_data=_bytes(answer.authenticatorData),
            signature=_bytes(answer.signature),
            user_handle=None if answer.userHandle is None else _bytes(answer.userHandle),
            challenge=_bytes(read_client_data(client_data).challenge),
        )
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeError are ValueErrors
        return Flawed(flaw="malformed")


def read_attestation(text: str) -> Attestation | Flawed:
    """A new credential. Never raises, whatever is sent."""
    try:
        form = _read(_attestation_decoder, text)
        client_data = _bytes(form.response.clientDataJSON)
        return Attestation(
            credential_id=_credential_id(form),
            client_data=client_data,
            attestation_object=_bytes(form.response.attestationObject),
            transports=tuple(sorted(_TRANSPORTS & set(form.response.transports))),
            challenge=_bytes(read_client_data(client_data).challenge),
        )
    except (ValueError, RecursionError):
        return Flawed(flaw="malformed")


def _read(decoder: msgspec.json.Decoder[T], text: str) -> T:
    if len(text) > LONGEST_ANSWER:
        raise ValueError("longer than any answer")
    return decoder.decode(text)


def _credential_id(form: _AssertionForm | _AttestationForm) -> bytes:
    if form.type != "public-key" or form.id != form.rawId or not form.id:
        raise ValueError("no credential of a public key")
    credential_id = _bytes(form.rawId)
    if len(credential_id) > LONGEST_CREDENTIAL_ID:
        raise ValueError("longer than a credential's id may be")
    return credential_id


def _bytes(text: str) -> bytes:
    """The library's own decoder passes over what is no base64url; two texts must not be one credential."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise ValueError("not base64url")
    found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if bytes_to_base64url(found) != text:
        raise ValueError("not base64url as anybody writes it")
    return found
