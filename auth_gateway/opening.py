"""What must be in place before a gateway starts: its database, the key that the database was filled with, and a state
that is not a demo's.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from auth_gateway.adapters.blocklist import BadBlocklist, Blocklists, BreachedPasswords, CommonPasswords
from auth_gateway.adapters.keys import sealing_purpose
from auth_gateway.adapters.sealing_keys import SEALING_KEYS, VAULT_KEY, SealingKeys
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.sealed import sealed_sample
from auth_gateway.core.account import password_purpose
from auth_gateway.core.destination import secret_purpose
from auth_gateway.core.imported import ImportedUser
from auth_gateway.core.letter import LETTER_PURPOSE
from auth_gateway.core.ssf.stream import authorization_purpose
from auth_gateway.core.ssf.transmitter import poll_purpose
from auth_gateway.flows.proofs import TOTP_PURPOSE
from auth_gateway.settings import Settings
from plumbing.database import Database, DriverMissing, WrongEncoding
from plumbing.migrations import SchemaBehind, TablesHeld
from plumbing.randomness import Randomness
from plumbing.state import DamagedSecret, StateDir
from plumbing.vault import Unsealable, Vault

# `data/users.json` once more: an installed gateway has no checkout beside it, and must know whom to refuse too.
DEMO_USERS = Path(__file__).with_name("demo_users.json")
DEMO_MARK = "demo"
CHECK_DATABASE = "check AUTH_GATEWAY_DATABASE, or AUTH_GATEWAY_STATE where that is unset"
"""What to do about a database that cannot be used."""

PURPOSES: Mapping[str, Callable[[str], str]] = {
    "totp_factors": lambda _: TOTP_PURPOSE,
    "signing_keys": sealing_purpose,
    "destinations": secret_purpose,
    "previous_of_destinations": secret_purpose,
    "streams": authorization_purpose,
    "transmitters": poll_purpose,
    "outbox": lambda _: LETTER_PURPOSE,
    "users": password_purpose,
}
"""What the value under a key was sealed for, for each table (`adapters.storage.sealed`)."""


class CannotStart(Exception):
    """The gateway must not start like this; the text is one line."""


def demo_users() -> list[ImportedUser]:
    """The demo's people, whose hashes no other profile takes in."""
    return msgspec.json.decode(DEMO_USERS.read_bytes(), type=list[ImportedUser])


def opened_database(settings: Settings) -> Database:
    """The database that the settings name, brought to the newest schema unless AUTH_GATEWAY_MIGRATE is false.

    Raises: CannotStart.
    """
    with told_of_database(settings):
        return open_storage(settings.database_url, may_migrate=settings.auth_gateway_migrate)


@contextmanager
def told_of_database(settings: Settings) -> Iterator[None]:
    """Whatever is wrong with the database is one line that names it. Raises: CannotStart."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        lines = str(getattr(error, "orig", error)).splitlines() or [""]
        raise CannotStart(f"{settings.database_name} cannot be opened: {lines[0]}; {CHECK_DATABASE}") from error
    except (SchemaBehind, TablesHeld) as error:
        raise CannotStart(f"{settings.database_name} cannot be used: {error}") from error
    except (DriverMissing, WrongEncoding, ValueError) as error:
        raise CannotStart(f"{settings.database_name} cannot be used: {error}; {CHECK_DATABASE}") from error


def opened_blocklist(settings: Settings) -> Blocklists:
    """Common passwords, and the breached ones of PASSWORD_BLOCKLIST where it names a file.

    Raises: CannotStart for a file that cannot be searched: without it, passwords would pass that the operator refuses.
    """
    if settings.password_blocklist is None:
        return Blocklists(CommonPasswords())
    try:
        return Blocklists(CommonPasswords(), BreachedPasswords(settings.password_blocklist))
    except OSError as error:
        raise CannotStart(
            f"PASSWORD_BLOCKLIST cannot be read: {error.strerror}; name a file that this user may read, or unset it"
        ) from error
    except BadBlocklist as error:
        raise CannotStart(
            f"PASSWORD_BLOCKLIST is no list of SHA-1 digests in ascending order, one a line: {error}; "
            "sort it by `LC_ALL=C sort`, or unset it"
        ) from None


def opened_vault(
    settings: Settings, state: StateDir, database: Database, randomness: Randomness, later: SealingKeys
) -> Vault:
    """The vault that the database was filled with; a lost or exchanged key is never replaced by a new one.

    The database is asked first: whoever sealed something there had published the key before, so that a process that
    starts at the same moment does not take the key for lost.

    Raises: CannotStart, OSError, Refused `storage_unavailable`.
    """
    name = settings.database_name
    try:
        sample = database.read(sealed_sample)
        if sample is not None and not state.holds(VAULT_KEY):
            raise CannotStart(f"{VAULT_KEY} is missing, and {name} holds what it sealed: restore it from a backup")
        vault = Vault(state.secret(VAULT_KEY), randomness, later=later)
        if sample is not None:
            vault.open(sample.sealed, PURPOSES[sample.table](sample.key))
    except DamagedSecret as error:
        raise CannotStart(f"AUTH_GATEWAY_STATE is damaged: {error}; restore it from a backup") from error
    except Unsealable:
        raise CannotStart(
            f"{VAULT_KEY} is not the key that sealed {name}: restore both from one backup; more than a day after "
            f"`auth-gateway keys rotate-vault` elsewhere copy each {SEALING_KEYS}.… from there"
        ) from None
    except sqlite3.Error as error:
        raise CannotStart(f"{name} cannot be read: {error}; {CHECK_DATABASE}") from error
    return vault


def keep_demo_apart(settings: Settings, state: StateDir) -> None:
    """A state directory that was a demo's stays one: its users' passwords are printed in the README.

    Raises: CannotStart.
    """
    mark = state.path / DEMO_MARK
    if settings.is_demo:
        mark.touch(mode=0o600)
    elif mark.exists():
        raise CannotStart("AUTH_GATEWAY_STATE belongs to a demo, whose passwords are public: choose another directory")
