"""What resource servers and applications fetch to verify our tokens."""

from collections.abc import Callable

import pytest

from tests.stories.gateway.story import Story

ISSUER = "https://id.example"
SECRET = "kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
PUBLIC_MEMBERS = {"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"}


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ({}, ["ES256"]),
        ({"jwt_secret": SECRET}, []),
        ({"jwt_issuer": ISSUER}, ["ES256", "RS256"]),
        ({"jwt_issuer": ISSUER, "jwt_secret": SECRET}, ["ES256", "RS256"]),
    ],
    ids=["own keys", "shared secret", "provider", "provider with a shared secret"],
)
def test_a_provider_publishes_both_keys_whatever_signs_access_tokens(
    story_with: Callable[..., Story], given: dict[str, str], published: list[str]
) -> None:
    """ID tokens and logout tokens are always signed by a key of ours, since a secret that many know proves nothing."""
    answer = story_with(**given).ask("GET", "/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert sorted(key["alg"] for key in keys) == published
    assert all(set(key) <= PUBLIC_MEMBERS for key in keys)
    assert answer.headers["cache-control"] == "public, max-age=300"
