"""Every forged token against what reads it: access tokens, hints, assertions and proofs, and none gets through."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth_gateway.adapters.keys import ALGORITHMS, KeyRing, SigningKeyStore
from auth_gateway.adapters.provider.assertions import ClientAssertions
from auth_gateway.adapters.provider.proofs import DpopProofs
from auth_gateway.adapters.provider.verifier import OwnTokens
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from plumbing.vault import Vault
from tests.contract.forged_tokens import Mint, forgeries
from tests.contract.mints import access_mint, assertion_mint, hint_mint, proof_mint

NOW = 1_800_000_000.0
ISSUER = "https://id.example"
URL = f"{ISSUER}/token"
OURS = ECKey.generate_key("P-256")


@dataclass
class Slot:
    """One kind of token and whether its reader takes it."""

    mint: Mint
    takes: Callable[[str], bool]


@contextmanager
def ring(place: Path) -> Iterator[KeyRing]:
    """A key ring with both algorithms in a real database."""
    database = open_storage(f"sqlite:///{place / 'gateway.db'}")
    store = SigningKeyStore(StoredSigningKeys(), Vault(b"k" * 32))
    opened = KeyRing(database, store, FixedClock(NOW), access_ttl_seconds=900, algorithms=ALGORITHMS)
    opened.prepare()
    asyncio.run(opened.reload())
    yield opened
    database.close()


@pytest.fixture(scope="module")
def slots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Slot]]:
    """A mint and a reader for each kind."""
    with ring(tmp_path_factory.mktemp("ring")) as keys:
        ec, rsa = keys.current("ES256"), keys.current("RS256")
        own = OwnTokens(keys, issuer=ISSUER, secret=None)
        shared = OwnTokens(keys, issuer=ISSUER, secret=b"kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL")
        ec_key = ECKey.import_key(ec.private)
        given = {"issuer": ISSUER, "now": NOW}
        yield {
            "access": Slot(access_mint(ec_key, kid=ec.kid, **given), lambda text: own.access(text, NOW) is not None),
            "access beside a secret": Slot(
                access_mint(ec_key, kid=ec.kid, **given), lambda text: shared.access(text, NOW) is not None
            ),
            "hint": Slot(hint_mint(ec_key, kid=ec.kid, **given), lambda text: own.id_token_hint(text) is not None),
            "RS256 hint": Slot(
                hint_mint(RSAKey.import_key(rsa.private), kid=rsa.kid, algorithm="RS256", **given),
                lambda text: own.id_token_hint(text) is not None,
            ),
            "assertion": Slot(assertion_mint(OURS, kid="k1", client_id="shop", **given), takes_assertion),
            "proof": Slot(proof_mint(OURS, method="POST", url=URL, now=NOW), takes_proof()),
            "proof for a resource": Slot(
                proof_mint(OURS, method="POST", url=URL, now=NOW, access_token="at"), takes_proof("at")
            ),
        }


def takes_assertion(text: str) -> bool:
    jwk = {**OURS.as_dict(private=False), "kid": "k1"}
    client = RegisteredClient(
        client_id="shop", token_endpoint_auth_method="private_key_jwt", jwks=json.dumps({"keys": [jwk]})
    )
    checks = ClientAssertions([ISSUER, URL])
    checks.claimed_client(text)
    return not refused_with((401, "invalid_client"), lambda: checks.check(text, client=client, now=NOW))


def refused_with(expected: tuple[int, str], check: Callable[[], object]) -> bool:
    """Whether the check refuses; a refusal with another code is no answer."""
    try:
        check()
    except Refused as refused:
        found = refused.status, refused.code
    else:
        return False
    assert found == expected
    return True


def takes_proof(access_token: str | None = None) -> Callable[[str], bool]:
    def takes(text: str) -> bool:
        def check() -> object:
            return DpopProofs().check([text], method="POST", url=URL, now=NOW, access_token=access_token)

        return not refused_with((400, "invalid_dpop_proof"), check)

    return takes


KINDS = ("access", "access beside a secret", "hint", "RS256 hint", "assertion", "proof", "proof for a resource")


@pytest.mark.parametrize("kind", KINDS)
def test_no_forgery_is_taken_and_none_breaks_its_reader(slots: dict[str, Slot], kind: str) -> None:
    """Each is refused with the one stable code, and nothing else is raised."""
    slot = slots[kind]
    assert slot.takes(slot.mint.genuine()), "what is refused here must not be refused for another reason"
    assert [forgery.name for forgery in forgeries(slot.mint) if slot.takes(forgery.token)] == []


def test_there_are_many_forgeries_and_each_has_a_name_of_its_own(slots: dict[str, Slot]) -> None:
    """At least three hundred, and no name is lost under another."""
    names = [
        forgery.name for kind in ("access", "hint", "assertion", "proof") for forgery in forgeries(slots[kind].mint)
    ]
    assert len(names) >= 300
    assert len(set(names)) == len(names)


def test_a_token_of_one_kind_is_none_of_another(slots: dict[str, Slot]) -> None:
    """Genuine tokens in the wrong slot are forgeries too."""
    for kind in KINDS:
        token = slots[kind].mint.genuine()
        takers = {other for other, slot in slots.items() if slot.takes(token)}
        assert {slots[other].mint.kind for other in takers} == {slots[kind].mint.kind}, kind
