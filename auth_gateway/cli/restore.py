"""`auth-gateway restore`: a backup becomes a gateway's state, where there is none."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from auth_gateway.adapters.sealing_keys import SEALING_KEYS, VAULT_KEY
from auth_gateway.cli.backup import database_file, secrets_in
from auth_gateway.cli.console import NOT_NOW, fail, settings_or_fail
from plumbing.backup import CannotCopy, put_back
from plumbing.vault import KEY_BYTES


def restore(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="What `auth-gateway backup` has made.")],
) -> None:
    """Put a backup back into an empty AUTH_GATEWAY_STATE; nothing is overwritten."""
    settings = settings_or_fail()
    file = database_file(settings)
    if not (place / VAULT_KEY).is_file():
        fail(f"there is no {VAULT_KEY} in {place}: it is no backup, or not whole")
    for name, problem in _harmed(place):
        fail(f"{name} in {place} {problem}: what it sealed could not be opened, so nothing is put back")
    try:
        put_back(place / file.name, secrets_in(place), file)
    except CannotCopy as error:
        fail(str(error))
    except (OSError, sqlite3.Error) as error:
        fail(f"the copy failed: {error}; empty {file.parent} and try again", NOT_NOW)
    typer.echo("restored: start the gateway")


def _harmed(place: Path) -> Iterator[tuple[str, str]]:
    """Key files that are no keys, and numbers that are left out: each key seals the next."""
    found = {file.name for file in secrets_in(place)}
    numbers = [
        int(kept[1]) for name in found if (kept := re.fullmatch(rf"{re.escape(SEALING_KEYS)}\.(\d{{1,6}})", name))
    ]
    for name in [VAULT_KEY, *(f"{SEALING_KEYS}.{number}" for number in range(1, max(numbers, default=0) + 1))]:
        if name not in found:
            yield name, "is missing"
        elif (place / name).stat().st_size != KEY_BYTES:
            yield name, "is no key"
