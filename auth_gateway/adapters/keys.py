"""Signing keys at rest and in use: made on first start, sealed in the database, rotated without a gap."""

import base64
import hashlib
from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth_gateway.adapters.keyring import LEEWAY_SECONDS, SigningKey, published_keys, signing_key
from auth_gateway.flows.ports import Clock, Sealer, SigningKeyRecord, SigningKeys
from plumbing.database import Database, Transaction

# How often a process looks for keys that another one made or retired; far below the activation delay.
RELOAD_SECONDS = 5.0
# RFC 7518, section 6.2.1.2: each coordinate of P-256 is 32 octets.
_COORDINATE_BYTES = 32


class SigningKeyStore:
    """Makes, seals and rotates the keys; holds none of them."""

    def __init__(self, records: SigningKeys, sealer: Sealer) -> None:
        self._records = records
        self._sealer = sealer

    def load_or_make(self, tx: Transaction, now: float) -> list[SigningKey]:
        """All keys, after making the first one if there is none."""
        if not self._records.list(tx):
            self._add_new(tx, now=now, activates_at=now)
        return self.load(tx)

    def load(self, tx: Transaction) -> list[SigningKey]:
        """All keys, oldest first, opened."""
        return [self._opened(record) for record in self._records.list(tx)]

    def rotate(self, tx: Transaction, *, now: float, delay_seconds: float, access_ttl_seconds: float) -> str:
        """A new key, published now and signing after the delay; the older ones retire at that moment. Returns its kid.

        The delay lets every verifier fetch the new key before the first token that needs it.
        """
        activates_at = now + delay_seconds
        for record in self._records.list(tx):
            self._records.retire(tx, record.kid, activates_at)
        self._records.forget_retired(tx, now - access_ttl_seconds - LEEWAY_SECONDS)
        return self._add_new(tx, now=now, activates_at=activates_at)

    def _add_new(self, tx: Transaction, *, now: float, activates_at: float) -> str:
        private = ec.generate_private_key(ec.SECP256R1())
        jwk = public_jwk(private.public_key())
        der = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._records.add(
            tx,
            SigningKeyRecord(
                kid=jwk["kid"],
                sealed_private=self._sealer.seal(der, sealing_purpose(jwk["kid"])),
                public_jwk=msgspec.json.encode(jwk).decode(),
                created_at=now,
                activates_at=activates_at,
            ),
        )
        return jwk["kid"]

    def _opened(self, record: SigningKeyRecord) -> SigningKey:
        der = self._sealer.open(record.sealed_private, sealing_purpose(record.kid))
        private = serialization.load_der_private_key(der, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("a stored signing key is not an elliptic-curve key")
        return SigningKey(
            kid=record.kid,
            private=private,
            public_jwk=msgspec.json.decode(record.public_jwk, type=dict[str, str]),
            created_at=record.created_at,
            activates_at=record.activates_at,
            retired_at=record.retired_at,
        )


class KeyRing:
    """The keys of this process, reloaded from the database by whoever runs `reload` every few seconds."""

    def __init__(self, database: Database, store: SigningKeyStore, clock: Clock, *, access_ttl_seconds: float) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._access_ttl_seconds = access_ttl_seconds
        self._keys: list[SigningKey] = []

    def prepare(self) -> None:
        """Loads the keys, making the first one if this is the first start; blocks."""
        now = self._clock.now()
        self._keys = self._database.write_sync(lambda tx: self._store.load_or_make(tx, now))

    async def reload(self) -> None:
        """Takes over what other processes did to the keys."""
        self._keys = await self._database.read_in_thread(self._store.load)

    def current(self) -> SigningKey:
        """The key that signs now."""
        return signing_key(self._keys, self._clock.now())

    def published(self) -> list[Mapping[str, str]]:
        """The public halves that verifiers may need, as JWKs."""
        keys = published_keys(self._keys, now=self._clock.now(), access_ttl_seconds=self._access_ttl_seconds)
        return [key.public_jwk for key in keys]


def public_jwk(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The public key as a JWK whose kid is its own thumbprint, so a kid can never name two keys.

    Source: RFC 7638 section 3 (the required members in lexical order, no space, SHA-256); RFC 7518 section 6.2.
    """
    numbers = public.public_numbers()
    required = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    thumbprint = _base64url(hashlib.sha256(msgspec.json.encode(required, order="sorted")).digest())
    return {**required, "kid": thumbprint, "use": "sig", "alg": "ES256"}


def _coordinate(value: int) -> str:
    return _base64url(value.to_bytes(_COORDINATE_BYTES, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def sealing_purpose(kid: str) -> str:
    """A sealed key moved to another row does not open."""
    return f"signing_key:{kid}"
