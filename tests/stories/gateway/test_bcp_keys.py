"""What RFC 8725 asks of keys, where no other test asks it already."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from auth_gateway.adapters.provider.jwks import UnusableKey, public_key
from auth_gateway.adapters.provider.signatures import PinnedKey, read_envelope
from auth_gateway.settings import Settings
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.gateway_tokens import NoTokens
from tests.stories.gateway.relying_party import ISSUER, Browser, registered, returned
from tests.stories.gateway.story import Story

SIGNS = "0123456789abcdefghijklmnopqrstuv"


RSA = RSAKey.generate_key(2048)
OCT = OctKey.import_key(SIGNS * 2)


@pytest.mark.parametrize(
    ("key", "algorithm", "pinned", "is_taken"),
    [
        (RSA, "RS256", ("RS256",), True),
        (RSA, "RS256", ("PS256",), False),
        (RSA, "PS256", ("RS256",), False),
        (OCT, "HS256", ("HS256",), True),
        (OCT, "HS512", ("HS256",), False),
    ],
)
def test_the_key_says_the_algorithm_and_never_the_header(
    key: RSAKey | OctKey, algorithm: str, pinned: tuple[str, ...], is_taken: bool
) -> None:
    """Section 3.1: a signature that is right by another algorithm of the same key is none."""
    token = jws.serialize_compact({"alg": algorithm}, b"{}", key, algorithms=[algorithm])
    envelope = read_envelope(token)
    assert envelope is not None
    assert envelope.is_signed_with(PinnedKey(key, pinned)) is is_taken


def test_a_shared_secret_makes_no_id_token(story_with: Callable[..., Story]) -> None:
    """Section 3.2: whoever verifies access tokens by it could name anybody at sign-in and sign-out."""
    story = story_with(jwt_issuer=ISSUER, jwt_secret=SIGNS)
    registered(story)
    kid = story.ask("GET", "/.well-known/jwks.json").json()["keys"][0]["kid"]
    claims = {"iss": ISSUER, "sub": "id-alice", "aud": "app", "sid": "s", "exp": 1_900_000_000, "iat": 1_800_000_000}
    for headers in ({"typ": "JWT"}, {"typ": "JWT", "kid": kid}):
        forged = jwt.encode(claims, SIGNS, algorithm="HS256", headers=headers)
        assert story.ask("GET", "/logout", params={"id_token_hint": forged}).status_code == 400
        assert returned(Browser(story).authorize(id_token_hint=forged))["error"] == "invalid_request"


def test_the_scorer_takes_no_token_of_a_shared_secret_and_says_what_instead(story_with: Callable[..., Story]) -> None:
    """Section 3.2: it has no such secret; the session's id in the token is what an application sends."""
    story = story_with(jwt_issuer=ISSUER, jwt_secret=SIGNS)
    told = story.login().json()
    token = told["tokens"]["access_token"]
    unchecked = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, SIGNS, algorithms=["HS256"], options=unchecked)["sid"] == told["session_id"]
    with pytest.raises(Refused) as caught:
        asyncio.run(NoTokens().session_of(token))
    assert (caught.value.code, caught.value.status) == ("shared_secret_token", 422)


def longer(number: str) -> str:
    """The same number with an octet of zeros in front."""
    raw = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return base64.urlsafe_b64encode(b"\x00" + raw).rstrip(b"=").decode()


@pytest.mark.parametrize("member", ["x", "y", "n", "e"])
def test_a_key_in_a_second_spelling_is_refused(member: str) -> None:
    """Section 3.4: libraries read the same key, and its thumbprint would be another, as if it were another key."""
    key = ECKey.generate_key("P-256") if member in "xy" else RSAKey.generate_key(2048)
    jwk: dict[str, Any] = {**key.as_dict(private=False)}
    assert public_key(jwk).thumbprint == key.thumbprint()
    with pytest.raises(UnusableKey):
        public_key({**jwk, member: longer(jwk[member])})


def test_a_shared_secret_has_the_size_of_its_hash(tmp_path: Path) -> None:
    """Section 3.5, and RFC 7518, section 3.2: 31 bytes are too few, however mixed; 32 are enough."""
    assert Settings(auth_gateway_state=tmp_path, jwt_secret=SIGNS).hs256_secret == SIGNS.encode()
    with pytest.raises(ValueError, match="JWT_SECRET is shorter than 32 bytes"):
        Settings(auth_gateway_state=tmp_path, jwt_secret=SIGNS[:31])
