"""Which signing key signs now and which are published: rules over values, no storage and no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# How far a resource server's clock may be behind ours before it asks for a key that we no longer publish.
LEEWAY_SECONDS = 300


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One ES256 key: published from the moment it exists, signing from `activates_at` until `retired_at`."""

    kid: str
    private: EllipticCurvePrivateKey
    public_jwk: Mapping[str, str]
    created_at: float
    activates_at: float
    retired_at: float | None = None


def signing_key(keys: Iterable[SigningKey], now: float) -> SigningKey:
    """The youngest key whose time has come and is not over.

    Raises: LookupError when there is none; the first key is made active and each rotation overlaps, so that is a bug.
    """
    active = [key for key in keys if key.activates_at <= now and (key.retired_at is None or now < key.retired_at)]
    if not active:
        raise LookupError("no signing key is active")
    return max(active, key=lambda key: (key.activates_at, key.created_at, key.kid))


def published_keys(keys: Iterable[SigningKey], *, now: float, access_ttl_seconds: float) -> Sequence[SigningKey]:
    """Keys a verifier may need: those to come, the signing one, and retired ones until their last token has expired."""
    grace = access_ttl_seconds + LEEWAY_SECONDS
    return [key for key in keys if key.retired_at is None or now < key.retired_at + grace]
