"""The scorer's database: brought to the newest schema, opened, asked whether it answers; and who may use its file."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import bindparam, delete, insert, literal, select
from sqlalchemy.exc import SQLAlchemyError

from plumbing.database import Database, DriverMissing, Transaction, WrongEncoding, upgrade
from plumbing.migrations import Step, pending
from plumbing.refusals import Refused
from plumbing.state import StateDir
from plumbing.statements import Statement
from risk_scorer.adapters.tables import imported_models, metadata

FILE_NAME = "scorer.db"
LOCK_NAME = "serving.lock"
HOUSE_LOCK_NAME = "housekeeping.lock"
MIGRATIONS = Path(__file__).parent / "migrations"
OWN_TABLE = "user_histories"
PING = Statement(select(literal(1)))

_MARK = "readiness"
_TRY = Statement(insert(imported_models).values(histories_sha256=bindparam("mark"), users=0, imported_at=0.0))
_FORGET = Statement(delete(imported_models).where(imported_models.c.histories_sha256 == bindparam("mark")))


class BadStorage(Exception):
    """The state directory or the database in it cannot be used; the text is one line for the operator."""


def open_state(state_dir: Path, url: str | None = None, *, may_migrate: bool = True) -> Database:
    """The database of that URL, or the file in the state directory, in its newest shape; both are made on first use,
    and brought up to date where we may.

    Raises: BadStorage.
    """
    with told_of_database(state_dir, url) as address:
        return open_database(address, may_migrate=may_migrate)


@contextmanager
def told_of_database(state_dir: Path, url: str | None) -> Iterator[str]:
    """The database's URL; whatever is wrong with it is one line that names it. Raises: BadStorage."""
    try:
        StateDir.open(state_dir)
    except OSError as error:
        raise BadStorage(f"RISK_SCORER_STATE cannot be used: {error.strerror}") from error
    try:
        yield url or f"sqlite:///{(state_dir / FILE_NAME).absolute()}"
    except (SQLAlchemyError, sqlite3.Error, Refused, OSError, DriverMissing, WrongEncoding, ValueError) as error:
        lines = str(getattr(error, "orig", None) or error).splitlines() or [""]
        name = "in RISK_SCORER_STATE" if url is None else "of RISK_SCORER_DATABASE"
        raise BadStorage(f"the database {name} cannot be opened: {lines[0]}") from error


def serve_alone(state_dir: Path) -> None:
    """Keep every other serving process out of this state directory, until this process ends.

    Histories are cached in memory, so two servers on one state would score with what the other has not learned. The
    operating system lets go of the lock when we die. Raises: BadStorage.
    """
    if not _locked(state_dir / LOCK_NAME, fcntl.LOCK_EX):
        raise BadStorage("another risk-scorer serves from this RISK_SCORER_STATE; give each its own")


def consume_together(state_dir: Path) -> None:
    """Let other processes that only consume into this state directory, and none that serves from it, until we end.

    They believe no history in memory unasked. Raises: BadStorage.
    """
    if not _locked(state_dir / LOCK_NAME, fcntl.LOCK_SH):
        raise BadStorage("a risk-scorer serves from this RISK_SCORER_STATE, and consumes itself; stop it first")


def keep_house_here(state_dir: Path) -> bool:
    """Whether it is for this process, until it ends, to keep the house for all on this state directory."""
    return _locked(state_dir / HOUSE_LOCK_NAME, fcntl.LOCK_EX)


def _locked(file: Path, how: int) -> bool:
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    return True


def bring_up(url: str, *, may_migrate: bool = True, may_contract: bool | None = None) -> None:
    """Bring the database to the newest schema. Raises: as `upgrade`."""
    upgrade(url, str(MIGRATIONS), own_table=OWN_TABLE, may_migrate=may_migrate, may_contract=may_contract)


def missing_steps(url: str) -> list[Step]:
    """What its schema lacks. Raises: as `upgrade`."""
    return pending(url, str(MIGRATIONS), own_table=OWN_TABLE)


def open_database(url: str, *, may_migrate: bool = True) -> Database:
    """The database of that URL in its newest shape, made on first use."""
    bring_up(url, may_migrate=may_migrate)
    return Database.open(url, metadata=metadata)


def ping(tx: Transaction) -> object:
    """What any database that can be read answers."""
    return tx.one(PING)


def write_and_undo(tx: Transaction) -> None:
    """Write a row and take it back, to see whether the storage takes one."""
    tx.run(_TRY, mark=_MARK)
    tx.run(_FORGET, mark=_MARK)
