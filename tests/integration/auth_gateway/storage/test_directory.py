"""Lists of accounts are pages along an index, on both databases, whatever order of words the database has."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.directory import MAILED, NAMED, StoredDirectory
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.account_line import START, State
from auth_gateway.flows.account_directory import AccountDirectory
from plumbing.database import Database

BOB = Account(user_id="id-bob", username="bob", display_name="Bob", password_hash="$2b$12$abc")
PEOPLE = (
    ("bob", "zoe@example.com"), ("bob-2", ""), ("bob.3", "x@example.com"), ("bobby", "bobby@example.com"),
    ("carl", "Bobs.Brother@example.com"), ("zoé", "bob@example.org"), ("zz", "bobs@example.net"),
)  # fmt: skip


@pytest.fixture
def directory(database: Database) -> AccountDirectory:
    """Alice of the storage's own, and people whose names and addresses begin alike; two are frozen."""
    for name, email in PEOPLE:
        account = msgspec.structs.replace(BOB, user_id=f"id-{name}", username=name, email=email)
        assert database.write_sync(lambda tx, account=account: StoredUsers().add(tx, account))
    for name in ("bobby", "zz"):
        database.write_sync(lambda tx, name=name: StoredUsers().set_frozen(tx, f"id-{name}", is_frozen=True))
    return AccountDirectory(database=database, directory=StoredDirectory())


def names(directory: AccountDirectory, query: str, *, state: State | None = None, limit: int) -> list[str]:
    """All pages of it."""
    found, place = [], START
    while True:
        page = directory.page(query, state=state, place=place, limit=limit)
        assert len(page.accounts) <= limit
        found += [each.username for each in page.accounts]
        if page.next is None:
            return found
        place = page.next


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("query", "state", "expected"),
    [
        ("", None, ["alice", "bob", "bob-2", "bob.3", "bobby", "carl", "zoé", "zz"]),
        ("", "frozen", ["bobby", "zz"]),
        ("", "active", ["alice", "bob", "bob-2", "bob.3", "carl", "zoé"]),
        ("Bob", None, ["bob", "bob-2", "bob.3", "bobby", "zoé", "carl", "zz"]),
        ("bob", "frozen", ["bobby", "zz"]),
        ("bob", "active", ["bob", "bob-2", "bob.3", "zoé", "carl"]),
        ("zo", None, ["zoé"]),
        ("zoe", None, ["bob"]),
        ("id-carl", None, ["carl"]),
        ("id-carl", "frozen", []),
        ("nobody", None, []),
        ("%", None, []),
        ("a b", None, []),
    ],
)
def test_everybody_is_found_once_in_order(
    directory: AccountDirectory, query: str, state: State | None, expected: list[str], limit: int
) -> None:
    """By the whole id, then by how the name begins, then by how the address does; pages of any size say the same."""
    assert names(directory, query, state=state, limit=limit) == expected


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (NAMED[None], "sqlite_autoindex_users"),
        (NAMED["frozen"], "ix_users_frozen"),
        (MAILED[None], "ix_users_email"),
        (MAILED["active"], "ix_users_email"),
    ],
)
def test_a_page_is_read_along_its_index(tmp_path: Path, statement: Any, index: str) -> None:
    """Of a million people a page reads as many rows as it shows."""
    database = open_storage(f"sqlite:///{tmp_path}/gateway.db")
    sql = statement.compiled().sql
    with database.engine.connect() as connection:
        values = ("x",) * (sql.count("?") - 1)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (*values, 5)).fetchall()
    database.close()
    steps = [str(row[3]) for row in plan]
    assert any(index in step for step in steps), steps
    assert not any(step.startswith("SCAN") for step in steps), steps


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (NAMED[None], "ix_users_name_bytes"),
        (NAMED["frozen"], "ix_users_frozen_bytes"),
        (MAILED[None], "ix_users_mail_bytes"),
    ],
)
def test_a_server_has_an_index_in_that_order_too(postgresql_url: str, statement: Any, index: str) -> None:
    """Whatever order of words it was made with."""
    database = open_storage(postgresql_url)
    compiled = statement.compiled("postgresql")
    values = [5 if name == "most" else "x" for name in compiled.names]
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        connection.exec_driver_sql("SET enable_sort = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled.sql}", tuple(values)).fetchall()
    database.close()
    assert any(f"{index} on users" in str(row[0]) for row in plan), plan
