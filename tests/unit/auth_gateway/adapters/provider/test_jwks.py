"""Keys that strangers bring: what a registration may hold, and the one form of each key."""

import json
from typing import Any

import pytest
from joserfc.jwk import OctKey

from auth_gateway.adapters.provider.jwks import MOST_KEYS, UnusableKey, key_set, public_key
from tests.contract.bad_keys import bad_keys
from tests.contract.forged_tokens import ABSENT
from tests.unit.auth_gateway.adapters.provider.keys import key, public


def as_set(*jwks: Any) -> str:
    return json.dumps({"keys": jwks})


@pytest.mark.parametrize(
    ("algorithm", "serves"),
    [
        ("ES256", ("ES256",)),
        ("RS256", ("RS256", "PS256")),
        ("PS256", ("RS256", "PS256")),
        ("EdDSA", ("EdDSA", "Ed25519")),
    ],
)
def test_a_key_serves_the_algorithms_of_its_type(algorithm: str, serves: tuple[str, ...]) -> None:
    """And its thumbprint is the one that others compute."""
    found = public_key(public(algorithm))
    assert (found.algorithms, found.thumbprint) == (serves, key(algorithm).thumbprint())


WRONG = {name: jwk for name, jwk in bad_keys(key("ES256")).items() if name not in {"another", "rsa", "edwards"}}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_key_is_named_as_such_and_not_shown(name: str) -> None:
    """One error for all of them, with a reason that holds nothing of the key."""
    with pytest.raises(UnusableKey) as error:
        public_key(None if WRONG[name] is ABSENT else WRONG[name])
    assert str(public("ES256")["x"]) not in str(error.value)


def test_a_set_keeps_its_order_and_its_names() -> None:
    """As they are registered."""
    keys = key_set(as_set(public("ES256", kid="b"), public("EdDSA", kid="a"), public("RS256")))
    assert [key.kid for key in keys] == ["b", "a", None]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "{}", "null", '{"keys":{}}', '{"keys":[]}', '{"keys":[1]}', "[" * 5000,
        as_set(public("ES256", kid="a"), public("EdDSA", kid="a")),
        as_set(public("ES256"), OctKey.generate_key(256).as_dict(private=True)),
        as_set(key("RS256").as_dict(private=True)),
        as_set(*[public("ES256")] * (MOST_KEYS + 1)),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_set_is_refused_whole(text: str) -> None:
    """A key that does not work would be noticed by the application's people, long after registration."""
    with pytest.raises(UnusableKey):
        key_set(text)
