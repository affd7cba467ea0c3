"""Signing keys at rest and in use: made on first start, sealed in the database, rotated without a gap."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from auth_gateway.adapters.keyring import (
    LEEWAY_SECONDS,
    PrivateKey,
    SigningKey,
    is_published,
    published_keys,
    signing_key,
)
from auth_gateway.adapters.public_keys import public_jwk
from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.flows.ports import Clock, Sealer, SigningKeyRecord, SigningKeys
from plumbing.database import Database, Transaction
from plumbing.refusals import Refused

# How often a process looks for keys that another one made or retired; far below the activation delay.
RELOAD_SECONDS = 5.0
# A process that has not looked for so long (it was stopped, or its database was away) looks before it signs: a key that
# retired meanwhile would sign a token that outlives the key's publication. Far below LEEWAY_SECONDS.
STALE_SECONDS = 60.0
# RFC 7518, section 3.3, demands 2048 bits or more; NIST SP 800-131A allows that size until 2030, and keys live months.
RSA_BITS = 2048
RSA_EXPONENT = 65_537
ACCESS_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("ES256",)
"""What access tokens need."""
ALGORITHMS: tuple[SigningAlgorithm, ...] = ("ES256", "RS256")
"""What a provider signs with."""

Drawn = Sequence[tuple[SigningAlgorithm, PrivateKey]]


class Rotation(NamedTuple):
    """The kids that are new, and those whose end was set by it."""

    added: list[str]
    retired: list[str]


class SigningKeyStore:
    """Makes, seals and rotates the keys; holds none of them."""

    def __init__(self, records: SigningKeys, sealer: Sealer) -> None:
        self._records = records
        self._sealer = sealer

    def load_or_make(self, tx: Transaction, now: float, drawn: Drawn) -> list[SigningKey]:
        """All keys, after adding those drawn ones whose algorithm has none yet.

        Keys are drawn before the transaction: an RSA key takes longer than other writers should wait.
        """
        present = self.algorithms(tx)
        for algorithm, private in drawn:
            if algorithm not in present:
                self._add(tx, algorithm, private, now=now, activates_at=now)
        return self.load(tx)

    def load(self, tx: Transaction) -> list[SigningKey]:
        """All keys, oldest first, opened."""
        return [self._opened(record) for record in self._records.list(tx)]

    def algorithms(self, tx: Transaction) -> set[SigningAlgorithm]:
        """Those that have a key."""
        return {_algorithm(_jwk(record)) for record in self._records.list(tx)}

    def rotate(
        self, tx: Transaction, drawn: Drawn, *, now: float, delay_seconds: float, access_ttl_seconds: float
    ) -> Rotation:
        """The drawn keys, published now and signing after the delay; those before them retire at that moment.

        The delay lets every verifier fetch a new key before the first token that needs it.
        """
        activates_at = now + delay_seconds
        replaced = {algorithm for algorithm, _ in drawn}
        retired = [
            record.kid
            for record in self._records.list(tx)
            if _algorithm(_jwk(record)) in replaced and self._records.retire(tx, record.kid, activates_at)
        ]
        self._records.forget_retired(tx, now - access_ttl_seconds - LEEWAY_SECONDS)
        added = [self._add(tx, algorithm, key, now=now, activates_at=activates_at) for algorithm, key in drawn]
        return Rotation(added, retired)

    def withdraw(self, tx: Transaction, drawn: Drawn, *, now: float) -> Rotation:
        """The drawn keys, signing now; those before them are deleted, so that nothing that they signed is believed."""
        replaced = {algorithm for algorithm, _ in drawn}
        withdrawn = [record.kid for record in self._records.list(tx) if _algorithm(_jwk(record)) in replaced]
        for kid in withdrawn:
            self._records.remove(tx, kid)
        added = [self._add(tx, algorithm, key, now=now, activates_at=now) for algorithm, key in drawn]
        return Rotation(added, withdrawn)

    def _add(
        self, tx: Transaction, algorithm: SigningAlgorithm, private: PrivateKey, *, now: float, activates_at: float
    ) -> str:
        jwk = public_jwk(private.public_key(), algorithm)
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
        # The seal shows that these are the bytes we wrote; proving an RSA key's primes again takes 40 ms.
        private = serialization.load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise TypeError("a stored signing key is of no kind that we make")
        jwk = _jwk(record)
        return SigningKey(
            kid=record.kid,
            private=private,
            public_jwk=jwk,
            created_at=record.created_at,
            activates_at=record.activates_at,
            retired_at=record.retired_at,
            algorithm=_algorithm(jwk),
        )


class KeyRing:
    """The keys of this process, reloaded from the database by whoever runs `reload` every few seconds.

    Where nobody could for a minute it looks by itself before it signs or publishes.
    """

    def __init__(
        self,
        database: Database,
        store: SigningKeyStore,
        clock: Clock,
        *,
        access_ttl_seconds: float,
        algorithms: Collection[SigningAlgorithm] = ACCESS_ALGORITHMS,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._access_ttl_seconds = access_ttl_seconds
        self._algorithms = algorithms
        self._keys: list[SigningKey] = []
        self._looked_at = self._tried_at = 0.0

    def prepare(self) -> None:
        """Loads the keys, making the first ones that are missing; blocks."""
        now = self._clock.now()
        present = self._database.read(self._store.algorithms)
        drawn = draw_keys(algorithm for algorithm in self._algorithms if algorithm not in present)
        self._keys = self._database.write_sync(lambda tx: self._store.load_or_make(tx, now, drawn))
        self._looked_at = now

    async def reload(self) -> None:
        """Takes over what other processes did to the keys."""
        now = self._tried_at = self._clock.now()
        self._keys = await self._database.read_in_thread(self._store.load)
        self._looked_at = now

    def algorithms(self) -> set[SigningAlgorithm]:
        """Those that this ring can sign with."""
        return {key.algorithm for key in self._keys}

    def current(self, algorithm: SigningAlgorithm = "ES256") -> SigningKey:
        """The key that signs now.

        Raises: Refused `storage_unavailable` where it would have to look and cannot: what it knows may be over.
        """
        now = self._clock.now()
        if self._is_stale(now):
            self._keys, self._looked_at = self._database.read(self._store.load), now
        return self.known(algorithm)

    def known(self, algorithm: SigningAlgorithm = "ES256") -> SigningKey:
        """The key that signs now as far as this process knows, without a look."""
        return signing_key(self._keys, self._clock.now(), algorithm)

    async def publish(self) -> list[Mapping[str, str]]:
        """The public halves that verifiers may need; where it would have to look and cannot, those that it knows."""
        now = self._clock.now()
        if self._is_stale(now) and abs(now - self._tried_at) >= RELOAD_SECONDS:
            with suppress(Refused):
                await self.reload()
        return self.published()

    def published(self) -> list[Mapping[str, str]]:
        """The public halves that verifiers may need, as JWKs, as far as this process knows."""
        keys = published_keys(self._keys, now=self._clock.now(), access_ttl_seconds=self._access_ttl_seconds)
        return [key.public_jwk for key in keys]

    def find(self, kid: str) -> SigningKey | None:
        """The key of that name, for reading what we signed: also one that retired, until it is forgotten."""
        return next((key for key in self._keys if key.kid == kid), None)

    def is_published(self, key: SigningKey) -> bool:
        """Whether a token in force may still be signed with it."""
        return is_published(key, now=self._clock.now(), access_ttl_seconds=self._access_ttl_seconds)

    def _is_stale(self, now: float) -> bool:
        return bool(self._keys) and abs(now - self._looked_at) >= STALE_SECONDS


def draw_keys(algorithms: Iterable[SigningAlgorithm]) -> list[tuple[SigningAlgorithm, PrivateKey]]:
    """A new private key for each; an RSA key takes some tens of milliseconds."""
    return [(algorithm, _draw(algorithm)) for algorithm in algorithms]


def _draw(algorithm: SigningAlgorithm) -> PrivateKey:
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _jwk(record: SigningKeyRecord) -> dict[str, str]:
    return msgspec.json.decode(record.public_jwk, type=dict[str, str])


def _algorithm(jwk: Mapping[str, str]) -> SigningAlgorithm:
    return "RS256" if jwk["alg"] == "RS256" else "ES256"


def sealing_purpose(kid: str) -> str:
    """A sealed key moved to another row does not open."""
    return f"signing_key:{kid}"
