"""Registered applications and signing keys."""

import hashlib

from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.context import Client
from auth_gateway.flows.ports import SigningKeyRecord
from plumbing.database import Database

NOW = 1_700_000_000.0


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def test_a_client_is_known_by_its_secret(database: Database) -> None:
    """Right secret: what it is trusted with; wrong secret or unknown id: nobody."""
    clients, web = StoredClients(), Client(client_id="web", may_vouch=True)
    assert database.write_sync(lambda tx: clients.add(tx, web, digest("s"), NOW))
    assert database.read(lambda tx: clients.authenticate(tx, "web", digest("s"))) == web
    assert database.read(lambda tx: clients.authenticate(tx, "web", digest("t"))) is None
    assert database.read(lambda tx: clients.authenticate(tx, "app", digest("s"))) is None


def test_a_client_id_is_given_once(database: Database) -> None:
    """The second registration changes nothing."""
    clients = StoredClients()
    database.write_sync(lambda tx: clients.add(tx, Client(client_id="web"), digest("s"), NOW))
    greedy = Client(client_id="web", may_vouch=True, may_see_scores=True)
    assert not database.write_sync(lambda tx: clients.add(tx, greedy, digest("t"), NOW))
    assert database.read(clients.list) == [Client(client_id="web")]


def test_keys_are_listed_oldest_first_and_retired_once(database: Database) -> None:
    """A retired key stays until it is forgotten, so that its tokens can still be checked."""
    keys = StoredSigningKeys()
    old, new = (
        SigningKeyRecord(kid=kid, sealed_private=b"s", public_jwk="{}", created_at=at, activates_at=at)
        for kid, at in (("b", NOW), ("a", NOW + 10))
    )
    for key in (new, old):
        database.write_sync(lambda tx, key=key: keys.add(tx, key))
    assert database.read(keys.list) == [old, new]
    retired = [database.write_sync(lambda tx: keys.retire(tx, "b", NOW + 20)) for _ in range(2)]
    assert retired == [True, False]
    assert database.write_sync(lambda tx: keys.forget_retired(tx, NOW + 20)) == 0
    assert database.write_sync(lambda tx: keys.forget_retired(tx, NOW + 21)) == 1
    assert database.read(keys.list) == [new]
