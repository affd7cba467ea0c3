"""Bringing a database to the newest schema, safely when several processes start at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from plumbing.connections import database_file, open_engine


def upgrade(url: str, script_location: str) -> None:
    """Run the Alembic migrations under `script_location`/versions that the database has not had yet.

    All of them succeed together or the database stays as it was. Neither an alembic.ini nor an env.py is needed.
    """
    file = database_file(url)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)

    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)  # what `alembic upgrade head` itself calls

    engine = open_engine(url)
    try:
        with _locked(file), engine.connect() as connection, EnvironmentContext(config, script, fn=steps) as environment:
            environment.configure(connection=connection, target_metadata=None, transactional_ddl=True)
            with environment.begin_transaction():
                environment.run_migrations()
            connection.commit()
    finally:
        engine.dispose()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the database's migration lock; the operating system lets go of it if we die."""
    with open(file.with_name(f"{file.name}.migrating"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
