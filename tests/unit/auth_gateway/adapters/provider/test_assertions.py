"""Client assertions: who is believed, under which of its keys, and for how long."""

import json
from typing import Any

import pytest

from auth_gateway.adapters.provider.assertions import ClientAssertion, ClientAssertions
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.refusals import Refused
from tests.unit.auth_gateway.adapters.provider.keys import ALGORITHMS, ISSUER, NOW, key, public, token

CHECKS = ClientAssertions([ISSUER, f"{ISSUER}/token"])
CLAIMS = {"iss": "shop", "sub": "shop", "aud": ISSUER, "exp": NOW + 60, "jti": "one"}


def client(*jwks: dict[str, Any], client_id: str = "shop", text: str | None = None) -> RegisteredClient:
    registered = json.dumps({"keys": jwks}) if text is None else text
    return RegisteredClient(client_id=client_id, token_endpoint_auth_method="private_key_jwt", jwks=registered)


def check(assertion: str, by: RegisteredClient, now: float = NOW) -> ClientAssertion:
    return CHECKS.check(assertion, client=by, now=now)


def refused(assertion: str, by: RegisteredClient) -> bool:
    with pytest.raises(Refused) as error:
        check(assertion, by)
    assert (error.value.code, error.value.status) == ("invalid_client", 401)
    return True


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_accepted_algorithm_proves_a_client(algorithm: str) -> None:
    """With and without the algorithm in the registered key."""
    for jwk in (public(algorithm), public(algorithm, alg=algorithm, use="sig")):
        assert check(token(algorithm, {}, CLAIMS), client(jwk)).expires_at == NOW + 60


@pytest.mark.parametrize("aud", [ISSUER, f"{ISSUER}/token", [ISSUER], [f"{ISSUER}/token", ISSUER]])
def test_every_audience_is_ours(aud: object) -> None:
    """One of our addresses, or several of them."""
    assert check(token("ES256", {}, {**CLAIMS, "aud": aud}), client(public("ES256")))


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
def test_the_types_of_assertions_are_taken(typ: str) -> None:
    """What clients send today, and the revision's own."""
    assert check(token("ES256", {"typ": typ}, CLAIMS), client(public("ES256")))


def test_the_header_names_the_key_during_a_rotation() -> None:
    """With two keys that fit, a token without a name is refused rather than tried against each."""
    by = client(public("RS256", kid="old"), public("PS256", kid="new"))
    assert check(token("PS256", {"kid": "new"}, CLAIMS), by)
    assert refused(token("PS256", {"kid": "old"}, CLAIMS), by)
    assert refused(token("PS256", {}, CLAIMS), by)


def test_a_key_that_is_registered_for_one_algorithm_serves_no_other() -> None:
    """RS256 and PS256 share keys only where nothing else was said."""
    assert refused(token("RS256", {}, CLAIMS), client(public("RS256", alg="PS256")))


@pytest.mark.parametrize(("ahead", "is_taken"), [(600, True), (601, False), (0, False)])
def test_an_assertion_lives_ten_minutes_at_most(ahead: float, is_taken: bool) -> None:
    """For so long it has to be remembered."""
    assertion = token("ES256", {}, {**CLAIMS, "exp": NOW + ahead})
    assert bool(check(assertion, client(public("ES256")))) if is_taken else refused(assertion, client(public("ES256")))


def test_a_client_without_usable_keys_proves_nothing() -> None:
    """None registered, no set, a set that something else wrote."""
    assertion = token("ES256", {}, CLAIMS)
    for by in (client(text=""), client(text="{}"), client(text="[1]"), client(), client(key("ES256").as_dict(True))):
        assert refused(assertion, by)
    assert refused(assertion, RegisteredClient(client_id="shop"))


def test_another_client_s_key_proves_nothing() -> None:
    """Neither under its own name nor under the victim's."""
    assert refused(token("ES256", {}, CLAIMS), client(public("EdDSA")))
    assert refused(token("ES256", {}, CLAIMS), client(public("ES256"), client_id="other"))


def test_the_same_id_of_another_client_is_another_assertion() -> None:
    """Nobody can use up somebody else's ids."""
    other = {**CLAIMS, "iss": "other", "sub": "other"}
    first = check(token("ES256", {}, CLAIMS), client(public("ES256")))
    second = check(token("ES256", {}, other), client(public("ES256"), client_id="other"))
    assert first.replay_digest != second.replay_digest


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ({}, "shop"),
        ({"iss": "other"}, None),
        ({"sub": 1}, None),
        ({"iss": "a\x00b", "sub": "a\x00b"}, None),
        ({"iss": "", "sub": ""}, None),
        ({"iss": "x" * 257, "sub": "x" * 257}, None),
    ],
)
def test_the_claimed_client_is_something_that_can_be_looked_up(claims: dict[str, Any], found: str | None) -> None:
    """Before anything is proven, so nothing that a database stumbles over."""
    assert CHECKS.claimed_client(token("ES256", {}, {**CLAIMS, **claims})) == found
