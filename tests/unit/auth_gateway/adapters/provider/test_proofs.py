"""DPoP proofs: which are taken, for how long, and what is remembered of them."""

import base64
import hashlib
from typing import Any

import pytest

from auth_gateway.adapters.provider.proofs import DpopProof, DpopProofs
from plumbing.refusals import Refused
from tests.unit.auth_gateway.adapters.provider.keys import ALGORITHMS, ISSUER, NOW, key, public, token

URL = f"{ISSUER}/token"


def proof(algorithm: str = "ES256", **claims: Any) -> str:
    header = {"typ": "dpop+jwt", "jwk": public(algorithm)}
    return token(algorithm, header, {"jti": "one", "htm": "POST", "htu": URL, "iat": NOW, **claims})


def check(*proofs: str, **more: Any) -> DpopProof:
    return DpopProofs().check(proofs, **{"method": "POST", "url": URL, "now": NOW, **more})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_proof_names_the_key_by_its_thumbprint(algorithm: str) -> None:
    """RFC 7638's, as another implementation computes it, for each algorithm and for a 4096-bit key."""
    assert check(proof(algorithm)).jkt == key(algorithm).thumbprint()


@pytest.mark.parametrize("seconds", [-60, 0, 5])
def test_a_proof_is_taken_for_a_minute_and_from_a_clock_that_is_a_little_ahead(seconds: float) -> None:
    """Both ends belong to it."""
    assert check(proof(iat=NOW + seconds)).expires_at > NOW


@pytest.mark.parametrize("seconds", [-60.5, 5.5])
def test_a_proof_is_refused_outside_its_minute(seconds: float) -> None:
    """Half a second is too much."""
    with pytest.raises(Refused) as refused:
        check(proof(iat=NOW + seconds))
    assert (refused.value.code, refused.value.status) == ("invalid_dpop_proof", 400)


def test_a_proof_is_remembered_longer_than_it_is_taken() -> None:
    """Otherwise it could be sent again in the second in which it is forgotten."""
    made = check(proof(iat=NOW))
    assert check(proof(iat=NOW), now=NOW + 60).replay_digest == made.replay_digest
    assert made.expires_at > NOW + 60


def test_the_same_id_under_another_key_is_another_proof() -> None:
    """Nobody can use up somebody else's ids."""
    digests = {check(proof(algorithm)).replay_digest for algorithm in ALGORITHMS}
    digests.add(check(proof(jti="two")).replay_digest)
    assert len(digests) == 5


@pytest.mark.parametrize("count", [0, 2])
def test_there_is_exactly_one_proof(count: int) -> None:
    """None is no proof, and of two the wrong one might be read."""
    with pytest.raises(Refused):
        check(*[proof()] * count)


@pytest.mark.parametrize(
    "htu",
    [URL, f"{URL}?a=b", f"{URL}#c", "HTTPS://ID.EXAMPLE/token", "https://id.example:443/token"],
    ids=["same", "query", "fragment", "upper-case", "default-port"],
)
def test_addresses_are_compared_as_addresses(htu: str) -> None:
    """Not as texts: RFC 9449, section 4.3, item 9."""
    assert check(proof(htu=htu))


def test_the_path_is_compared_as_it_stands() -> None:
    """Paths have cases, and an encoded slash is no slash."""
    for htu in (f"{ISSUER}/Token", f"{ISSUER}/%2Ftoken", f"{ISSUER}//token", f"{ISSUER}/x/../token"):
        with pytest.raises(Refused):
            check(proof(htu=htu))


def test_at_a_resource_the_proof_names_the_token() -> None:
    """The hash of the token that comes with it."""
    ath = base64.urlsafe_b64encode(hashlib.sha256(b"access").digest()).rstrip(b"=").decode()
    assert check(proof(ath=ath), access_token="access")
    with pytest.raises(Refused):
        check(proof(), access_token="access")
    with pytest.raises(Refused):
        check(proof(ath=ath), access_token="another")


def test_a_refusal_repeats_nothing() -> None:
    """Neither key nor claim is in the answer."""
    with pytest.raises(Refused) as refused:
        check(proof(htm="CANARY"))
    assert "CANARY" not in str(refused.value.as_answer())
