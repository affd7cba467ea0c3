"""WebAuthn for one relying party. The library judges signatures and what they cover; what it does not look at, or takes
more gladly than we do, is looked at here: pages inside other pages, what a credential may be.
"""

from collections.abc import Sequence
from hashlib import sha256

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

from auth_gateway.adapters.webauthn_answers import read_assertion, read_attestation, read_client_data
from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import (
    Asserted,
    Assertion,
    Attestation,
    Attested,
    Flaw,
    Flawed,
    RelyingParty,
)

TIMEOUT_MILLISECONDS = 300_000
"""Source: WebAuthn level 3, section 15.1: 5 to 10 minutes where users are verified."""
SMALLEST_RSA_BITS = 2048
OFFERED = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]

_USER_PRESENT, _USER_VERIFIED, _BACKUP_ELIGIBLE = 0x01, 0x04, 0x08
_FLAGS_AT, _SMALLEST_AUTHENTICATOR_DATA = 32, 37


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
        return read_assertion(text)

    def read_attestation(self, text: str) -> Attestation | Flawed:
        return read_attestation(text)

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
        said = read_client_data(client_data)
        if said.type != expected_type:
            return "type"
        if said.origin != self._party.origin:
            return "origin"
        if authenticator_data[:_FLAGS_AT] != self._rp_id_hash:
            return "rp_id"
        if not authenticator_data[_FLAGS_AT] & _USER_PRESENT:
            return "user_presence"
        return None


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in passkey.transports.split()]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=transports or None)


def _is_embedded(client_data: bytes) -> bool:
    """Whether the answer was given in a page inside another's: ours are never framed, and the library looks at the
    one mark only to read it (section 7.2, steps 13 and 14)."""
    said = read_client_data(client_data)
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
