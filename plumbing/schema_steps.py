"""The steps of a schema: which there are, which a database has not had, and which of them an older release survives.

A step is a migration, named by its revision, and they are numbered in order. An expanding one only adds, so that
whoever was written before it goes on working. A contracting one takes away or tightens; it says so itself, by the
newest step known to the oldest code that it leaves working:

    oldest_code = "0022"
"""

import ast
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

FLOOR: Final = "schema_floor"
"""The table, made by the first contracting step, that says which code may still serve from the database."""
CONTRACTS: Final = "oldest_code"


class NewerSchema(ValueError):
    """A later release has taken away what this one needs; the text is one line."""


class SchemaBehind(ValueError):
    """Steps are missing, and it is not for this process to take them; the text is one line."""


class Step(NamedTuple):
    """One migration; `oldest_code` is None for one that expands."""

    revision: str
    oldest_code: str | None

    @property
    def contracts(self) -> bool:
        return self.oldest_code is not None


def steps(scripts: Path, after: str | None = None) -> list[Step]:
    """The migrations under `scripts`/versions, in order, but for those up to `after`."""
    files = sorted((scripts / "versions").glob("[!_]*.py"))
    found = [(file.stem.partition("_")[0], file) for file in files]
    return [Step(revision, _oldest_code(file)) for revision, file in found if after is None or revision > after]


def newest(scripts: Path) -> str:
    """What the newest migration calls itself: the files are named by their revisions, in order."""
    return max((file.stem.partition("_")[0] for file in (scripts / "versions").glob("[!_]*.py")), default="")


def to_take(missing: list[Step], *, may_migrate: bool, may_contract: bool) -> list[Step]:
    """Which of the missing steps are taken now: all, or all before the first that contracts.

    Raises: SchemaBehind when what this code needs would be missing then.
    """
    later = missing if not may_migrate else []
    if may_migrate and not may_contract:
        later = missing[next((at for at, step in enumerate(missing) if step.contracts), len(missing)) :]
    needed = [step.revision for step in later if not step.contracts]
    if needed:
        asked = "--contract, once no older release serves" if may_migrate else "first"
        raise SchemaBehind(f"its schema lacks {', '.join(needed)}: run this release's `database upgrade` {asked}")
    return missing[: len(missing) - len(later)]


def refuse_if_contracted(connection: Connection, *, found: str, known: str) -> None:
    """Whether code whose newest step is `known` may serve from a schema that is at a later one.

    Raises: NewerSchema.
    """
    refused = NewerSchema("a later release has changed its tables: start that one, or restore a backup")
    if not (found.isdigit() and known.isdigit() and found > known):
        raise refused
    if has_table(connection, FLOOR):
        floor = connection.exec_driver_sql(f"SELECT max(oldest_code) FROM {FLOOR}").scalar()  # noqa: S608 - our own name
        if floor is not None and known < floor:
            raise refused


def note_floor(connection: Connection, step: Step) -> None:
    """Keep, with the step itself, who may still serve."""
    if step.oldest_code is None:
        return
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {FLOOR} (oldest_code TEXT NOT NULL)")
    connection.exec_driver_sql(f"INSERT INTO {FLOOR} (oldest_code) VALUES ({mark})", (step.oldest_code,))  # noqa: S608


def has_table(connection: Connection, name: str) -> bool:
    """Whether a statement that names this table finds it."""
    is_file = connection.dialect.name == "sqlite"
    known = "SELECT name FROM sqlite_master WHERE name = ?" if is_file else "SELECT to_regclass(%s)"
    return connection.exec_driver_sql(known, (name,)).scalar() is not None


def add_index(operations: Any, name: str, table: str, columns: list[Any], **more: Any) -> None:
    """Make an index on a table that is in use: on PostgreSQL while others write, which a plain one would hold up. For
    migrations that do nothing else, since it has no transaction; begun anew after a failure. Not for a table kept by
    months."""
    context = operations.get_context()
    if context.dialect.name != "postgresql":
        operations.create_index(name, table, columns, **more)
        return
    with context.autocommit_block():
        operations.execute("SET lock_timeout = 0")  # it waits for others, and nobody waits for it
        operations.drop_index(name, table, if_exists=True, postgresql_concurrently=True)  # half-made, perhaps
        operations.create_index(name, table, columns, postgresql_concurrently=True, **more)


def _oldest_code(file: Path) -> str | None:
    """What the migration says of itself; it is read, not run."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [getattr(one, "id", "") for one in node.targets] == [CONTRACTS]:
            return str(ast.literal_eval(node.value))
    return None
