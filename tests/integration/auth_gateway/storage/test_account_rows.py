"""What the account's pages read and take back, on both databases."""

import asyncio
from typing import Any

import pytest

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.factors import StoredFactors
from auth_gateway.adapters.storage.provider.consents import StoredConsents
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account, Factor
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import TrustedDevice
from auth_gateway.core.provider.authorization import Consent
from auth_gateway.core.session import Session
from plumbing.database import Database

NOW = 1_700_000_000.0
BOB = Account(user_id="bob", username="bob", display_name="Bob", password_hash="$2b$12$abc", created_at=1.0)


def line(event_id: str, **changed: Any) -> AuditEvent:
    known: dict[str, Any] = {"event_id": event_id, "ts": NOW, "kind": "login.allowed", "user_id": "alice"}
    return AuditEvent(**{**known, **changed})


def device(name: str, user_id: str = "alice", created_at: float = NOW) -> TrustedDevice:
    return TrustedDevice(
        token_digest=name.encode(),
        device_id=name,
        user_id=user_id,
        user_agent="Firefox",
        ip="198.51.100.9",
        place="Lyon, FR",
        created_at=created_at,
        expires_at=created_at + 100,
    )


def test_a_persons_lines_are_theirs_without_refreshes_and_the_newest_first(database: Database) -> None:
    """Since a moment, and at most so many."""
    audit = StoredAuditTrail()
    for each in (
        line("old", ts=NOW - 10),
        line("first"),
        line("second"),
        line("refresh", kind="token.refreshed", ts=NOW + 1),
        line("hers", user_id="bob"),
        line("nobodys", user_id=None),
        line("last", ts=NOW + 2),
    ):
        database.write_sync(lambda tx, each=each: audit.record(tx, each))

    def ids(since: float, limit: int = 10) -> list[str]:
        found = database.read(lambda tx: audit.of_user(tx, "alice", since=since, limit=limit))
        return [each.event_id for each in found]

    assert ids(NOW) == ["last", "second", "first"]
    assert ids(NOW - 10) == ["last", "second", "first", "old"]
    assert ids(NOW - 10, limit=2) == ["last", "second"]


def test_an_authenticator_is_removed_by_its_owner_and_once(database: Database) -> None:
    """Not by somebody who knows its id, and not when it was replaced meanwhile."""
    factors = StoredFactors()
    factor = Factor(factor_id="f1", user_id="alice", sealed_secret=b"x", last_used_step=-1, created_at=NOW)
    database.write_sync(lambda tx: factors.put(tx, factor))
    assert not database.write_sync(lambda tx: factors.remove(tx, "bob", "f1"))
    assert not database.write_sync(lambda tx: factors.remove(tx, "alice", "f0"))
    assert database.write_sync(lambda tx: factors.remove(tx, "alice", "f1"))
    assert not database.write_sync(lambda tx: factors.remove(tx, "alice", "f1"))


def test_a_consent_is_withdrawn_by_its_person(database: Database) -> None:
    """The other one's stays."""
    consents = StoredConsents()
    database.write_sync(lambda tx: StoredUsers().add(tx, BOB))
    for user_id in ("alice", "bob"):
        consent = Consent(user_id=user_id, client_id="app", scope="openid", granted_at=NOW)
        database.write_sync(lambda tx, consent=consent: consents.put(tx, consent))
    assert [each.client_id for each in database.read(lambda tx: consents.of_user(tx, "alice"))] == ["app"]
    assert database.write_sync(lambda tx: consents.remove(tx, "alice", "app"))
    assert not database.write_sync(lambda tx: consents.remove(tx, "alice", "app"))
    assert database.read(lambda tx: consents.of_user(tx, "alice")) == []
    assert len(database.read(lambda tx: consents.of_user(tx, "bob"))) == 1


def test_a_session_is_seen_later_and_never_earlier(database: Database) -> None:
    """Two gateways' clocks may differ."""
    sessions = StoredSessions()
    session = Session(
        session_id="s1",
        user_id="alice",
        client_id="web",
        amr="pwd",
        acr="aal1",
        auth_time=int(NOW),
        ip="",
        user_agent="",
        device_digest=None,
        risk_score=None,
        created_at=NOW,
        expires_at=NOW + 100,
    )
    database.write_sync(lambda tx: sessions.add(tx, session))
    for moment in (NOW + 50, NOW + 20):
        database.write_sync(lambda tx, moment=moment: sessions.see(tx, "s1", moment))
    found = database.read(lambda tx: sessions.find(tx, "s1"))
    assert found is not None
    assert (found.last_seen_at, found.seen_at) == (NOW + 50, NOW + 50)


def test_new_recovery_codes_take_the_place_of_the_ones_before(database: Database) -> None:
    """None of a person's older ones counts; another person's do."""
    codes = StoredRecoveryCodes()
    database.write_sync(lambda tx: StoredUsers().add(tx, BOB))
    database.write_sync(lambda tx: codes.replace(tx, "bob", [b"b"], NOW))
    database.write_sync(lambda tx: codes.replace(tx, "alice", [b"1", b"2"], NOW))
    assert database.write_sync(lambda tx: codes.use(tx, "alice", b"1", NOW))
    assert database.read(lambda tx: codes.left(tx, "alice")) == 1
    database.write_sync(lambda tx: codes.replace(tx, "alice", [b"3"], NOW))
    assert not database.write_sync(lambda tx: codes.use(tx, "alice", b"2", NOW))
    assert not database.write_sync(lambda tx: codes.use(tx, "alice", b"b", NOW))
    assert database.read(lambda tx: codes.left(tx, "alice")) == 1
    assert database.read(lambda tx: codes.left(tx, "bob")) == 1


@pytest.mark.parametrize("crowd", [2, 5, 20])
def test_one_recovery_code_has_one_winner(database: Database, crowd: int) -> None:
    """However many send it at once."""
    codes = StoredRecoveryCodes()
    database.write_sync(lambda tx: codes.replace(tx, "alice", [b"1", b"2"], NOW))

    async def race() -> list[bool]:
        return await asyncio.gather(
            *(database.write(lambda tx: codes.use(tx, "alice", b"1", NOW)) for _ in range(crowd))
        )

    assert sum(asyncio.run(race())) == 1
    assert database.read(lambda tx: codes.left(tx, "alice")) == 1


def test_trusted_browsers_are_listed_revoked_and_swept(database: Database) -> None:
    """By their owner, one or all; the expired go with time."""
    trusted = StoredTrustedDevices()
    database.write_sync(lambda tx: StoredUsers().add(tx, BOB))
    for each in (device("d1"), device("d2", created_at=NOW + 1), device("d3"), device("his", "bob")):
        database.write_sync(lambda tx, each=each: trusted.add(tx, each))

    def ids(user_id: str = "alice") -> list[str]:
        return [each.device_id for each in database.read(lambda tx: trusted.of_user(tx, user_id))]

    assert ids() == ["d2", "d1", "d3"]
    assert not database.write_sync(lambda tx: trusted.revoke(tx, "alice", "his", NOW))
    assert database.write_sync(lambda tx: trusted.revoke(tx, "alice", "d1", NOW))
    assert not database.write_sync(lambda tx: trusted.revoke(tx, "alice", "d1", NOW))
    found = database.read(lambda tx: trusted.find(tx, b"d1"))
    assert found is not None
    assert found.revoked_at == NOW
    assert database.write_sync(lambda tx: trusted.revoke_all(tx, "alice", NOW)) == 2
    assert (ids(), ids("bob")) == ([], ["his"])
    assert database.write_sync(lambda tx: trusted.forget_expired(tx, NOW + 101)) == 3
