"""Each compare-and-set by itself: the second one finds nothing to set."""

import msgspec
import pytest

from auth_gateway.adapters.storage.factors import StoredFactors, StoredKnownDevices
from auth_gateway.adapters.storage.pending_logins import StoredPendingLogins
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Factor
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from plumbing.database import Database

NOW = 1_700_000_000.0
SESSION = Session(
    session_id="s1",
    user_id="alice",
    client_id="web",
    amr="pwd",
    acr="aal1",
    auth_time=int(NOW),
    ip="198.51.100.9",
    user_agent="",
    device_digest=None,
    risk_score=None,
    created_at=NOW,
    expires_at=NOW + 1000,
)
PENDING = PendingLogin(
    challenge_id="chg_1",
    token_digest=b"challenge",
    user_id="alice",
    client_id="web",
    password_version=1,
    device_digest=b"device",
    event_id="evt_1",
    event=b"{}",
    risk_score=70.0,
    risk_level="medium",
    created_at=NOW,
    expires_at=NOW + 300,
    attempts_left=2,
)
TOKEN = RefreshToken(token_digest=b"token", family_id="f1", issued_at=NOW, expires_at=NOW + 100)


@pytest.fixture
def tokens(database: Database) -> StoredRefreshTokens:
    """One session with one family and one token."""
    stored = StoredRefreshTokens()

    def job(tx: object) -> None:
        StoredSessions().add(tx, SESSION)  # type: ignore[arg-type]
        stored.start(tx, RefreshFamily(family_id="f1", session_id="s1", client_id="web", created_at=NOW))  # type: ignore[arg-type]
        stored.add(tx, TOKEN)  # type: ignore[arg-type]

    database.write_sync(job)
    return stored


def test_a_refresh_token_is_spent_once(database: Database, tokens: StoredRefreshTokens) -> None:
    """The second spender is told so, and the first one's successor stays."""
    spend = [
        database.write_sync(lambda tx, s=s: tokens.use(tx, b"token", successor_digest=s, now=NOW)) for s in (b"a", b"b")
    ]
    assert spend == [True, False]
    database.write_sync(lambda tx: tokens.add(tx, msgspec.structs.replace(TOKEN, token_digest=b"a", used_at=NOW + 5)))
    presented = database.read(lambda tx: tokens.present(tx, b"token"))
    assert presented is not None
    assert (presented.used_at, presented.successor_used_at) == (NOW, NOW + 5)


def test_a_presented_token_comes_with_all_that_judges_it(database: Database, tokens: StoredRefreshTokens) -> None:
    """Family, session and user in one look-up, in the order that `Presented` names them."""
    presented = database.read(lambda tx: tokens.present(tx, b"token"))
    assert presented is not None
    assert (presented.family_id, presented.client_id, presented.session_id) == ("f1", "web", "s1")
    assert (presented.user_id, presented.amr, presented.acr, presented.auth_time) == ("alice", "pwd", "aal1", int(NOW))
    assert (presented.expires_at, presented.session_expires_at) == (NOW + 100, NOW + 1000)
    assert (presented.used_at, presented.family_revoked_at, presented.session_revoked_at) == (None, None, None)
    assert not presented.is_frozen
    assert database.read(lambda tx: tokens.present(tx, b"other")) is None


def test_revocations_and_freezing_show_at_the_next_presentation(
    database: Database, tokens: StoredRefreshTokens
) -> None:
    """A family, a session and an account each stop the token; each is revoked once."""
    revoke = lambda: database.write_sync(lambda tx: tokens.revoke_family(tx, "f1", now=NOW))  # noqa: E731
    assert [revoke(), revoke()] == [True, False]
    end = lambda: database.write_sync(lambda tx: StoredSessions().revoke(tx, "s1", now=NOW, reason="r"))  # noqa: E731
    assert [end(), end()] == [True, False]
    freeze = lambda: database.write_sync(lambda tx: StoredUsers().set_frozen(tx, "alice", is_frozen=True))  # noqa: E731
    assert [freeze(), freeze()] == [True, False]
    presented = database.read(lambda tx: tokens.present(tx, b"token"))
    assert presented is not None
    assert (presented.family_revoked_at, presented.session_revoked_at, bool(presented.is_frozen)) == (NOW, NOW, True)


def test_attempts_run_out(database: Database) -> None:
    """Two attempts are two; another client, a late one and a finished one have none."""
    pending = StoredPendingLogins()
    database.write_sync(lambda tx: pending.add(tx, PENDING))

    def attempt(client_id: str = "web", now: float = NOW) -> bool:
        return database.write_sync(lambda tx: pending.count_attempt(tx, b"challenge", client_id=client_id, now=now))

    assert [attempt("other"), attempt(now=NOW + 300), attempt(), attempt(), attempt()] == [
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_challenge_is_consumed_once(database: Database) -> None:
    """And no attempt follows."""
    pending = StoredPendingLogins()
    database.write_sync(lambda tx: pending.add(tx, PENDING))
    consumed = [database.write_sync(lambda tx: pending.consume(tx, b"challenge", NOW)) for _ in range(2)]
    assert consumed == [True, False]
    assert not database.write_sync(lambda tx: pending.count_attempt(tx, b"challenge", client_id="web", now=NOW))


def test_a_pending_login_comes_back_as_it_was_put(database: Database) -> None:
    """Every field, in its place."""
    pending = StoredPendingLogins()
    database.write_sync(lambda tx: pending.add(tx, PENDING))
    assert database.read(lambda tx: pending.find(tx, b"challenge")) == PENDING


def test_a_session_comes_back_as_it_was_put(database: Database) -> None:
    """Every field, in its place."""
    database.write_sync(lambda tx: StoredSessions().add(tx, SESSION))
    assert database.read(lambda tx: StoredSessions().find(tx, "s1")) == SESSION


def test_a_time_step_is_spent_once_and_never_backwards(database: Database) -> None:
    """n, n again, n-1: one winner; and no step of a factor that is gone."""
    factors = StoredFactors()
    factor = Factor(factor_id="f", user_id="alice", sealed_secret=b"s", last_used_step=-1, created_at=NOW)
    database.write_sync(lambda tx: factors.put(tx, factor))
    spent = [database.write_sync(lambda tx, n=n: factors.use_step(tx, "f", n)) for n in (100, 100, 99, 101)]
    assert spent == [True, False, False, True]
    database.write_sync(lambda tx: factors.put(tx, msgspec.structs.replace(factor, factor_id="g")))
    assert not database.write_sync(lambda tx: factors.use_step(tx, "f", 200))


def test_one_look_up_tells_what_a_login_needs(database: Database) -> None:
    """Account, factor and device; a device of somebody else is not known."""
    users = StoredUsers()
    before = database.read(lambda tx: users.login_facts(tx, "alice", b"device"))
    assert before is not None
    assert (before.factors, before.is_known_device) == ((), False)
    factor = Factor(factor_id="f", user_id="alice", sealed_secret=b"s", last_used_step=-1, created_at=NOW)
    database.write_sync(lambda tx: StoredFactors().put(tx, factor))
    database.write_sync(lambda tx: StoredKnownDevices().remember(tx, "alice", b"device", NOW))
    database.write_sync(lambda tx: StoredKnownDevices().remember(tx, "alice", b"device", NOW + 1))
    after = database.read(lambda tx: users.login_facts(tx, "alice", b"device"))
    assert after is not None
    assert (after.factors, after.is_known_device) == (("totp",), True)
    for device in (b"other", None):
        facts = database.read(lambda tx, d=device: users.login_facts(tx, "alice", d))
        assert facts is not None
        assert not facts.is_known_device
    assert database.read(lambda tx: users.login_facts(tx, "bob", b"device")) is None


def test_the_slowest_scheme_in_use_can_be_known(database: Database) -> None:
    """Each scheme and cost once."""
    users = StoredUsers()
    database.write_sync(
        lambda tx: users.upgrade_hash(
            tx, "alice", expected_hash="$2b$12$abc", new_hash="$argon2id$v=19$m=1,t=1,p=1$s$h"
        )
    )
    assert database.read(users.schemes) == ["argon2id$v=19$m=1,t=1,p=1"]
