"""Settings become adapters, adapters become flows; the server and the commands both start from here. No rules."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from auth_gateway.adapters.hashing_pool import HashingPool
from auth_gateway.adapters.jwt import Es256Codec, Hs256Codec
from auth_gateway.adapters.keys import ACCESS_ALGORITHMS, ALGORITHMS, KeyRing, SigningKeyStore, sealing_purpose
from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.factors import StoredFactors, StoredKnownDevices
from auth_gateway.adapters.storage.pending_logins import StoredPendingLogins
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sealed import sealed_sample
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.claims import Audience, Lifetimes
from auth_gateway.core.imported import ImportedUser, Record
from auth_gateway.core.provider.registration import LONGEST_ACCESS_TTL_SECONDS
from auth_gateway.flows.accounts import Accounts
from auth_gateway.flows.challenge import TOTP_PURPOSE
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.enrolment import EnrolTotp
from auth_gateway.flows.imports import Imports
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.ports import TokenCodec
from auth_gateway.flows.provider.farewell import Farewells
from auth_gateway.flows.registrations import Registrations
from auth_gateway.flows.revoke import Revoke
from auth_gateway.settings import Settings
from plumbing.clock import Clock, SystemClock
from plumbing.database import Database, DriverMissing, WrongEncoding
from plumbing.randomness import Randomness, SystemRandomness
from plumbing.state import DamagedSecret, StateDir, Unsealable, Vault
from webhooks.outbox import Outbox

# `data/users.json` once more: an installed gateway has no checkout beside it, and must know whom to refuse too.
DEMO_USERS = Path(__file__).with_name("demo_users.json")
VAULT_KEY = "vault.key"
DEMO_MARK = "demo"
SESSION_DAYS = 30


class CannotStart(Exception):
    """The gateway must not start like this; the text is one line."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Everything that needs no event loop: storage, vault, hashing, and the flows an operator uses."""

    settings: Settings
    clock: Clock
    randomness: Randomness
    database: Database
    vault: Vault
    hasher: PasswordHasher
    pool: HashingPool
    users: StoredUsers
    clients: StoredClients
    factors: StoredFactors
    sessions: StoredSessions
    refresh_tokens: StoredRefreshTokens
    pending_logins: StoredPendingLogins
    devices: StoredKnownDevices
    audit: StoredAuditTrail
    provider: ProviderStore
    key_store: SigningKeyStore
    ring: KeyRing

    @property
    def access_ttl_seconds(self) -> int:
        """How long an access token lives."""
        return self.settings.access_ttl_min * 60

    @property
    def accounts(self) -> Accounts:
        """Keeps people's accounts."""
        return Accounts(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            hashes=self.hasher,
            users=self.users,
            sessions=self.sessions,
            audit=self.audit,
            ending=self.ending,
        )

    @property
    def imports(self) -> Imports:
        """Takes over people from other systems."""
        return Imports(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            vault=self.vault,
            hashes=self.hasher,
            users=self.users,
            factors=self.factors,
            audit=self.audit,
        )

    @property
    def enrol_totp(self) -> EnrolTotp:
        """Enrols authenticators."""
        return EnrolTotp(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            vault=self.vault,
            users=self.users,
            factors=self.factors,
            audit=self.audit,
            issuer_name=self.settings.jwt_issuer,
        )

    @property
    def ending(self) -> Ending:
        """Ends sessions, whichever door they end through."""
        farewells = Farewells(
            clients=self.clients, session_clients=self.provider.session_clients, outbox=Outbox(outbox_rows)
        )
        has_provider = self.settings.provider_issuer is not None
        return Ending(sessions=self.sessions, audit=self.audit, farewells=farewells if has_provider else None)

    @property
    def registrations(self) -> Registrations:
        """Keeps the list of applications."""
        return Registrations(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            clients=self.clients,
            ending=self.ending,
            audit=self.audit,
        )

    @property
    def revoke(self) -> Revoke:
        """Lists and ends sessions."""
        return Revoke(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            users=self.users,
            sessions=self.sessions,
            ending=self.ending,
        )

    @property
    def issuer(self) -> Issuer:
        """Turns finished logins into sessions and tokens."""
        refresh_seconds = self.settings.refresh_ttl_days * 86_400
        return Issuer(
            audience=Audience(issuer=self.settings.jwt_issuer, audience=self.settings.jwt_audience),
            lifetimes=Lifetimes(
                access_seconds=self.access_ttl_seconds,
                refresh_seconds=refresh_seconds,
                session_seconds=max(SESSION_DAYS * 86_400, refresh_seconds),
            ),
            randomness=self.randomness,
            codec=self._codec(),
            sessions=self.sessions,
            refresh_tokens=self.refresh_tokens,
            devices=self.devices,
        )

    def add_demo_users(self) -> None:
        """Alice and Bob as `data/users.json` has them; those who are there already stay as they are."""
        self.imports(Record(place=user.username, user=user) for user in demo_users())

    def close(self) -> None:
        """Finishes what is being written."""
        self.pool.close()
        self.database.close()

    def _codec(self) -> TokenCodec:
        secret = self.settings.hs256_secret
        return Es256Codec(self.ring) if secret is None else Hs256Codec(secret)


def assemble(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    hasher: PasswordHasher | None = None,
) -> Gateway:
    """The parts, opened; nothing runs yet.

    Raises: CannotStart when the state belongs to a demo and we are none, when its database cannot be opened, or when
    its key is not the one that the database was filled with; OSError; Refused `storage_unavailable`.
    """
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    state = StateDir.open(settings.auth_gateway_state, randomness)
    _keep_demo_apart(settings, state)
    database = _opened_database(settings)
    try:
        vault = _opened_vault(settings, state, database, randomness)
    except BaseException:
        database.close()
        raise
    key_store = SigningKeyStore(StoredSigningKeys(), vault)
    return Gateway(
        settings=settings,
        clock=clock,
        randomness=randomness,
        database=database,
        vault=vault,
        hasher=hasher or PasswordHasher(),
        pool=HashingPool(workers=settings.password_workers, queue_limit=settings.password_queue_limit),
        users=StoredUsers(),
        clients=StoredClients(),
        factors=StoredFactors(),
        sessions=StoredSessions(),
        refresh_tokens=StoredRefreshTokens(),
        pending_logins=StoredPendingLogins(),
        devices=StoredKnownDevices(),
        audit=StoredAuditTrail(),
        provider=ProviderStore(),
        key_store=key_store,
        ring=KeyRing(
            database,
            key_store,
            clock,
            access_ttl_seconds=longest_access_seconds(settings),
            algorithms=ACCESS_ALGORITHMS if settings.provider_issuer is None else ALGORITHMS,
        ),
    )


def longest_access_seconds(settings: Settings) -> int:
    """How long the longest-lived access token may live: applications have lifetimes of their own."""
    return max(settings.access_ttl_min * 60, LONGEST_ACCESS_TTL_SECONDS)


def demo_users() -> list[ImportedUser]:
    """The demo's people, whose hashes no other profile takes in."""
    return msgspec.json.decode(DEMO_USERS.read_bytes(), type=list[ImportedUser])


def _opened_database(settings: Settings) -> Database:
    try:
        return open_storage(settings.database_url)
    except (SQLAlchemyError, sqlite3.Error) as error:
        lines = str(getattr(error, "orig", error)).splitlines() or [""]
        raise CannotStart(f"{settings.database_name} cannot be opened: {lines[0]}") from error
    except (DriverMissing, WrongEncoding, ValueError) as error:
        raise CannotStart(f"{settings.database_name} cannot be used: {error}") from error


def _opened_vault(settings: Settings, state: StateDir, database: Database, randomness: Randomness) -> Vault:
    """The vault that the database was filled with; a lost or exchanged key is never replaced by a new one.

    The database is asked first: whoever sealed something there had published the key before, so that a process that
    starts at the same moment does not take the key for lost.
    """
    name = settings.database_name
    try:
        sample = database.read(sealed_sample)
        if sample is not None and not state.holds(VAULT_KEY):
            raise CannotStart(f"{VAULT_KEY} is missing, and {name} holds what it sealed: restore it from a backup")
        vault = Vault(state.secret(VAULT_KEY), randomness)
        if sample is not None:
            vault.open(sample.sealed, TOTP_PURPOSE if sample.kid is None else sealing_purpose(sample.kid))
    except DamagedSecret as error:
        raise CannotStart(f"AUTH_GATEWAY_STATE is damaged: {error}") from error
    except Unsealable:
        raise CannotStart(f"{VAULT_KEY} is not the key that sealed {name}: restore both from one backup") from None
    except sqlite3.Error as error:
        raise CannotStart(f"{name} cannot be read: {error}") from error
    return vault


def _keep_demo_apart(settings: Settings, state: StateDir) -> None:
    """A state directory that was a demo's stays one: its users' passwords are printed in the README."""
    mark = state.path / DEMO_MARK
    if settings.is_demo:
        mark.touch(mode=0o600)
    elif mark.exists():
        raise CannotStart("AUTH_GATEWAY_STATE belongs to a demo, whose passwords are public: choose another directory")
