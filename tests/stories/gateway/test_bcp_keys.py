"""What RFC 8725 asks of keys, where no other test asks it already."""

import base64
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth_gateway.adapters.provider.jwks import UnusableKey, public_key
from auth_gateway.settings import Settings

SIGNS = "0123456789abcdefghijklmnopqrstuv"


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
