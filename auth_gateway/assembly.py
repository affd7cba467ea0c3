"""Settings become adapters, adapters become flows; the server and the commands both start from here. No rules."""

from dataclasses import dataclass

from auth_gateway.adapters.blocklist import Blocklists
from auth_gateway.adapters.hashing_pool import HashingPool
from auth_gateway.adapters.jwt import Es256Codec, Hs256Codec
from auth_gateway.adapters.keys import KeyRing, SigningKeyStore
from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.adapters.policy_roles import PolicyRoles
from auth_gateway.adapters.sealing_keys import SealingKeys
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.factors import StoredFactors, StoredKnownDevices
from auth_gateway.adapters.storage.pending_logins import StoredPendingLogins
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sealed import StoredSealed
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.shields import StoredShields
from auth_gateway.adapters.storage.signing_keys import StoredSigningKeys
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.claims import Audience, Lifetimes
from auth_gateway.core.factor import is_enrolled
from auth_gateway.core.imported import Record
from auth_gateway.core.names import prepare_username
from auth_gateway.flows.accounts import Accounts
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.enrolment import EnrolTotp
from auth_gateway.flows.imports import Imports
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.letters import OutboxPost
from auth_gateway.flows.new_passwords import NewPasswords, service_names
from auth_gateway.flows.ports import TokenCodec
from auth_gateway.flows.provider.farewell import Farewells
from auth_gateway.flows.registrations import Registrations
from auth_gateway.flows.resealing import Resealing
from auth_gateway.flows.revoke import Revoke
from auth_gateway.flows.session_notices import SessionNotices
from auth_gateway.followers import followed_audit
from auth_gateway.opening import (
    PURPOSES,
    demo_users,
    keep_demo_apart,
    opened_blocklist,
    opened_database,
    opened_vault,
)
from auth_gateway.settings import Settings
from auth_gateway.signing_ring import signing_ring
from plumbing.clock import Clock, SystemClock
from plumbing.database import Database
from plumbing.randomness import Randomness, SystemRandomness
from plumbing.state import StateDir
from plumbing.statements import Transaction
from plumbing.vault import Vault
from webhooks.outbox import Outbox

SESSION_DAYS = 30
_OUTBOX = Outbox(outbox_rows)  # statements alone


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """Everything that needs no event loop: storage, vault, hashing, and the flows an operator uses."""

    settings: Settings
    state: StateDir
    clock: Clock
    randomness: Randomness
    database: Database
    sealing_keys: SealingKeys
    vault: Vault
    hasher: PasswordHasher
    blocklist: Blocklists
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
    roles: PolicyRoles

    @property
    def outbox(self) -> Outbox:
        """What must be announced."""
        return _OUTBOX

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
            trusted_devices=StoredTrustedDevices(),
            shields=StoredShields(),
        )

    @property
    def new_passwords(self) -> NewPasswords:
        """Judges passwords that are chosen."""
        return NewPasswords(blocklist=self.blocklist, service_names=service_names(self.settings.jwt_issuer))

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
            trusted_devices=StoredTrustedDevices(),
            issuer_name=self.settings.jwt_issuer,
        )

    @property
    def ending(self) -> Ending:
        """Ends sessions, whichever door they end through."""
        farewells = Farewells(clients=self.clients, session_clients=self.provider.session_clients, outbox=self.outbox)
        told = farewells if self.settings.provider_issuer is not None else None
        return Ending(sessions=self.sessions, audit=self.audit, farewells=told, notices=self.session_notices)

    @property
    def session_notices(self) -> SessionNotices:
        """Tells the scorer of sessions, where there is one that knows us."""
        is_on = self.settings.risk_api_credential is not None
        return SessionNotices(outbox=self.outbox, is_on=is_on, roles=self.roles)

    @property
    def post_office(self) -> OutboxPost:
        """Takes letters."""
        return OutboxPost(outbox=self.outbox, vault=self.vault)

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
            notices=self.session_notices,
        )

    @property
    def resealing(self) -> Resealing:
        """Seals anew what was sealed by older keys."""
        return Resealing(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            vault=self.vault,
            sealed=StoredSealed(),
            purposes=PURPOSES,
            audit=self.audit,
            make_key=self.sealing_keys.make,
        )

    def has_factor(self, username: str) -> bool:
        """Whether the person of that name has a factor that they enrolled; False for nobody."""
        prepared = prepare_username(username) or ""

        def read(tx: Transaction) -> bool:
            account = self.users.find(tx, prepared)
            return account is not None and is_enrolled(self.users.factor_kinds(tx, account.user_id))

        return self.database.read(read)

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
    keep_demo_apart(settings, state)
    blocklist = opened_blocklist(settings)
    database = opened_database(settings)
    sealing_keys = SealingKeys(state, database, clock=clock, randomness=randomness)
    try:
        vault = opened_vault(settings, state, database, randomness, sealing_keys)
    except BaseException:
        database.close()
        raise
    key_store, users = SigningKeyStore(StoredSigningKeys(), vault), StoredUsers(vault)
    return Gateway(
        settings=settings,
        state=state,
        clock=clock,
        randomness=randomness,
        database=database,
        sealing_keys=sealing_keys,
        vault=vault,
        hasher=hasher or PasswordHasher(),
        blocklist=blocklist,
        pool=HashingPool(workers=settings.hashing_threads, queue_limit=settings.password_queue_limit),
        users=users,
        clients=StoredClients(),
        factors=StoredFactors(),
        sessions=StoredSessions(),
        refresh_tokens=StoredRefreshTokens(),
        pending_logins=StoredPendingLogins(),
        devices=StoredKnownDevices(),
        audit=followed_audit(settings),
        provider=ProviderStore(),
        key_store=key_store,
        ring=signing_ring(settings, database, key_store, clock),
        roles=PolicyRoles(users),
    )
