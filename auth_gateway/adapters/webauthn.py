"""WebAuthn for one relying party. The library judges signatures and what they cover; what it does not look at, or takes
more gladly than we do, is looked at here: base64url to the letter, pages inside other pages, what a credential may be.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import (
    LONGEST_CREDENTIAL_ID,
    Asserted,
    Assertion,
    Attestation,
    Attested,
    Flaw,
    Flawed,
    RelyingParty,
)

T = TypeVar("T")

TIMEOUT_MILLISECONDS = 300_000
"""Source: WebAuthn level 3, section 15.1: 5 to 10 minutes where users are verified."""
LONGEST_ANSWER = 16_384
SMALLEST_RSA_BITS = 2048
OFFERED = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_USER_PRESENT, _USER_VERIFIED, _BACKUP_ELIGIBLE = 0x01, 0x04, 0x08
_FLAGS_AT, _SMALLEST_AUTHENTICATOR_DATA = 32, 37
_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}


class _ClientData(msgspec.Struct, frozen=True):
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
_client_data_decoder = msgspec.json.Decoder(_ClientData)


class WebAuthnLibrary:
    """WebAuthn as `webauthn` (py_webauthn) knows it."""

    def __init__(self, party: RelyingParty) -> None:
        self._party = party
        self._rp_id_hash = sha256(party.rp_id.encode()).digest()

    def creation_options(
        self, *, challenge: bytes, user_handle: bytes, username: str, display_name: str, registered: Sequence[Passkey]
    ) -> str:
        options = generate_registration_options(
            rp_id=self._party.rp_id,
            rp_name=self._party.name,
            user_name=username,
            user_id=user_handle,
            user_display_name=display_name,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=[_descriptor(passkey) for passkey in registered],
            supported_pub_key_algs=OFFERED,
        )
        return options_to_json(options)

    def request_options(self, *, challenge: bytes, allowed: Sequence[Passkey], must_verify_user: bool) -> str:
        verification = (
            UserVerificationRequirement.REQUIRED if must_verify_user else UserVerificationRequirement.PREFERRED
        )
        options = generate_authentication_options(
            rp_id=self._party.rp_id,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            allow_credentials=[_descriptor(passkey) for passkey in allowed],
            user_verification=verification,
        )
        return options_to_json(options)

    def read_assertion(self, text: str) -> Assertion | Flawed:
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
                challenge=_bytes(_client_data_decoder.decode(client_data).challenge),
            )
        except (ValueError, RecursionError):  # msgspec's errors and UnicodeError are ValueErrors
            return Flawed(flaw="malformed")

    def read_attestation(self, text: str) -> Attestation | Flawed:
        try:
            form = _read(_attestation_decoder, text)
            client_data = _bytes(form.response.clientDataJSON)
            return Attestation(
                credential_id=_credential_id(form),
                client_data=client_data,
                attestation_object=_bytes(form.response.attestationObject),
                transports=tuple(sorted(_TRANSPORTS & set(form.response.transports))),
                challenge=_bytes(_client_data_decoder.decode(client_data).challenge),
            )
        except (ValueError, RecursionError):
            return Flawed(flaw="malformed")

    def verify_assertion(self, assertion: Assertion, passkey: Passkey, *, must_verify_user: bool) -> Asserted | Flawed:
        if _is_embedded(assertion.client_data):
            return Flawed(flaw="cross_origin")
        signed = assertion.authenticator_data
        try:
            verified = self._verified(assertion, passkey, must_verify_user=must_verify_user)
        except Exception:  # whatever the library meets in a stranger's bytes, it is a refusal
            if len(signed) < _SMALLEST_AUTHENTICATOR_DATA:
                return Flawed(flaw="malformed")
            named = self._named(assertion.client_data, signed, expected_type="webauthn.get")
            is_unverified = must_verify_user and not signed[_FLAGS_AT] & _USER_VERIFIED
            return Flawed(flaw=named or ("user_verification" if is_unverified else "signature"))
        is_backup_eligible = bool(signed[_FLAGS_AT] & _BACKUP_ELIGIBLE)
        if is_backup_eligible != passkey.is_backup_eligible:  # fixed for ever when it is made (section 6.1.3)
            return Flawed(flaw="backup_eligibility")
        return Asserted(
            sign_count=verified.new_sign_count,
            is_user_verified=verified.user_verified,
            is_backed_up=verified.credential_backed_up,
        )

    def verify_attestation(self, attestation: Attestation) -> Attested | Flawed:
        if _is_embedded(attestation.client_data):
            return Flawed(flaw="cross_origin")
        try:
            stated = parse_attestation_object(attestation.attestation_object)
        except Exception:  # the same
            return Flawed(flaw="malformed")
        made = stated.auth_data.attested_credential_data
        if made is None or made.credential_id != attestation.credential_id:
            return Flawed(flaw="malformed")
        # We ask for none, and a browser then leaves at most a key's own signature on itself (section 5.1.3).
        if stated.fmt not in (AttestationFormat.NONE, AttestationFormat.PACKED) or stated.att_stmt.x5c:
            return Flawed(flaw="attestation")
        if not _is_offered(made.credential_public_key):
            return Flawed(flaw="algorithm")
        try:
            return self._made(attestation)
        except Exception:  # the same
            signed = stated.auth_data.rp_id_hash + bytes((_USER_PRESENT if stated.auth_data.flags.up else 0,))
            named = self._named(attestation.client_data, signed, expected_type="webauthn.create")
            return Flawed(flaw=named or "attestation")

    def _verified(self, assertion: Assertion, passkey: Passkey, *, must_verify_user: bool) -> VerifiedAuthentication:
        answer = AuthenticatorAssertionResponse(
            client_data_json=assertion.client_data,
            authenticator_data=assertion.authenticator_data,
            signature=assertion.signature,
            user_handle=assertion.user_handle,
        )
        return verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(assertion.credential_id), raw_id=assertion.credential_id, response=answer
            ),
            expected_challenge=assertion.challenge,
            expected_rp_id=self._party.rp_id,
            expected_origin=self._party.origin,
            credential_public_key=passkey.public_key,
            # The library would look at the counter before the signature: a forged one could accuse the owner's key.
            credential_current_sign_count=0,
            require_user_verification=must_verify_user,
        )

    def _made(self, attestation: Attestation) -> Attested:
        answer = AuthenticatorAttestationResponse(
            client_data_json=attestation.client_data, attestation_object=attestation.attestation_object
        )
        made = verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(attestation.credential_id), raw_id=attestation.credential_id, response=answer
            ),
            expected_challenge=attestation.challenge,
            expected_rp_id=self._party.rp_id,
            expected_origin=self._party.origin,
            supported_pub_key_algs=OFFERED,
        )
        return Attested(
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            aaguid=made.aaguid,
            transports=attestation.transports,
            is_backup_eligible=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            is_backed_up=made.credential_backed_up,
        )

    def _named(self, client_data: bytes, authenticator_data: bytes, *, expected_type: str) -> Flaw | None:
        """What the library refused, in a word; None when everything that can be read is right."""
        said = _client_data_decoder.decode(client_data)
        if said.type != expected_type:
            return "type"
        if said.origin != self._party.origin:
            return "origin"
        if authenticator_data[:_FLAGS_AT] != self._rp_id_hash:
            return "rp_id"
        if not authenticator_data[_FLAGS_AT] & _USER_PRESENT:
            return "user_presence"
        return None


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


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in passkey.transports.split()]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=transports or None)


def _is_embedded(client_data: bytes) -> bool:
    """Whether the answer was given in a page inside another's: ours are never framed, and the library looks at the
    one mark only to read it (section 7.2, steps 13 and 14)."""
    said = _client_data_decoder.decode(client_data)
    return said.crossOrigin or said.topOrigin is not None


def _is_offered(public_key: bytes) -> bool:
    """Whether the key is of a kind that was asked for, with a curve and a length that go with it (section 5.8.5)."""
    try:
        decoded = decode_credential_public_key(public_key)
        key = decoded_public_key_to_cryptography(decoded)
    except Exception:  # whatever the library meets in a stranger's bytes, it is no key
        return False
    if isinstance(key, EllipticCurvePublicKey):
        return decoded.alg == COSEAlgorithmIdentifier.ECDSA_SHA_256 and isinstance(key.curve, SECP256R1)
    if isinstance(key, RSAPublicKey):
        return decoded.alg == COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256 and key.key_size >= SMALLEST_RSA_BITS
    return decoded.alg == COSEAlgorithmIdentifier.EDDSA
