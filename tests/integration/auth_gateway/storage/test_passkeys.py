"""Passkeys on both databases: whose they are, and a counter that only grows."""

import msgspec
import pytest

from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.factor import Passkey
from plumbing.database import Database

NOW = 1_700_000_000.0
STORED = StoredPasskeys()
KEY = Passkey(
    credential_id=b"\x00credential\xff",
    user_id="alice",
    public_key=b"\xa5cose",
    sign_count=0,
    name="Phone",
    aaguid="00000000-0000-0000-0000-000000000000",
    transports="hybrid internal",
    is_backup_eligible=True,
    is_backed_up=False,
    created_at=NOW,
)


def add(database: Database, passkey: Passkey = KEY) -> bool:
    return database.write_sync(lambda tx: STORED.add(tx, passkey))


def use(database: Database, count: int, *, credential_id: bytes = KEY.credential_id) -> bool:
    return database.write_sync(
        lambda tx: STORED.use(tx, credential_id, sign_count=count, is_backed_up=True, now=NOW + 5)
    )


def test_a_passkey_comes_back_as_it_was_put(database: Database) -> None:
    """By its id, and among its person's, the oldest first."""
    younger = msgspec.structs.replace(KEY, credential_id=b"a", created_at=NOW + 1)
    assert add(database, younger)
    assert add(database)
    assert database.read(lambda tx: STORED.find(tx, KEY.credential_id)) == KEY
    assert database.read(lambda tx: STORED.find(tx, b"other")) is None
    assert database.read(lambda tx: STORED.of_user(tx, "alice")) == [KEY, younger]
    assert database.read(lambda tx: STORED.of_user(tx, "bob")) == []


def test_a_credential_is_one_persons(database: Database) -> None:
    """Whoever comes second with it gets nothing, and changes nothing."""
    bob = Account(user_id="bob", username="bob", display_name="Bob", password_hash="$2b$12$abc")
    database.write_sync(lambda tx: StoredUsers().add(tx, bob))
    stolen = msgspec.structs.replace(KEY, user_id="bob", public_key=b"mine")
    assert [add(database), add(database), add(database, stolen)] == [True, False, False]
    assert database.read(lambda tx: STORED.find(tx, KEY.credential_id)) == KEY


@pytest.mark.parametrize(
    ("kept", "shown", "is_good"),
    [
        (0, 0, True),
        (0, 1, True),
        (5, 6, True),
        (5, 5, False),
        (5, 4, False),
        (5, 0, False),
        (0, 4_294_967_295, True),
        (4_294_967_294, 4_294_967_295, True),
    ],
)
def test_a_counter_grows_or_stays_at_nothing(database: Database, kept: int, shown: int, is_good: bool) -> None:
    """What it refuses changes no row; four bytes without a sign fit."""
    add(database, msgspec.structs.replace(KEY, sign_count=kept))
    assert use(database, shown) is is_good
    found = database.read(lambda tx: STORED.find(tx, KEY.credential_id))
    assert found is not None
    expected = (shown, True, NOW + 5) if is_good else (kept, False, None)
    assert (found.sign_count, found.is_backed_up, found.last_used_at) == expected


def test_what_is_not_there_is_not_used(database: Database) -> None:
    """A passkey that was removed meanwhile opens nothing."""
    assert not use(database, 1, credential_id=b"other")


def test_only_its_own_person_names_and_removes_a_passkey(database: Database) -> None:
    """Once."""
    add(database)

    def rename(user_id: str) -> bool:
        return database.write_sync(lambda tx: STORED.rename(tx, user_id, KEY.credential_id, "Laptop"))

    def remove(user_id: str) -> bool:
        return database.write_sync(lambda tx: STORED.remove(tx, user_id, KEY.credential_id))

    assert [rename("bob"), rename("alice")] == [False, True]
    renamed = msgspec.structs.replace(KEY, name="Laptop")
    assert database.read(lambda tx: STORED.find(tx, KEY.credential_id)) == renamed
    assert [remove("bob"), remove("alice"), remove("alice")] == [False, True, False]
