"""The scorer's database file: brought to the newest schema, opened, asked whether it answers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import literal, select

from plumbing.database import Database
from plumbing.migrations import upgrade
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
PING = Statement(select(literal(1)))


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
