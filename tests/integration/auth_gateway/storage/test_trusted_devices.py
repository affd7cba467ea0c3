"""Browsers that their owners trust, and what one look-up tells of factors, on both databases."""

import msgspec
import pytest

from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.factor import TrustedDevice
from plumbing.database import Database

NOW = 1_700_000_000.0
MAILED = Account(
    user_id="mia",
    username="mia",
    display_name="Mia",
    password_hash="x",
    created_at=1.0,
    email="mia@example.com",
    email_verified=True,
)
DEVICE = TrustedDevice(
    token_digest=b"token",
    device_id="tdv_1",
    user_id="alice",
    user_agent="Firefox",
    ip="198.51.100.9",
    place="",
    created_at=NOW,
    expires_at=NOW + 100,
)


def is_trusted(database: Database, *, name: str = "alice", token: bytes | None = b"token", now: float = NOW) -> bool:
    users = StoredUsers()
    facts = database.read(lambda tx: users.login_facts(tx, name, None, trusted_digest=token, now=now))
    assert facts is not None
    return facts.is_trusted_device


@pytest.fixture
def devices(database: Database) -> StoredTrustedDevices:
    """Alice trusts one browser, and another account is there."""
    stored = StoredTrustedDevices()
    database.write_sync(lambda tx: StoredUsers().add(tx, MAILED))
    database.write_sync(lambda tx: stored.add(tx, DEVICE))
    return stored


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, True),
        ({"now": NOW + 99.9}, True),
        ({"now": NOW + 100}, False),
        ({"token": b"another"}, False),
        ({"token": None}, False),
        ({"name": "mia"}, False),
    ],
)
def test_a_browser_is_trusted_by_its_owner_alone(
    database: Database, devices: StoredTrustedDevices, shown: dict[str, object], expected: bool
) -> None:
    """By its own cookie, for that account, in its time."""
    assert is_trusted(database, **shown) is expected  # type: ignore[arg-type]


def test_one_browser_or_all_of_them_are_trusted_no_more(database: Database, devices: StoredTrustedDevices) -> None:
    """By their owner alone, and once."""
    other = msgspec.structs.replace(DEVICE, token_digest=b"other", device_id="tdv_2", created_at=NOW + 1)
    database.write_sync(lambda tx: devices.add(tx, other))
    listed = database.read(lambda tx: devices.of_user(tx, "alice"))
    assert [device.device_id for device in listed] == ["tdv_2", "tdv_1"]
    revoked = [
        database.write_sync(lambda tx, u=u: devices.revoke(tx, u, "tdv_2", NOW)) for u in ("mia", "alice", "alice")
    ]
    assert revoked == [False, True, False]
    assert (is_trusted(database, token=b"other"), is_trusted(database)) == (False, True)
    assert database.write_sync(lambda tx: devices.revoke_all(tx, "alice", NOW)) == 1
    assert not is_trusted(database)


def test_old_trust_is_forgotten(database: Database, devices: StoredTrustedDevices) -> None:
    """By its end."""
    assert database.write_sync(lambda tx: devices.forget_expired(tx, NOW + 100)) == 0
    assert database.write_sync(lambda tx: devices.forget_expired(tx, NOW + 100.5)) == 1


def test_factors_are_those_that_could_be_shown_now(database: Database, devices: StoredTrustedDevices) -> None:
    """A verified address is one, a recovery code that was used is none."""
    users, codes = StoredUsers(), StoredRecoveryCodes()
    kinds = lambda user: database.read(lambda tx: users.factor_kinds(tx, user))  # noqa: E731
    assert (kinds("alice"), kinds("mia"), kinds("nobody")) == ((), ("email_code",), ())
    database.write_sync(lambda tx: codes.replace(tx, "mia", [b"one"], NOW))
    assert kinds("mia") == ("recovery_code", "email_code")
    database.write_sync(lambda tx: codes.use(tx, "mia", b"one", NOW))
    assert kinds("mia") == ("email_code",)
