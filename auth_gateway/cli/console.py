"""What all commands share: the opened gateway, and how a failure is told."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn

import typer

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.cli.complaints import WRONG_INPUT, complain, printable
from auth_gateway.opening import CHECK_DATABASE, CannotStart
from auth_gateway.settings import Settings, SettingsError, load_settings
from plumbing.postgresql import is_server_error
from plumbing.refusals import Refused
from plumbing.vault import Unsealable

NEXT: Mapping[str, str] = {
    "unknown_user": "`auth-gateway users list` shows who there is",
    "review_needed": "`auth-gateway users unfreeze NAME --by WHO --why REASON`",
    "changed_meanwhile": "`auth-gateway users summary NAME` shows how it is now",
    "username_taken": "choose another one; `auth-gateway users list` shows who there is",
    "invalid_username": "use letters, digits and signs without spaces, 254 at the most",
    "invalid_email": "give one such as ada@example.com",
    "invalid_password": "choose another one",
    "already_enrolled": "--replace puts a new one in its place",
    "unknown_client": "`auth-gateway clients list` shows which there are",
    "client_exists": "choose another id; `auth-gateway clients list` shows which there are",
    "no_secret": "to change its keys or its method, remove it and add it again",
    "invalid_overlap": "give --overlap 720 or less",
    "invalid_client_metadata": "`auth-gateway clients add --help` has the options",
    "invalid_redirect_uri": "`auth-gateway clients add --help` has the options",
    "policy_changed": "`auth-gateway policy history` shows who saved what",
    "policy_from_file": "`auth-gateway policy check FILE` says whether an edit of it is right",
    "unknown_destination": "`auth-gateway webhooks list` shows which there are",
    "destination_exists": "choose another name; `auth-gateway webhooks list` shows which there are",
    "destination_disabled": "`auth-gateway webhooks enable` lets it be told again",
    "unknown_delivery": "`auth-gateway webhooks deliveries` shows which there are",
    "replay_running": "`auth-gateway webhooks replays NAME` shows how far it is, --stop ends it",
    "unknown_transmitter": "`auth-gateway signals list` shows which there are",
    "transmitter_exists": "choose another name; `auth-gateway signals list` shows which there are",
    "discovery_failed": "give --jwks-uri, or its keys in a file with --jwks",
    "sealing_key_missing": "its state directory has the file",
    "storage_unavailable": "look whether the disk is full or the database is down, then try again",
    "busy": "try again shortly",
}
"""What an operator does about a refusal, by its code; the texts of the others say it themselves."""

NOT_NOW = 1


def fail(text: str, status: int = WRONG_INPUT) -> NoReturn:
    """One line on standard error, and the end."""
    complain(text)
    raise typer.Exit(status)


def advice(refused: Refused) -> str:
    """A refusal's text, and what to do next."""
    following = NEXT.get(refused.code)
    return refused.message if following is None else f"{refused.message.rstrip('.')}: {following}"


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
        fail(unusable_state(error))
    except Refused as refused:
        fail(advice(refused), NOT_NOW)
    try:
        yield gateway
    except CannotStart as error:
        fail(str(error))
    except Unsealable:
        fail(f"{settings.database_name} holds what its vault.key did not seal: restore both from one backup")
    except sqlite3.Error as error:
        fail(f"{settings.database_name} cannot be used: {error}; {CHECK_DATABASE}")
    except Refused as refused:
        fail(advice(refused), NOT_NOW if refused.status == 503 else WRONG_INPUT)
    except Exception as error:
        if not is_server_error(error):
            raise
        fail(f"{settings.database_name} cannot be used: {str(error).partition(chr(10))[0]}; {CHECK_DATABASE}")
    finally:
        gateway.close()


def unusable_state(error: OSError) -> str:
    """What is said of a state directory that cannot be read or written."""
    return f"AUTH_GATEWAY_STATE cannot be used: {error.strerror}; name a directory that this user may write"


def moment(seconds: float) -> str:
    """A time for people, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def moment_given(text: str, option: str) -> float:
    """The time that an option names; a time without a zone is UTC."""
    try:
        given = datetime.fromisoformat(text)
        return (given if given.tzinfo is not None else given.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        fail(f"{option} must be a date such as 2026-01-31, or a moment such as 2026-01-31T08:00Z")


def row(*cells: str) -> None:
    """One line of a list, cells apart by tabs, so that `cut` and `awk` can read it."""
    typer.echo("\t".join(map(printable, cells)))
