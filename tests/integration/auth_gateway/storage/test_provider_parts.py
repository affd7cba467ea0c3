"""Browsers, the applications that have a part in a session, consents; and what is forgotten in time."""

import msgspec

from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.provider import ProviderStore, sweeping
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.core.provider.authorization import BrowserSession, Consent
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from plumbing.database import Database

NOW = 1_700_000_000.0
STORE = ProviderStore()
BROWSER = BrowserSession(
    token_digest=b"cookie",
    browser_id="b1",
    session_id="s1",
    user_id="alice",
    created_at=NOW,
    expires_at=NOW + 43_200,
)


def session_of(session_id: str, *, browser_id: str | None = "b1", created_at: float = NOW) -> Session:
    """A session of Alice's."""
    return Session(
        session_id=session_id,
        user_id="alice",
        client_id="web",
        amr="pwd",
        acr="aal1",
        auth_time=int(created_at),
        ip="198.51.100.9",
        user_agent="",
        device_digest=None,
        risk_score=None,
        created_at=created_at,
        expires_at=NOW + 1000,
        browser_id=browser_id,
    )


def add_family(database: Database, name: str, client_id: str) -> None:
    """One refresh token of that application in session `s1`."""
    tokens = StoredRefreshTokens()
    family = RefreshFamily(family_id=name, session_id="s1", client_id=client_id, created_at=NOW)
    token = RefreshToken(token_digest=name.encode(), family_id=name, issued_at=NOW, expires_at=NOW + 60)
    database.write_sync(lambda tx: tokens.start(tx, family))
    database.write_sync(lambda tx: tokens.add(tx, token))


def test_a_browser_is_known_by_its_cookie_until_it_is_forgotten(database: Database) -> None:
    """The digest leads to its session; a forgotten one nowhere."""
    browsers = STORE.browser_sessions
    database.write_sync(lambda tx: browsers.add(tx, BROWSER))
    assert database.read(lambda tx: browsers.find(tx, b"cookie")) == BROWSER
    assert database.read(lambda tx: browsers.find(tx, b"other")) is None
    database.write_sync(lambda tx: browsers.forget(tx, b"cookie"))
    assert database.read(lambda tx: browsers.find(tx, b"cookie")) is None


def test_a_browser_s_sessions_are_those_that_began_there_and_run(database: Database) -> None:
    """The oldest first; not the revoked one, nor one of another browser or of none."""
    sessions = StoredSessions()
    for session in (
        session_of("later", created_at=NOW + 5),
        session_of("first"),
        session_of("over"),
        session_of("elsewhere", browser_id="b2"),
        session_of("json", browser_id=None),
    ):
        database.write_sync(lambda tx, session=session: sessions.add(tx, session))
    database.write_sync(lambda tx: sessions.revoke(tx, "over", now=NOW, reason="logout"))
    assert database.read(lambda tx: STORE.browser_sessions.sessions_of(tx, "b1")) == ["first", "later"]


def test_an_application_joins_a_session_once(database: Database) -> None:
    """Its part began when it came first."""
    parts = STORE.session_clients
    for client_id, at in (("web", NOW), ("app", NOW + 1), ("web", NOW + 2)):
        database.write_sync(lambda tx, c=client_id, at=at: parts.join(tx, "s1", c, at))
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["web", "app"]
    assert not database.read(lambda tx: parts.has_ended(tx, "s1", "web", issued_at=int(NOW)))


def test_the_end_of_a_part_is_that_application_s_alone(database: Database) -> None:
    """Its refresh tokens in this session die; those of others live, and so does the session."""
    database.write_sync(lambda tx: StoredSessions().add(tx, session_of("s1")))
    parts, tokens = STORE.session_clients, StoredRefreshTokens()
    for name in ("web", "app"):
        add_family(database, name, name)
        database.write_sync(lambda tx, name=name: parts.join(tx, "s1", name, NOW))
    ended = [database.write_sync(lambda tx: parts.end(tx, "s1", "web", NOW + 1)) for _ in range(2)]
    assert ended == [True, False]
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["app"]
    web, app = (database.read(lambda tx, name=name: tokens.present(tx, name)) for name in (b"web", b"app"))
    assert web is not None
    assert app is not None
    assert (web.family_revoked_at, app.family_revoked_at, app.session_revoked_at) == (NOW + 1, None, None)


def test_who_had_a_part_hears_of_the_end_and_who_came_after_does_not(database: Database) -> None:
    """An application of before the part ended is the one that had it; one that was registered since is another."""
    parts, clients = STORE.session_clients, StoredClients()
    for name, registered_at in (("web", NOW + 10), ("new", NOW + 11)):
        client = RegisteredClient(client_id=name)
        database.write_sync(lambda tx, c=client, at=registered_at: clients.add(tx, c, b"", at))
        database.write_sync(lambda tx, name=name: parts.join(tx, "s1", name, NOW))
        database.write_sync(lambda tx, name=name: parts.end(tx, "s1", name, NOW + 10))
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["web"]


def test_a_part_that_nobody_wrote_down_ends_too(database: Database) -> None:
    """Ending fails closed: an application that never joined has no part afterwards."""
    parts = STORE.session_clients
    ended = lambda: database.read(lambda tx: parts.has_ended(tx, "s1", "web", issued_at=int(NOW)))  # noqa: E731
    assert not ended()
    assert database.write_sync(lambda tx: parts.end(tx, "s1", "web", NOW))
    assert ended()


def test_a_part_that_begins_anew_does_not_bring_old_tokens_back(database: Database) -> None:
    """What was issued before the new beginning stays dead."""
    parts = STORE.session_clients
    database.write_sync(lambda tx: parts.join(tx, "s1", "web", NOW))
    database.write_sync(lambda tx: parts.end(tx, "s1", "web", NOW + 10))
    database.write_sync(lambda tx: parts.join(tx, "s1", "web", NOW + 20))
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["web"]
    times = (NOW, NOW + 19, NOW + 20)
    ended = [database.read(lambda tx, at=at: parts.has_ended(tx, "s1", "web", issued_at=int(at))) for at in times]
    assert ended == [True, True, False]


def test_nobody_joins_a_session_that_was_revoked(database: Database) -> None:
    """Its end was told already, and nobody would tell an application that comes after."""
    parts, sessions = STORE.session_clients, StoredSessions()
    database.write_sync(lambda tx: sessions.add(tx, session_of("s1")))
    assert database.write_sync(lambda tx: parts.join(tx, "s1", "app", NOW))
    database.write_sync(lambda tx: sessions.revoke(tx, "s1", now=NOW, reason="logout"))
    assert not database.write_sync(lambda tx: parts.join(tx, "s1", "web", NOW))
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["app"]


def test_parts_of_forgotten_sessions_are_forgotten(database: Database) -> None:
    """Those of a session that is still there stay."""
    parts = STORE.session_clients
    database.write_sync(lambda tx: StoredSessions().add(tx, session_of("s1")))
    for session_id in ("s1", "gone"):
        database.write_sync(lambda tx, s=session_id: parts.join(tx, s, "web", NOW))
    assert database.write_sync(parts.forget_orphaned) == 1
    assert database.read(lambda tx: parts.of(tx, "s1")) == ["web"]


def test_a_consent_is_replaced_by_the_next(database: Database) -> None:
    """One for a person and an application."""
    consent = Consent(user_id="alice", client_id="web", scope="openid", granted_at=NOW)
    wider = msgspec.structs.replace(consent, scope="openid email", granted_at=NOW + 1)
    for each in (consent, wider):
        database.write_sync(lambda tx, each=each: STORE.consents.put(tx, each))
    assert database.read(lambda tx: STORE.consents.find(tx, "alice", "web")) == wider
    assert database.read(lambda tx: STORE.consents.find(tx, "alice", "app")) is None


def test_old_rows_go_in_portions(database: Database) -> None:
    """No sweep holds the writer for long; what is left goes with the next one."""
    many = sweeping.PORTION + 1
    seen = STORE.seen_once

    def fill(tx: object) -> None:
        for number in range(many):
            seen.first(tx, number.to_bytes(4, "big"), NOW)  # type: ignore[arg-type]

    database.write_sync(fill)
    gone = [database.write_sync(lambda tx: seen.forget_expired(tx, NOW + 1)) for _ in range(3)]
    assert gone == [sweeping.PORTION, 1, 0]


def test_what_has_not_expired_is_kept(database: Database) -> None:
    """Both sides of the boundary."""
    database.write_sync(lambda tx: STORE.browser_sessions.add(tx, BROWSER))
    forget = lambda at: database.write_sync(lambda tx: STORE.browser_sessions.forget_expired(tx, at))  # noqa: E731
    assert [forget(BROWSER.expires_at), forget(BROWSER.expires_at + 1)] == [0, 1]


def test_a_browser_is_known_as_long_as_a_session_of_its_runs(database: Database) -> None:
    """Signing out there ends it, however long after the cookie has run out; one that was ended needs nobody."""
    for name in ("1", "2"):
        browser = msgspec.structs.replace(
            BROWSER, token_digest=name.encode(), browser_id=f"b{name}", expires_at=NOW + 10
        )
        database.write_sync(lambda tx, browser=browser: STORE.browser_sessions.add(tx, browser))
        session = session_of(f"s{name}", browser_id=f"b{name}")
        database.write_sync(lambda tx, session=session: StoredSessions().add(tx, session))
    database.write_sync(lambda tx: StoredSessions().revoke(tx, "s2", now=NOW, reason="logout"))
    forget = lambda at: database.write_sync(lambda tx: STORE.browser_sessions.forget_expired(tx, at))  # noqa: E731
    assert [forget(NOW + 1000), forget(NOW + 1000), forget(NOW + 1001)] == [1, 0, 1]
