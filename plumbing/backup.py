"""Copies of a SQLite database and of the secret files beside it, made while the service runs.

The database comes first: a key is published before anything is sealed with it, so the keys that are copied afterwards
open all that the copy holds.
"""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path


class CannotCopy(Exception):
    """The copy is not made; the text is one line for the operator."""


def back_up(database: Path, secrets: Sequence[Path], place: Path) -> None:
    """Copy them into a new directory, which is closed to other users; nobody who writes waits.

    Raises: CannotCopy, OSError, sqlite3.Error.
    """
    _claim(place)
    copy = place / database.name
    _private(copy)
    source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, and nothing beside it
    check_whole(copy)
    for secret in secrets:
        _copied(secret, place / secret.name)


def put_back(copy: Path, secrets: Sequence[Path], database: Path) -> None:
    """Copy a backup to where there is nothing yet: the secrets, and the database last.

    Raises: CannotCopy, OSError, sqlite3.Error.
    """
    check_whole(copy)
    if database.exists():
        raise CannotCopy(f"there is a database already: {database}")
    _claim(database.parent)
    for secret in secrets:
        _copied(secret, database.parent / secret.name)
    draft = database.with_name(f"{database.name}.part")
    _copied(copy, draft)
    os.rename(draft, database)


def check_whole(file: Path) -> None:
    """Raises: CannotCopy for a file that is no whole database."""
    if not file.is_file():
        raise CannotCopy(f"there is no {file.name} in it")
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as opened:
        try:
            found = opened.execute("PRAGMA integrity_check").fetchone()
            is_empty = opened.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        except sqlite3.DatabaseError as error:
            raise CannotCopy(f"{file.name} is damaged: {error}") from error
    if found != ("ok",) or is_empty:
        raise CannotCopy(f"{file.name} is damaged")


def _claim(place: Path) -> None:
    """A directory that is ours alone, and empty."""
    if place.exists() and not place.is_dir():
        raise CannotCopy(f"{place} is no directory")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise CannotCopy(f"{place} is not empty: nothing is overwritten")
    place.chmod(0o700)


def _private(file: Path) -> None:
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _copied(source: Path, target: Path) -> None:
    _private(target)
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
