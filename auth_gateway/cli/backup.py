"""`auth-gateway backup`: a copy of the database and of the keys that open it, while everything goes on."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from auth_gateway.adapters.sealing_keys import SEALING_KEYS, VAULT_KEY
from auth_gateway.cli.console import NOT_NOW, fail, settings_or_fail
from auth_gateway.opening import DEMO_MARK
from auth_gateway.settings import Settings
from plumbing.backup import CannotCopy, back_up
from plumbing.postgresql import is_postgresql


def backup(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="A directory that is empty, or not there yet.")],
) -> None:
    """Copy the database and the keys that open it, beside a running server."""
    settings = settings_or_fail()
    file = database_file(settings)
    if not file.is_file():
        fail(f"there is nothing to copy: {settings.database_name} does not exist", NOT_NOW)
    try:
        back_up(file, secrets_in(settings.auth_gateway_state), place)
    except CannotCopy as error:
        fail(str(error))
    except (OSError, sqlite3.Error) as error:
        fail(f"the copy failed: {error}; remove {place} and try again", NOT_NOW)
    typer.echo(f"copied to {place}: keep it as you keep the keys, which are in it")


def database_file(settings: Settings) -> Path:
    """The gateway's SQLite file; ends the command where the database is a server's."""
    if is_postgresql(settings.database_url):
        names = f"{VAULT_KEY} and {SEALING_KEYS}.* of AUTH_GATEWAY_STATE"
        fail(f"the database is PostgreSQL's: use pg_dump and pg_restore, and copy {names} after it")
    return Path(settings.database_url.removeprefix("sqlite:///"))


def secrets_in(place: Path) -> list[Path]:
    """The files that a database needs beside it."""
    return sorted(
        file
        for file in place.iterdir()
        if file.is_file() and (file.name in {VAULT_KEY, DEMO_MARK} or file.name.startswith(f"{SEALING_KEYS}."))
    )
