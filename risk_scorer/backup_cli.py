"""`risk-scorer backup` and `restore`: a copy of the state's database, which needs no key, while everything goes on."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from plumbing.backup import CannotCopy, back_up, put_back
from risk_scorer.adapters.storage import FILE_NAME
from risk_scorer.command_frame import UNAVAILABLE, fail, settings_of_process

Place = Annotated[Path, typer.Argument(metavar="DIR")]


def backup(place: Place) -> None:
    """Copy the database into a directory that is empty or not there yet, beside a running service."""
    file = _file()
    if not file.is_file():
        fail("there is nothing to copy: RISK_SCORER_STATE has no database", UNAVAILABLE)
    try:
        back_up(file, (), place)
    except CannotCopy as error:
        fail(str(error))
    except (OSError, sqlite3.Error) as error:
        fail(f"the copy failed: {error}; remove {place} and try again", UNAVAILABLE)
    typer.echo(f"copied to {place}")


def restore(place: Place) -> None:
    """Put a copy back into an empty RISK_SCORER_STATE; nothing is overwritten."""
    file = _file()
    try:
        put_back(place / FILE_NAME, (), file)
    except CannotCopy as error:
        fail(str(error))
    except (OSError, sqlite3.Error) as error:
        fail(f"the copy failed: {error}; empty {file.parent} and try again", UNAVAILABLE)
    typer.echo("restored: start the scorer")


def _file() -> Path:
    settings = settings_of_process()
    if settings.is_shared:
        fail("the database is RISK_SCORER_DATABASE's: use pg_dump and pg_restore")
    return settings.risk_scorer_state / FILE_NAME
