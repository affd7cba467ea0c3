"""Bringing a database to the newest schema, safely when several processes start at once and while older ones serve."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from plumbing import connections
from plumbing.postgresql import is_postgresql, require_driver
from plumbing.schema_steps import (
    NewerSchema,
    SchemaBehind,
    Step,
    has_table,
    newest,
    note_floor,
    refuse_if_contracted,
    steps,
    to_take,
)

__all__ = ["NewerSchema", "NotOurs", "SchemaBehind", "Step", "TablesHeld", "WrongEncoding", "pending", "upgrade"]

ADVISORY_LOCK: Final = int.from_bytes(b"riskgate")
"""What our processes agree to hold while they migrate a PostgreSQL database."""
LOCK_WAIT: Final = "300ms"
"""How long a step waits for a table, with everybody behind it: less than anybody who logs in would notice."""
LOCK_PAUSE_SECONDS: Final = 0.7
LOCK_TRIES: Final = 60
TURN_PAUSE_SECONDS: Final = 0.2
"""How long whoever waits for its turn to migrate pauses before it asks again."""
TURN_TOLD_EVERY: Final = 50
"""After so many pauses the log says once more that it waits."""
_HELD: Final = ("55P03", "40P01")
"""lock_not_available and deadlock_detected. Source: postgresql.org/docs/current/errcodes-appendix.html."""

log = structlog.get_logger("plumbing.migrations")


class WrongEncoding(Exception):
    """The database keeps text in another form than UTF-8; the text is one line."""


class NotOurs(ValueError):
    """Another program keeps its tables there; the text is one line."""


class TablesHeld(ValueError):
    """Somebody kept a table to themselves for too long; the text is one line."""


def upgrade(
    url: str,
    script_location: str,
    *,
    own_table: str | None = None,
    may_migrate: bool = True,
    may_contract: bool | None = None,
) -> None:
    """Run the Alembic migrations under `script_location`/versions that the database has not had yet.

    `own_table` is one that every release has made: where there are revisions without it, they are another program's.
    Unless it `may_migrate`, the database is looked at and left as it is. What contracts is run in a new database, in a
    file (which one process serves from), and elsewhere when it `may_contract`.

    In a file all of them succeed together or it stays as it was; on a server each by itself. A schema that is newer is
    left alone, and will do if it was only added to. Neither an alembic.ini nor an env.py is needed.

    Raises: ValueError for a URL that is none of ours; NotOurs; NewerSchema; SchemaBehind; TablesHeld; DriverMissing;
    WrongEncoding.
    """
    wanted = partial(
        _wanted,
        scripts=Path(script_location),
        own_table=own_table,
        may_migrate=may_migrate,
        may_contract=may_contract,
    )
    if not may_migrate and _is_missing_file(url):
        to_take(steps(Path(script_location)), may_migrate=False, may_contract=False)
    with _opened(url) as connection:
        if not wanted(connection):
            return  # without waiting for whoever migrates: an older process can start meanwhile
        with _alone(connection):
            taken = wanted(connection)
            if taken:
                _migrate(connection, script_location, taken)


def _wanted(
    connection: Connection, *, scripts: Path, own_table: str | None, may_migrate: bool, may_contract: bool | None
) -> list[Step]:
    """What is to be taken now. Raises: as `upgrade`."""
    found = _ours(connection, own_table)
    known = newest(scripts)
    if found == known:
        return []
    missing = steps(scripts, found)
    if found is not None and not missing:
        refuse_if_contracted(connection, found=found, known=known)
        log.warning("newer_schema", found=found, known=known)
        return []
    contract = connection.dialect.name == "sqlite" or found is None if may_contract is None else may_contract
    taken = to_take(missing, may_migrate=may_migrate, may_contract=contract)
    if len(taken) < len(missing):
        log.warning("contract_waits", steps=[step.revision for step in missing[len(taken) :]])
    return taken


def pending(url: str, script_location: str, *, own_table: str | None = None) -> list[Step]:
    """What the database has not had yet; nothing is changed. Raises: as `upgrade`."""
    scripts = Path(script_location)
    if _is_missing_file(url):
        return steps(scripts)
    with _opened(url) as connection:
        found = _ours(connection, own_table)
        missing = [] if found == newest(scripts) else steps(scripts, found)
        if found not in (None, newest(scripts)) and not missing:
            refuse_if_contracted(connection, found=str(found), known=newest(scripts))
        return missing


def _ours(connection: Connection, own_table: str | None) -> str | None:
    """The revision that the database is at, None for one that was never migrated. Raises: NotOurs."""
    if not has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision is not None and own_table is not None and not has_table(connection, own_table):
        raise NotOurs(
            "another program keeps its tables there; the gateway and the scorer need a database, or a schema,"
            " of their own each"
        )
    return revision


def _migrate(connection: Connection, script_location: str, taken: list[Step]) -> None:
    """Run these. Alembic takes long to import, and most starts find nothing to do."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    if connection.dialect.name == "sqlite":
        _run(connection, config, script, taken)
        connection.commit()
        return
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_WAIT}'")
    connection.commit()
    for step in taken:
        _run_between_others(connection, config, script, step)


def _run_between_others(connection: Connection, config: Any, script: Any, step: Step) -> None:
    """Run one step in a transaction of its own. Whoever waits for a table holds up all who come after, so we wait for
    a moment only, let the others pass, and try again. Raises: TablesHeld."""
    for number in range(LOCK_TRIES):
        try:
            _run(connection, config, script, [step])
            connection.commit()
            return
        except DBAPIError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) not in _HELD:
                raise
            log.warning("migration_waits", step=step.revision, tries=number + 1)
            time.sleep(LOCK_PAUSE_SECONDS)
    raise TablesHeld(f"step {step.revision} found its tables held by a long transaction: end that one, then try again")


def _run(connection: Connection, config: Any, script: Any, taken: list[Step]) -> None:
    from alembic.runtime.environment import EnvironmentContext
    from alembic.util.exc import CommandError

    by_revision = {step.revision: step for step in taken}

    def missing(revision: Any, _context: Any) -> Any:
        try:
            return script._upgrade_revs(taken[-1].revision, revision)  # what `alembic upgrade` itself calls
        except CommandError:
            raise NewerSchema("it is at a step that no release has: restore a backup") from None

    def applied(*, ctx: Any, step: Any, heads: Any, run_args: Any) -> None:
        note_floor(ctx.connection, by_revision[step.up_revision_id])

    with EnvironmentContext(config, script, fn=missing) as environment:
        environment.configure(
            connection=connection, target_metadata=None, transactional_ddl=True, on_version_apply=cast(Any, applied)
        )
        with environment.begin_transaction():
            environment.run_migrations()


def _is_missing_file(url: str) -> bool:
    return not is_postgresql(url) and not connections.database_file(url).exists()


def _opened(url: str) -> AbstractContextManager[Connection]:
    return _opened_server(url) if is_postgresql(url) else _opened_file(url)


@contextmanager
def _opened_file(url: str) -> Iterator[Connection]:
    """A connection to the file, which is made if it is missing; nobody else migrates it meanwhile."""
    file = connections.database_file(url)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(file):
        engine = connections.open_engine(url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()  # before the next one comes: whoever closes a file last locks it, which nobody waits for


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the database's migration lock; the operating system lets go of it if we die."""
    with open(file.with_name(f"{file.name}.migrating"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _opened_server(url: str) -> Iterator[Connection]:
    """A connection to the server."""
    require_driver()
    from plumbing.postgresql_store import open_engine

    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if connection.exec_driver_sql("SHOW server_encoding").scalar() != "UTF8":
                raise WrongEncoding("the PostgreSQL database must have the encoding UTF8")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Nobody else migrates until the connection is closed, by us or by our death.

    Asked for again and again, in a transaction of its own each time: whoever waited within a statement would hold up an
    index that is built beside writes, which waits for all older statements, and both would wait for each other.
    """
    if connection.dialect.name != "sqlite":  # a file is locked as long as it is open
        connection.rollback()
        tries = 0
        while not connection.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (ADVISORY_LOCK,)).scalar():
            connection.rollback()
            if tries % TURN_TOLD_EVERY == 0:
                log.warning("another_migrates", waited_seconds=round(tries * TURN_PAUSE_SECONDS))
            tries += 1
            time.sleep(TURN_PAUSE_SECONDS)
    yield
