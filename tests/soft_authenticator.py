"""An authenticator in software that a test can make lie: it signs whatever it is told, with a real key."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def text_of(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class SoftAuthenticator:
    """One credential and the browser around it; `replace` makes it lie in one point."""

    origin: str
    rp_id: str
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = b"credential-0"
    flags: int = PRESENT | VERIFIED
    count: int = 1
    user_handle: bytes | None = None
    alg: int | None = None
    certificates: list[bytes] | None = None
    """A maker's, where it says what it is; an empty list is its own word for it."""
    client_data: dict[str, Any] = field(default_factory=dict)
    """What the browser says besides, or instead of, the truth."""

    def but(self, **changed: Any) -> "SoftAuthenticator":
        return replace(self, **changed)

    def create(self, options: str, **changed: Any) -> str:
        """The answer to creation options, as a page sends it."""
        asked = json.loads(options)
        data = self._signed(ATTESTED) + bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id
        data, said = data + self.cose(), self._said("webauthn.create", asked["challenge"])
        statement: dict[str, Any] = {"fmt": "none", "attStmt": {}, "authData": data, **changed}
        if self.certificates is not None:  # by its own key, or with the word of a maker whose key is the same
            signed = {"alg": -7, "sig": self._signature(data + sha256(said).digest())}
            statement |= {
                "fmt": "packed",
                "attStmt": signed | ({"x5c": self.certificates} if self.certificates else {}),
            }
        response = {
            "clientDataJSON": text_of(said),
            "attestationObject": text_of(encode_cbor(statement)),
            "transports": ["internal"],
        }
        return self._form(response)

    def get(self, options: str, **changed: Any) -> str:
        """The answer to request options, as a page sends it; `changed` replaces parts of it after the signature."""
        asked = json.loads(options)
        data, said = self._signed(), self._said("webauthn.get", asked["challenge"])
        response: dict[str, Any] = {
            "clientDataJSON": text_of(said),
            "authenticatorData": text_of(data),
            "signature": text_of(self._signature(data + sha256(said).digest())),
        }
        if self.user_handle is not None:
            response["userHandle"] = text_of(self.user_handle)
        return self._form(response | changed)

    def cose(self) -> bytes:
        """The public key as authenticators write it (RFC 9053)."""
        key = self.key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            numbers, curve = key.public_key().public_numbers(), {"secp256r1": 1, "secp384r1": 2}[key.curve.name]
            size = (key.key_size + 7) // 8
            x, y = numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
            return bytes(encode_cbor({1: 2, 3: self.alg or -7, -1: curve, -2: x, -3: y}))
        if isinstance(key, rsa.RSAPrivateKey):
            public = key.public_key().public_numbers()
            modulus = public.n.to_bytes(key.key_size // 8, "big")
            return bytes(encode_cbor({1: 3, 3: self.alg or -257, -1: modulus, -2: public.e.to_bytes(3, "big")}))
        return bytes(encode_cbor({1: 1, 3: self.alg or -8, -1: 6, -2: key.public_key().public_bytes_raw()}))

    def _signed(self, more: int = 0) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes((self.flags | more,)) + self.count.to_bytes(4, "big")

    def _said(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.client_data).encode()

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(signed, ec.ECDSA(SHA256()))
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(signed, padding.PKCS1v15(), SHA256())
        return self.key.sign(signed)

    def _form(self, response: dict[str, Any]) -> str:
        name = text_of(self.credential_id)
        form = {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        return json.dumps(form)
