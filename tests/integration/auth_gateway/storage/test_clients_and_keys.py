"""Registered applications and signing keys."""

import hashlib

from sqlalchemy import bindparam, update

from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.adapters.storage.tables import ClientRow, table_of
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.provider.authorization import AuthorizationCode, Consent
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from auth_gateway.flows.ports import SigningKeyRecord
from plumbing.database import Database
from plumbing.statements import Statement, Transaction

NOW = 1_700_000_000.0


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def test_a_client_is_known_by_its_secret(database: Database) -> None:
    """Right secret: what it is trusted with; wrong secret, no secret or unknown id: nobody."""
    clients, web = StoredClients(), RegisteredClient(client_id="web", may_vouch=True, redirect_uris=("https://w.ex",))
    assert database.write_sync(lambda tx: clients.add(tx, web, digest("s"), NOW))
    assert database.write_sync(lambda tx: clients.add(tx, RegisteredClient(client_id="tv"), b"", NOW))

    def known(client_id: str, secret_digest: bytes) -> RegisteredClient | None:
        return database.read(lambda tx: clients.authenticate(tx, client_id, secret_digest, NOW))

    assert known("web", digest("s")) == web
    assert [known("web", digest("t")), known("app", digest("s")), known("tv", b""), known("web", b"")] == [None] * 4


def test_a_client_id_is_given_once(database: Database) -> None:
    """The second registration changes nothing."""
    clients, web = StoredClients(), RegisteredClient(client_id="web", grant_types=("refresh_token",))
    database.write_sync(lambda tx: clients.add(tx, web, digest("s"), NOW))
    greedy = RegisteredClient(client_id="web", may_vouch=True, may_see_scores=True)
    assert not database.write_sync(lambda tx: clients.add(tx, greedy, digest("t"), NOW))
    assert database.read(clients.list) == [web]
    assert database.read(lambda tx: clients.find(tx, "web")) == web


def test_nobody_has_the_id_of_an_application_and_no_application_that_of_a_person(database: Database) -> None:
    """Both ids stand as `sub` in tokens for the same APIs."""
    clients, users = StoredClients(), StoredUsers()
    taken = RegisteredClient(client_id="alice", grant_types=("client_credentials",))
    assert not database.write_sync(lambda tx: clients.add(tx, taken, digest("s"), NOW))
    assert database.read(clients.list) == []
    database.write_sync(lambda tx: clients.add(tx, RegisteredClient(client_id="reports"), digest("s"), NOW))
    for user_id, is_taken in (("reports", False), ("reports-1", True)):
        mallory = Account(user_id=user_id, username="mallory", display_name="M", password_hash="$2b$x", created_at=NOW)
        assert database.write_sync(lambda tx, one=mallory: users.add(tx, one)) is is_taken


def test_a_client_of_before_there_were_registrations_logs_people_in(database: Database) -> None:
    """Its row says nothing more, so it may do what it always could."""
    clients = StoredClients()
    database.write_sync(lambda tx: clients.add(tx, RegisteredClient(client_id="web"), digest("s"), NOW))
    table = table_of(ClientRow)
    database.write_sync(lambda tx: tx.run(Statement(update(table).values(registration=bindparam("told"))), told="{}"))
    found = database.read(lambda tx: clients.find(tx, "web"))
    assert found == RegisteredClient(client_id="web", may_log_in=True)


def test_an_old_secret_works_until_its_time(database: Database) -> None:
    """Both sides of the boundary; a second rotation leaves the first secret behind; nobody has no secret to rotate."""
    clients = StoredClients()
    database.write_sync(lambda tx: clients.add(tx, RegisteredClient(client_id="web"), digest("a"), NOW))
    database.write_sync(lambda tx: clients.add(tx, RegisteredClient(client_id="tv"), b"", NOW))

    def rotate(client_id: str, secret: str, until: float) -> bool:
        return database.write_sync(
            lambda tx: clients.rotate_secret(tx, client_id, secret_digest=digest(secret), previous_until=until)
        )

    def works(secret: str, now: float) -> bool:
        return database.read(lambda tx: clients.authenticate(tx, "web", digest(secret), now)) is not None

    assert [rotate("web", "b", NOW + 60), rotate("tv", "b", NOW), rotate("app", "b", NOW)] == [True, False, False]
    assert [works("a", NOW + 59), works("a", NOW + 60), works("b", NOW + 60)] == [True, False, True]
    assert rotate("web", "c", NOW)
    assert [works("a", NOW), works("b", NOW), works("c", NOW)] == [False, False, True]


def test_a_removed_client_leaves_nothing_to_whoever_gets_its_id(database: Database) -> None:
    """Its refresh tokens, parts, codes and consents are gone when the id is given again; those of others live on."""
    clients, sessions, tokens = StoredClients(), StoredSessions(), StoredRefreshTokens()
    store = ProviderStore()
    for name in ("web", "app"):
        client, session = RegisteredClient(client_id=name), session_of(name)
        family = RefreshFamily(family_id=name, session_id=name, client_id=name, created_at=NOW)
        token = RefreshToken(token_digest=digest(name), family_id=name, issued_at=NOW, expires_at=NOW + 60)
        consent = Consent(user_id="alice", client_id=name, scope="openid", granted_at=NOW)

        def job(tx: Transaction) -> None:
            clients.add(tx, client, digest(name), NOW)  # noqa: B023 - runs before the next round
            sessions.add(tx, session)  # noqa: B023
            tokens.start(tx, family)  # noqa: B023
            tokens.add(tx, token)  # noqa: B023
            store.session_clients.join(tx, "other", name, NOW)  # noqa: B023
            store.codes.add(tx, code_of(name))  # noqa: B023
            store.consents.put(tx, consent)  # noqa: B023

        database.write_sync(job)
    assert database.read(lambda tx: clients.sessions_of(tx, "web")) == ["web"]
    assert [database.write_sync(lambda tx: clients.remove(tx, "web", now=NOW)) for _ in range(2)] == [True, False]
    web, app = (database.read(lambda tx, name=name: tokens.present(tx, digest(name))) for name in ("web", "app"))
    assert web is not None
    assert app is not None
    assert (web.family_revoked_at, app.family_revoked_at) == (NOW, None)
    assert database.read(lambda tx: store.session_clients.of(tx, "other")) == ["app"]
    kept = [
        (
            database.read(lambda tx, n=name: store.codes.find(tx, digest(n))) is not None,
            database.read(lambda tx, n=name: store.consents.find(tx, "alice", n)) is not None,
        )
        for name in ("web", "app")
    ]
    assert kept == [(False, False), (True, True)]


def code_of(client_id: str) -> AuthorizationCode:
    """A code of that client."""
    return AuthorizationCode(
        code_digest=digest(client_id),
        client_id=client_id,
        session_id=client_id,
        redirect_uri="https://w.ex",
        scope="openid",
        code_challenge="c",
        created_at=NOW,
        expires_at=NOW + 60,
    )


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
