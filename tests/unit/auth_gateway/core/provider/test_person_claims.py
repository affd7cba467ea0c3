"""Which claims scopes and the `claims` parameter open."""

from typing import Any

import pytest

from auth_gateway.core.account import Account
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.person_claims import CLAIMS_SUPPORTED, SCOPE_OF, named_claims, released

ALICE = Account(user_id="id-alice", username="alice", display_name="Alice", password_hash="x", email="a@example.org")
CLIENT = RegisteredClient(client_id="shop")


@pytest.mark.parametrize(
    ("parameter", "userinfo", "id_token"),
    [
        (None, set(), set()),
        ('{"userinfo":{"name":null},"id_token":{"email":{"essential":true}}}', {"name"}, {"email"}),
        ('{"userinfo":{},"other":{"name":null}}', set(), set()),
        ('{"userinfo":null}', set(), set()),
        ('{"userinfo":["name"]}', set(), set()),
        ("not json", set(), set()),
        ("", set(), set()),
        ('{"a":' * 5000, set(), set()),
        ("\ud800", set(), set()),
    ],
)
def test_the_parameter_names_claims_for_each_place(parameter: Any, userinfo: set[str], id_token: set[str]) -> None:
    """What is no such parameter names none."""
    assert (named_claims(parameter, "userinfo"), named_claims(parameter, "id_token")) == (userinfo, id_token)


@pytest.mark.parametrize(
    ("scope", "named", "by_scope", "names"),
    [
        ("openid", set(), True, set()),
        ("profile", set(), True, {"name", "preferred_username"}),
        ("email profile", set(), False, set()),
        ("email", {"email"}, False, {"email"}),
        ("openid", {"email"}, True, {"email"}),
        ("openid", {"password_hash", "sub", "user_id"}, True, set()),
    ],
)
def test_scope_and_name_open_a_claim(scope: str, named: set[str], by_scope: bool, names: set[str]) -> None:
    """Nothing that is not in the list is ever told."""
    told = released(ALICE, CLIENT, scope=scope, named=frozenset(named), by_scope=by_scope)
    assert set(told) == names


def test_a_name_opens_no_more_than_registration_and_consent() -> None:
    """Nor does it for a client that has no registration."""
    named = frozenset(SCOPE_OF)
    narrow = RegisteredClient(client_id="narrow", scopes=("openid",))
    asking = RegisteredClient(client_id="asking", requires_consent=True)
    for client in (narrow, asking, None):
        assert released(ALICE, client, scope="openid", named=named, by_scope=True) == {}
    assert set(released(ALICE, asking, scope="email", named=named, by_scope=False)) == {"email", "email_verified"}


def test_an_address_is_told_with_whether_it_is_verified() -> None:
    """False is told as false."""
    told = released(ALICE, CLIENT, scope="email", named=frozenset(), by_scope=True)
    assert told == {"email": "a@example.org", "email_verified": False}
    assert set(CLAIMS_SUPPORTED) == {"sub", *SCOPE_OF}
