"""A schema moves on while older processes serve from it: what is added disturbs nobody, what is taken away waits."""

import re
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event

from auth_gateway.adapters import storage as gateway
from plumbing import migrations
from plumbing.migrations import NewerSchema, SchemaBehind, TablesHeld, pending, upgrade
from plumbing.schema_steps import steps
from risk_scorer.adapters import storage as scorer
from tests.integration.plumbing.test_migrations import add_migration, tables
from tests.postgresql import Server

INDEX_ALONE = """
from alembic import op
from plumbing.schema_steps import add_index

revision, down_revision, branch_labels, depends_on = "0003", "0002", None, None


def upgrade():
    add_index(op, "people_names", "people", ["name"])
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one migration."""
    add_migration(tmp_path / "scripts", "0001", None, "people")
    return tmp_path / "scripts"


def contracts(place: Path, revision: str, oldest_code: str) -> None:
    """Make that migration one that takes something away."""
    file = place / "versions" / f"{revision}.py"
    file.write_text(f"{file.read_text()}\noldest_code = {oldest_code!r}\n")


@pytest.mark.parametrize(("oldest_code", "serves"), [(None, True), ("0001", True), ("0002", False)])
def test_an_older_release_serves_from_what_was_only_added_to(
    tmp_path: Path, place: Path, oldest_code: str | None, serves: bool
) -> None:
    """Where something was taken away that it needs, it says so; either way it leaves the database alone."""
    url = f"sqlite:///{tmp_path}/x.db"
    upgrade(url, str(place))
    add_migration(place, "0002", "0001", "coins")
    if oldest_code is not None:
        contracts(place, "0002", oldest_code)
    upgrade(url, str(place))
    (place / "versions" / "0002.py").unlink()
    found = tables(tmp_path / "x.db")
    if serves:
        upgrade(url, str(place))
        assert pending(url, str(place)) == []
    else:
        with pytest.raises(NewerSchema, match="later release"):
            upgrade(url, str(place))
    assert tables(tmp_path / "x.db") == found >= {"alembic_version", "people", "coins"}


def test_a_revision_that_nobody_made_is_refused(tmp_path: Path, place: Path) -> None:
    """What is no number of ours is no newer schema."""
    url = f"sqlite:///{tmp_path}/x.db"
    upgrade(url, str(place))
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("UPDATE alembic_version SET version_num = 'abcdef'")
    connection.commit()
    connection.close()
    with pytest.raises(NewerSchema):
        upgrade(url, str(place))


def test_a_process_that_may_not_migrate_changes_nothing(tmp_path: Path, place: Path) -> None:
    """It serves from a schema that is there, and says which step is missing."""
    url = f"sqlite:///{tmp_path}/x.db"
    with pytest.raises(SchemaBehind, match="lacks 0001"):
        upgrade(url, str(place), may_migrate=False)
    upgrade(url, str(place))
    upgrade(url, str(place), may_migrate=False)
    add_migration(place, "0002", "0001", "coins")
    assert pending(url, str(place)) == [("0002", None)]
    with pytest.raises(SchemaBehind, match="lacks 0002"):
        upgrade(url, str(place), may_migrate=False)
    assert tables(tmp_path / "x.db") == {"alembic_version", "people"}
    contracts(place, "0002", "0001")  # nothing that this release needs
    upgrade(url, str(place), may_migrate=False)
    assert tables(tmp_path / "x.db") == {"alembic_version", "people"}


def test_on_a_server_what_contracts_waits_to_be_asked_for(
    postgresql_server: Server, postgresql_url: str, place: Path
) -> None:
    """A start takes what expands; a release after that needs the contracting step done, and says how."""
    upgrade(postgresql_url, str(place))
    add_migration(place, "0002", "0001", "coins")
    add_migration(place, "0003", "0002", "notes")
    contracts(place, "0003", "0002")
    upgrade(postgresql_url, str(place))
    assert pending(postgresql_url, str(place)) == [("0003", "0002")]
    add_migration(place, "0004", "0003", "bonds")
    with pytest.raises(SchemaBehind, match=r"lacks 0004.*--contract"):
        upgrade(postgresql_url, str(place))
    upgrade(postgresql_url, str(place), may_contract=True)
    assert pending(postgresql_url, str(place)) == []
    assert postgresql_server.execute("SELECT oldest_code FROM schema_floor", postgresql_url) == [("0002",)]
    for newest in ("0004", "0003"):
        (place / "versions" / f"{newest}.py").unlink()
    upgrade(postgresql_url, str(place))
    (place / "versions" / "0002.py").unlink()
    with pytest.raises(NewerSchema):
        upgrade(postgresql_url, str(place))


def test_a_step_never_queues_behind_a_long_transaction(
    postgresql_server: Server, postgresql_url: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets the others pass and tries again; one that is held for ever is given up, with what it had begun."""
    upgrade(postgresql_url, str(place))
    column = 'op.add_column("people", sa.Column("name", sa.Text, nullable=True))'
    add_migration(place, "0002", "0001", "coins", also=column)
    (place / "versions" / "0003.py").write_text(INDEX_ALONE)
    monkeypatch.setattr(migrations, "LOCK_TRIES", 2)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_SECONDS", 0.01)
    with psycopg.connect(postgresql_url) as long:
        long.execute("SELECT * FROM people")
        with pytest.raises(TablesHeld, match="0002"):
            upgrade(postgresql_url, str(place))
    assert postgresql_server.execute("SELECT to_regclass('coins')", postgresql_url) == [(None,)]
    monkeypatch.setattr(migrations, "LOCK_TRIES", 200)
    with psycopg.connect(postgresql_url, autocommit=True) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN")
        other.execute("SELECT * FROM people")
        done = pool.submit(upgrade, postgresql_url, str(place))
        for _ in range(10):
            began = time.monotonic()
            postgresql_server.execute("INSERT INTO people (id) VALUES (random()::text)", postgresql_url)
            assert time.monotonic() - began < 2
        assert not done.done()
        other.execute("COMMIT")
        done.result(30)
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'people_names'::regclass"
    assert postgresql_server.execute(valid, postgresql_url) == [(True,)]


OLDER_THAN_THE_RULE = {"gateway": "0020", "scorer": "0006"}
"""No release was made before these."""
HARMFUL = (
    r"\b(DROP (TABLE|COLUMN|CONSTRAINT|SEQUENCE|TYPE|VIEW)|RENAME|TRUNCATE|DELETE FROM)\b",
    r"ALTER TABLE {old} .*(ALTER COLUMN|ADD (CONSTRAINT|CHECK|UNIQUE|FOREIGN|PRIMARY))",
    r"ALTER TABLE {old} ADD COLUMN (?!.*DEFAULT).*NOT NULL",
    r"CREATE UNIQUE INDEX .* ON {old} ",
)
HOLDS_UP = r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY).* ON {old} "
"""On a server, for as long as it is built."""


def is_harmful(sql: str, old_tables: set[str], *, is_server: bool) -> bool:
    """Whether code that was written before the statement may fail after it, or wait long for it."""
    old = "(?:ONLY )?(?:" + "|".join([re.escape(name) for name in sorted(old_tables)] or ["$^"]) + ")"
    rules = (*HARMFUL, HOLDS_UP) if is_server else HARMFUL
    return any(re.search(rule.replace("{old}", old), sql) for rule in rules)


def is_of_new_tables(sql: str, old_tables: set[str], new: set[str]) -> bool:
    """Whether it is about tables alone that this very migration makes: no older code knows of them."""
    words = set(re.findall(r"\w+", sql))
    return not words & old_tables and any(word.startswith(name) for word in words for name in new)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE made", True),
        ("ALTER INDEX made_by_time RENAME TO made_by_time_before", True),
        ("INSERT INTO made SELECT * FROM users", False),
        ("ALTER TABLE users DROP COLUMN a", False),
    ],
)
def test_what_is_about_new_tables_alone(sql: str, expected: bool) -> None:
    """What names an old one is not."""
    assert is_of_new_tables(sql, {"users"}, {"made"}) is expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TABLE new (id TEXT NOT NULL)", False),
        ("CREATE UNIQUE INDEX i ON new (id)", False),
        ("CREATE INDEX CONCURRENTLY i ON users (name)", False),
        ("CREATE INDEX i ON users (name)", True),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON users (name)", True),
        ("ALTER TABLE users ADD COLUMN a TEXT", False),
        ("ALTER TABLE users ADD COLUMN a TEXT DEFAULT '' NOT NULL", False),
        ("ALTER TABLE users ADD COLUMN a TEXT NOT NULL", True),
        ("ALTER TABLE new ADD COLUMN a TEXT NOT NULL", False),
        ("ALTER TABLE users ALTER COLUMN a SET NOT NULL", True),
        ("ALTER TABLE users ADD CONSTRAINT c CHECK (a > 0)", True),
        ("ALTER TABLE users DROP COLUMN a", True),
        ("ALTER TABLE users RENAME TO people", True),
        ("DROP TABLE users", True),
        ("DROP INDEX i", False),
        ("DELETE FROM users", True),
        ("UPDATE users SET a = ''", False),
    ],
)
def test_what_is_harmful(sql: str, expected: bool) -> None:
    """Both sides of each rule."""
    assert is_harmful(sql, {"users"}, is_server=True) is expected


@pytest.mark.parametrize("service", ["gateway", "scorer"])
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_migration_only_adds_or_says_that_it_contracts(
    request: pytest.FixtureRequest, tmp_path: Path, service: str, engine: str
) -> None:
    """Every statement of every migration since the rule is looked at as it is run. One that altered two tables would
    hold the one while it waits for the other, and somebody who reads both the other way round would be cut off."""
    module: Any = {"gateway": gateway, "scorer": scorer}[service]
    url = request.getfixturevalue("postgresql_url") if engine == "postgresql" else f"sqlite:///{tmp_path}/x.db"
    said = recorded(lambda: upgrade(url, str(module.MIGRATIONS)))
    old_tables: set[str] = set()
    is_server = engine == "postgresql"
    harmful: dict[str, list[str]] = {}
    for revision, statements in said.items():
        if revision > OLDER_THAN_THE_RULE[service]:
            new = {name for sql in statements for name in re.findall(r"^CREATE TABLE (\w+)", sql)} - old_tables
            shared = [sql for sql in statements if not is_of_new_tables(sql, old_tables, new)]
            harmful[revision] = [sql for sql in shared if is_harmful(sql, old_tables, is_server=is_server)]
        old_tables_before = old_tables.copy()
        old_tables |= {name for sql in statements for name in re.findall(r"^CREATE TABLE (\w+)", sql)}
        altered = {name for sql in statements for name in re.findall(r"^ALTER TABLE (\w+)", sql)} & old_tables_before
        if revision in harmful and len(altered) > 1:
            harmful[revision].append(f"more than one table: {sorted(altered)}")
    known = steps(module.MIGRATIONS)
    assert list(said) == [step.revision for step in known]
    expanding = {step.revision for step in known if not step.contracts}
    assert {revision: found for revision, found in harmful.items() if found and revision in expanding} == {}


def recorded(work: Callable[[], None]) -> dict[str, list[str]]:
    """The statements of each migration."""
    found: dict[str, list[str]] = {}
    waiting: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sql = " ".join(statement.split())
        if revision := re.search(r"(?:SET version_num ?= ?|VALUES \()'(\w+)'", sql):
            found[revision[1]] = waiting.copy()
            waiting.clear()
        elif "alembic_version" not in sql:
            waiting.append(sql)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        work()
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    return found
