"""Which signing key signs now and which are published: rules over values, no storage and no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from auth_gateway.core.provider.client import SigningAlgorithm

# How far a resource server's clock may be behind ours before it asks for a key that we no longer publish.
LEEWAY_SECONDS = 300

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of one algorithm: published from the moment it exists, signing from `activates_at` until `retired_at`."""

    kid: str
    private: PrivateKey
    public_jwk: Mapping[str, str]
    created_at: float
    activates_at: float
    retired_at: float | None = None
    algorithm: SigningAlgorithm = "ES256"


def signing_key(keys: Iterable[SigningKey], now: float, algorithm: SigningAlgorithm = "ES256") -> SigningKey:
    """The algorithm's youngest key whose time has come and is not over.

    Raises: LookupError when there is none; the first key is made active and each rotation overlaps, so that is a bug.
    """
    active = [key for key in keys if key.algorithm == algorithm and _is_active(key, now)]
    if not active:
        raise LookupError(f"no signing key is active for {algorithm}")
    return max(active, key=lambda key: (key.activates_at, key.created_at, key.kid))


def published_keys(keys: Iterable[SigningKey], *, now: float, access_ttl_seconds: float) -> Sequence[SigningKey]:
    """Keys a verifier may need: those to come, those that sign, retired ones until their last token has expired."""
    return [key for key in keys if is_published(key, now=now, access_ttl_seconds=access_ttl_seconds)]


def is_published(key: SigningKey, *, now: float, access_ttl_seconds: float) -> bool:
    """Whether somebody may still need this key."""
    return key.retired_at is None or now < key.retired_at + access_ttl_seconds + LEEWAY_SECONDS


def _is_active(key: SigningKey, now: float) -> bool:
    return key.activates_at <= now and (key.retired_at is None or now < key.retired_at)
