"""Bringing a database to the newest schema, safely when several processes start at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from plumbing import connections
from plumbing.postgresql import is_postgresql, require_driver

ADVISORY_LOCK: Final = int.from_bytes(b"riskgate")
"""What our processes agree to hold while they migrate a PostgreSQL database."""


class WrongEncoding(Exception):
    """The database keeps text in another form than UTF-8; the text is one line."""


class NewerSchema(ValueError):
    """A later release has brought the database to a schema that this one does not know; the text is one line."""


class NotOurs(ValueError):
    """Another program keeps its tables there; the text is one line."""


def upgrade(url: str, script_location: str, *, own_table: str | None = None) -> None:
    """Run the Alembic migrations under `script_location`/versions that the database has not had yet.

    `own_table` is one that every release has made: where there are revisions without it, they are another program's.

    All of them succeed together or the database stays as it was. Neither an alembic.ini nor an env.py is needed.

    Raises: ValueError for a URL that is none of ours; NotOurs; NewerSchema; DriverMissing; WrongEncoding.
    """
    opened = _opened_server if is_postgresql(url) else _opened_file
    with opened(url) as connection:
        found = _revision(connection)
        if found is not None and own_table is not None and not _has_table(connection, own_table):
            raise NotOurs(
                "another program keeps its tables there; the gateway and the scorer need a database, or a schema,"
                " of their own each"
            )
        if found != _newest(Path(script_location)):
            _migrate(connection, script_location)


def _newest(scripts: Path) -> str:
    """What the newest migration calls itself: the files are named by their revisions, in order."""
    return max((file.name.partition("_")[0] for file in (scripts / "versions").glob("[!_]*.py")), default="")


def _revision(connection: Connection) -> str | None:
    """The revision that the database is at, None for one that was never migrated."""
    if not _has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return revision


def _has_table(connection: Connection, name: str) -> bool:
    """Whether a statement that names this table finds it."""
    is_file = connection.dialect.name == "sqlite"
    known = "SELECT name FROM sqlite_master WHERE name = ?" if is_file else "SELECT to_regclass(%s)"
    return connection.exec_driver_sql(known, (name,)).scalar() is not None


def _migrate(connection: Connection, script_location: str) -> None:
    """Run what is missing. Alembic takes long to import, and most starts find nothing to do."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: Any) -> Any:
        try:
            return script._upgrade_revs("head", revision)  # what `alembic upgrade head` itself calls
        except CommandError:
            raise NewerSchema("a later release has changed its tables: start that one, or restore a backup") from None

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=None, transactional_ddl=True)
        with environment.begin_transaction():
            environment.run_migrations()
        connection.commit()


@contextmanager
def _opened_file(url: str) -> Iterator[Connection]:
    """A connection to the file, which is made if it is missing; nobody else migrates it meanwhile."""
    file = connections.database_file(url)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = connections.open_engine(url)
    try:
        with _locked(file), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the database's migration lock; the operating system lets go of it if we die."""
    with open(file.with_name(f"{file.name}.migrating"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened_server(url: str) -> Iterator[Connection]:
    """A connection to the server; nobody else migrates until its transaction ends, by a commit or by our death."""
    require_driver()
    from plumbing.postgresql_store import open_engine

    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
                raise WrongEncoding("the PostgreSQL database must have the encoding UTF8")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (ADVISORY_LOCK,))
            yield connection
    finally:
        engine.dispose()
