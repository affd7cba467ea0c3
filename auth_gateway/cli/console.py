"""What all commands share: the opened gateway, and how a failure is told."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import NoReturn

import typer

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.opening import CannotStart
from auth_gateway.settings import Settings, SettingsError, load_settings
from plumbing.postgresql import is_server_error
from plumbing.refusals import Refused
from plumbing.vault import Unsealable

WRONG_INPUT = 2
NOT_NOW = 1


def complain(text: str) -> None:
    """One line on standard error; control characters in it cannot touch the terminal."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    with suppress(OSError):  # nobody can be told; the exit status still says it
        typer.echo(f"auth-gateway: {shown}", err=True)


def fail(text: str, status: int = WRONG_INPUT) -> NoReturn:
    """One line on standard error, and the end."""
    complain(text)
    raise typer.Exit(status)


def settings_or_fail(**given: object) -> Settings:
    """The settings; one that is not given (None) is left to the environment."""
    try:
        return load_settings(**{name: value for name, value in given.items() if value is not None})
    except SettingsError as error:
        fail(str(error))


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Gateway]:
    """The gateway's storage and flows; refusals inside the block end the command with their text."""
    settings = settings or settings_or_fail()
    try:
        gateway = assemble(settings)
    except CannotStart as error:
        fail(str(error))
    except OSError as error:
        fail(f"AUTH_GATEWAY_STATE cannot be used: {error.strerror}")
    except Refused as refused:
        fail(refused.message, NOT_NOW)
    try:
        yield gateway
    except CannotStart as error:
        fail(str(error))
    except Unsealable:
        fail(f"{settings.database_name} holds what its vault.key did not seal: restore both from one backup")
    except sqlite3.Error as error:
        fail(f"{settings.database_name} cannot be used: {error}")
    except Refused as refused:
        fail(refused.message, NOT_NOW if refused.status == 503 else WRONG_INPUT)
    except Exception as error:
        if not is_server_error(error):
            raise
        fail(f"{settings.database_name} cannot be used: {str(error).partition(chr(10))[0]}")
    finally:
        gateway.close()


def moment(seconds: float) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def row(*cells: str) -> None:
    """One line of a list, cells apart by tabs, so that `cut` and `awk` can read it."""
    typer.echo("\t".join("".join(c if c.isprintable() else "?" for c in cell) for cell in cells))
