"""Accounts are found by their verified address alone, and two kinds of freezes stay apart, on both databases."""

from pathlib import Path

import msgspec
import pytest

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.recoverable import MOST_OF_ONE_ADDRESS, OF_ADDRESS, StoredRecoverables
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from plumbing.database import Database

KEPT = StoredRecoverables()
USERS = StoredUsers()
BOB = Account(user_id="bob", username="bob", display_name="Bob", password_hash="$2b$12$abc")


def add(database: Database, user_id: str, **more: object) -> None:
    account = msgspec.structs.replace(BOB, user_id=user_id, username=user_id, **more)
    assert database.write_sync(lambda tx: USERS.add(tx, account))


def state(database: Database) -> tuple[bool, str]:
    account = database.read(lambda tx: USERS.by_id(tx, "bob"))
    assert account is not None
    return account.is_frozen, account.frozen_reason


@pytest.fixture
def bob(database: Database) -> Database:
    """Bob has a verified address."""
    add(database, "bob", email="bob@example.com", email_verified=True)
    return database


@pytest.mark.parametrize(
    ("asked", "found"),
    [("bob@example.com", ["bob"]), ("Bob@example.com", ["bob"]), ("bob@example.org", []), ("", []), ("%", [])],
)
def test_people_are_found_by_their_address(bob: Database, asked: str, found: list[str]) -> None:
    """However its letters are written, here or there; nothing matches everybody."""
    assert bob.read(lambda tx: KEPT.of_address(tx, asked)) == found


@pytest.mark.parametrize("stored", ["Eve.Moore@example.com", "eve.moore@Example.Com", "EVE.MOORE@EXAMPLE.COM"])
def test_people_are_found_however_their_address_was_given(bob: Database, stored: str) -> None:
    """Operators and imports write addresses as they like, and people type them as they like."""
    add(bob, "eve", email=stored, email_verified=True)
    for asked in ("eve.moore@example.com", "Eve.Moore@example.com", stored):
        assert bob.read(lambda tx, given=asked: KEPT.of_address(tx, given)) == ["eve"]  # type: ignore[misc]


def test_an_address_that_nobody_verified_finds_nobody(bob: Database) -> None:
    """Whoever wrote somebody else's address into their account gets no letters there."""
    add(bob, "eve", email="bob@example.com", email_verified=False)
    assert bob.read(lambda tx: KEPT.of_address(tx, "bob@example.com")) == ["bob"]


def test_an_address_of_many_finds_a_few(bob: Database) -> None:
    """One question writes a bounded number of letters."""
    for number in range(MOST_OF_ONE_ADDRESS):
        add(bob, f"clone{number}", email="bob@example.com", email_verified=True)
    assert len(bob.read(lambda tx: KEPT.of_address(tx, "bob@example.com"))) == MOST_OF_ONE_ADDRESS


def test_the_look_up_by_address_uses_its_index(tmp_path: Path) -> None:
    """A stranger's question reads no whole table."""
    database = open_storage(f"sqlite:///{tmp_path}/gateway.db")
    sql = OF_ADDRESS.compiled().sql
    with database.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("x",) * sql.count("?")).fetchall()
    database.close()
    steps = [str(row[3]) for row in plan if "users" in str(row[3])]
    assert steps
    assert all("ix_users_email" in step for step in steps), steps


def test_an_owners_freeze_is_lifted_by_its_owner(bob: Database) -> None:
    """Once each."""
    assert [bob.write_sync(lambda tx: KEPT.freeze(tx, "bob")) for _ in range(2)] == [True, False]
    assert state(bob) == (True, "reported")
    assert [bob.write_sync(lambda tx: KEPT.unfreeze(tx, "bob")) for _ in range(2)] == [True, False]
    assert state(bob) == (False, "")


def test_either_freeze_ends_what_is_half_done(bob: Database) -> None:
    """A login that began before it finds another version, also once it is lifted."""
    bob.write_sync(lambda tx: KEPT.freeze(tx, "bob"))
    bob.write_sync(lambda tx: KEPT.unfreeze(tx, "bob"))
    assert not bob.write_sync(lambda tx: USERS.is_still(tx, "bob", 1))
    assert bob.write_sync(lambda tx: USERS.is_still(tx, "bob", 2))
    for is_frozen in (True, False):
        bob.write_sync(lambda tx, to=is_frozen: USERS.set_frozen(tx, "bob", is_frozen=to))  # type: ignore[misc]
    assert not bob.write_sync(lambda tx: USERS.is_still(tx, "bob", 2))


def test_an_operators_freeze_is_not(bob: Database) -> None:
    """Neither by recovery, nor by a report that comes after it."""
    bob.write_sync(lambda tx: USERS.set_frozen(tx, "bob", is_frozen=True))
    assert not bob.write_sync(lambda tx: KEPT.freeze(tx, "bob"))
    assert not bob.write_sync(lambda tx: KEPT.unfreeze(tx, "bob"))
    assert state(bob) == (True, "")


def test_an_operator_takes_a_freeze_over(bob: Database) -> None:
    """From then on recovery does not lift it; the operator does."""
    bob.write_sync(lambda tx: KEPT.freeze(tx, "bob"))
    assert bob.write_sync(lambda tx: USERS.set_frozen(tx, "bob", is_frozen=True))
    assert not bob.write_sync(lambda tx: KEPT.unfreeze(tx, "bob"))
    assert bob.write_sync(lambda tx: USERS.set_frozen(tx, "bob", is_frozen=False))
    assert state(bob) == (False, "")
