"""Which key signs and which are published, at every moment of a rotation."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK

from auth_gateway.adapters.keyring import LEEWAY_SECONDS, SigningKey, published_keys, signing_key
from auth_gateway.adapters.public_keys import public_jwk
from auth_gateway.core.provider.client import SigningAlgorithm

PRIVATE = ec.generate_private_key(ec.SECP256R1())
TTL = 900.0
GRACE = TTL + LEEWAY_SECONDS


def key(
    kid: str, activates_at: float, retired_at: float | None = None, algorithm: SigningAlgorithm = "ES256"
) -> SigningKey:
    return SigningKey(kid, PRIVATE, {"kid": kid}, activates_at, activates_at, retired_at, algorithm)


OLD, NEW = key("old", 0, 1600), key("new", 1600)


@pytest.mark.parametrize(("now", "kid"), [(0, "old"), (1599.9, "old"), (1600, "new"), (9999, "new")])
def test_the_new_key_signs_from_the_moment_the_old_one_retires(now: float, kid: str) -> None:
    """There is no moment without a key and none with two."""
    assert signing_key([OLD, NEW], now).kid == kid


def test_an_emergency_key_is_not_replaced_by_the_one_that_was_announced_before() -> None:
    """A retired key never comes back, even when its time to start lies ahead."""
    announced = key("announced", 1600, retired_at=1200)
    assert signing_key([key("old", 0, 1200), announced, key("emergency", 1200)], 2000).kid == "emergency"


def test_an_empty_ring_is_a_bug() -> None:
    """The first start makes a key that signs at once."""
    with pytest.raises(LookupError):
        signing_key([key("later", 10)], 9)


@pytest.mark.parametrize(
    ("now", "kids"),
    [
        (1000, ["old", "new"]),
        (1600, ["old", "new"]),
        (1600 + GRACE - 0.1, ["old", "new"]),
        (1600 + GRACE, ["new"]),
    ],
)
def test_a_retired_key_is_published_until_its_last_token_has_expired(now: float, kids: list[str]) -> None:
    """And the new one from the moment it exists, long before it signs."""
    published = published_keys([OLD, NEW], now=now, access_ttl_seconds=TTL)
    assert [one.kid for one in published] == kids


def test_a_kid_is_the_thumbprint_of_its_key() -> None:
    """The value is RFC 7638's for this key, computed by hand from its coordinates."""
    numbers = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    jwk = public_jwk(numbers, "ES256")
    # The generator of P-256 (FIPS 186-4, appendix D.1.2.3) is the public key of private key 1.
    assert jwk["x"] == "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"
    assert jwk["y"] == "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"
    text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    assert jwk["kid"] == base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_published_key_is_one_that_others_can_read() -> None:
    """PyJWT takes it as a verification key."""
    assert (
        PyJWK(public_jwk(PRIVATE.public_key(), "ES256")).key.public_numbers() == PRIVATE.public_key().public_numbers()
    )


def test_each_algorithm_has_its_own_signing_key() -> None:
    """A younger key of another kind signs nothing of this one."""
    keys = [key("ec", 0), key("rsa", 5, algorithm="RS256")]
    assert signing_key(keys, 10).kid == "ec"
    assert signing_key(keys, 10, "RS256").kid == "rsa"


def test_an_rsa_key_is_published_in_its_shortest_form() -> None:
    """No leading zero octet (RFC 7518, section 6.3.1.1), and PyJWT reads the same numbers."""
    public = rsa.generate_private_key(public_exponent=65_537, key_size=2048).public_key()
    jwk = public_jwk(public, "RS256")
    assert (len(jwk["n"]), jwk["e"]) == (342, "AQAB")
    assert PyJWK(jwk).key.public_numbers() == public.public_numbers()
