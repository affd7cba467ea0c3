"""The scorer's database file: brought to the newest schema, opened, asked whether it answers."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError

from plumbing.database import Database
from plumbing.migrations import NewerSchema, upgrade
from plumbing.refusals import Refused
from plumbing.state import StateDir
from plumbing.statements import Statement
from risk_scorer.adapters.tables import metadata

FILE_NAME = "scorer.db"
LOCK_NAME = "serving.lock"
MIGRATIONS = Path(__file__).parent / "migrations"
PING = Statement(select(literal(1)))


class BadStorage(Exception):
    """The state directory or the database in it cannot be used; the text is one line for the operator."""


def open_state(state_dir: Path) -> Database:
    """The database in that directory in its newest shape, both made on first use. Raises: BadStorage."""
    try:
        StateDir.open(state_dir)
        return open_database(f"sqlite:///{(state_dir / FILE_NAME).absolute()}")
    except OSError as error:
        raise BadStorage(f"RISK_SCORER_STATE cannot be used: {error.strerror}") from error
    except (SQLAlchemyError, sqlite3.Error, Refused, NewerSchema) as error:
        raise BadStorage(
            f"the database in RISK_SCORER_STATE cannot be opened: {getattr(error, 'orig', error)}"
        ) from error


def serve_alone(state_dir: Path) -> None:
    """Keep every other serving process out of this state directory, until this process ends.

    Histories are cached in memory, so two servers on one state would score with what the other has not learned. The
    operating system lets go of the lock when we die. Raises: BadStorage.
    """
    lock = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise BadStorage("another risk-scorer serves from this RISK_SCORER_STATE; give each its own") from error


def open_database(url: str) -> Database:
    """The database of that URL in its newest shape, made on first use."""
    upgrade(url, str(MIGRATIONS))
    return Database.open(url, metadata=metadata)


def answers(database: Database) -> bool:
    """Whether the database can be read now."""
    try:
        return database.read(lambda tx: tx.one(PING)) is not None
    except (Refused, sqlite3.Error):
        return False
