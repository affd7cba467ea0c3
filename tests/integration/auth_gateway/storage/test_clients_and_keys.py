"""Registered applications and signing keys."""

import hashlib

from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.core.context import Client
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
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


def test_a_removed_client_s_sessions_are_nobody_s(database: Database) -> None:
    """Its refresh tokens stay dead when the name is given again; those of others live on."""
    clients, sessions, tokens = StoredClients(), StoredSessions(), StoredRefreshTokens()
    for name in ("web", "app"):
        session = session_of(name)
        database.write_sync(lambda tx, name=name: clients.add(tx, Client(client_id=name), digest(name), NOW))
        database.write_sync(lambda tx, session=session: sessions.add(tx, session))
        family = RefreshFamily(family_id=name, session_id=name, client_id=name, created_at=NOW)
        token = RefreshToken(token_digest=digest(name), family_id=name, issued_at=NOW, expires_at=NOW + 60)
        database.write_sync(lambda tx, family=family: tokens.start(tx, family))
        database.write_sync(lambda tx, token=token: tokens.add(tx, token))
    removed = [database.write_sync(lambda tx: clients.remove(tx, "web", now=NOW, reason="gone")) for _ in range(2)]
    database.write_sync(lambda tx: clients.add(tx, Client(client_id="web"), digest("new"), NOW))
    assert removed == [1, None]
    web, app = (database.read(lambda tx, name=name: tokens.present(tx, digest(name))) for name in ("web", "app"))
    assert web is not None
    assert (web.family_revoked_at, web.session_revoked_at) == (NOW, NOW)
    assert app is not None
    assert (app.family_revoked_at, app.session_revoked_at) == (None, None)


def test_an_announced_end_of_a_key_can_come_earlier_but_not_later(database: Database) -> None:
    """An emergency does not wait for the rotation that is under way."""
    keys = StoredSigningKeys()
    key = SigningKeyRecord(kid="a", sealed_private=b"s", public_jwk="{}", created_at=NOW, activates_at=NOW)
    database.write_sync(lambda tx: keys.add(tx, key))
    moments = (NOW + 600, NOW + 700, NOW + 5)
    assert [database.write_sync(lambda tx, at=at: keys.retire(tx, "a", at)) for at in moments] == [True, False, True]
    assert database.read(keys.list)[0].retired_at == NOW + 5


def session_of(client_id: str) -> Session:
    """Alice's session at that client."""
    return Session(
        session_id=client_id,
        user_id="alice",
        client_id=client_id,
        amr="pwd",
        acr="1",
        auth_time=int(NOW),
        ip="198.51.100.9",
        user_agent="",
        device_digest=None,
        risk_score=None,
        created_at=NOW,
        expires_at=NOW + 60,
    )


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
