"""`auth-gateway restore`: a backup becomes a gateway's state, where there is none."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from auth_gateway.adapters.sealing_keys import VAULT_KEY
from auth_gateway.cli.backup import database_file, secrets_in
from auth_gateway.cli.console import NOT_NOW, fail, settings_or_fail
from plumbing.backup import CannotCopy, put_back


def restore(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="What `auth-gateway backup` has made.")],
) -> None:
    """Put a backup back into an empty AUTH_GATEWAY_STATE; nothing is overwritten."""
    settings = settings_or_fail()
    file = database_file(settings)
    if not (place / VAULT_KEY).is_file():
        fail(f"there is no {VAULT_KEY} in {place}: it is no backup, or not whole")
    try:
        put_back(place / file.name, secrets_in(place), file)
    except CannotCopy as error:
        fail(str(error))
    except (OSError, sqlite3.Error) as error:
        fail(f"the copy failed: {error}; empty {file.parent} and try again", NOT_NOW)
    typer.echo("restored: start the gateway")
