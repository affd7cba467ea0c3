"""One gateway on a real SQLite file, with a clock that stands still, a scripted scorer and cheap passwords."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyotp
import pytest

from auth_gateway.adapters.recent_lines import MemoryLines
from auth_gateway.adapters.recent_rulings import MemoryRulings
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.factors import StoredFactors, StoredKnownDevices
from auth_gateway.adapters.storage.guesses import StoredGuesses
from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.adapters.storage.mailed_codes import StoredMailedCodes
from auth_gateway.adapters.storage.pending_logins import StoredPendingLogins
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.session_signals import StoredSessionSignals
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.shields import StoredShields
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.adapters.storage.tables import outbox
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.adapters.unknown_names import Allowance
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.claims import AccessClaims, Audience, Lifetimes
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.policy import Policy
from auth_gateway.flows.accounts import Accounts
from auth_gateway.flows.admission import Admission
from auth_gateway.flows.challenge import CompleteLogin
from auth_gateway.flows.completion import Completion
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.enrolment import EnrolTotp
from auth_gateway.flows.housekeeping import Housekeeping
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.letters import OutboxPost
from auth_gateway.flows.listed_passwords import ListedPasswords
from auth_gateway.flows.login import Login
from auth_gateway.flows.mailed_code import MailCode
from auth_gateway.flows.ports import PasswordCheck
from auth_gateway.flows.proofs import CodeProof, PasskeyProof, Proving
from auth_gateway.flows.recheck import Recheck
from auth_gateway.flows.recording import Announcing, Recorder
from auth_gateway.flows.refresh import Refresh
from auth_gateway.flows.revoke import Revoke
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.vault import Vault
from risk_scorer.contract.assessment import Explain, Reason, RiskScore, risk_level
from risk_scorer.contract.events import LoginEvent
from tests.migrated import migrated_storage
from webhooks.outbox import Outbox

NOW = 1_700_000_000.0
HOME = "198.51.100.9"


class PlainPasswords:
    """Passwords whose hash is themselves behind a scheme; `old$…` is verified and upgraded to `new$…`."""

    def __init__(self) -> None:
        self.checks: list[tuple[str | None, str | None]] = []
        self.error: Exception | None = None

    async def check(
        self,
        password: str | None,
        stored_hash: str | None,
        *,
        user_id: str,
        may_upgrade: bool,
        is_known_device: bool = False,
    ) -> PasswordCheck:
        self.checks.append((password, stored_hash))
        if self.error:
            raise self.error
        scheme, _, text = (stored_hash or "").partition("$")
        matches = password is not None and stored_hash is not None and text == password
        is_old = matches and may_upgrade and scheme == "old"
        return PasswordCheck(matches=matches, upgraded_hash=f"new${text}" if is_old else None)

    def hash(self, password: str) -> str:
        return f"new${password}"


class ScriptedScorer:
    """Answers the mark it was told; `before` runs while the gateway waits for it."""

    def __init__(self) -> None:
        self.mark: float | None = 10.0
        self.country = ""
        self.events: list[LoginEvent] = []
        self.before: Any = None

    async def score(self, event: LoginEvent) -> RiskScore | None:
        self.events.append(event)
        if self.before:
            self.before()
        return None if self.mark is None else score_of(self.mark, event.event_id or "", self.country)


class ReadableTokens:
    """Access tokens that are their claims."""

    def encode(self, claims: AccessClaims) -> str:
        return msgspec.json.encode(claims).decode()


def score_of(mark: float, event_id: str, country: str = "") -> RiskScore:
    """A score of that mark, with one reason."""
    counts = dict.fromkeys(["user_freq", "ip_freq", "device_freq", "ua_freq", "ja4_freq", "ja4h_freq", "ja4s_freq"], 0)
    return RiskScore(
        risk_score=mark,
        risk_level=risk_level(mark),
        model_label=1,
        explain=Explain(hour=0, day_of_week=0, success=1, ip_rep=5.0, country=country, **counts),
        ts_scored=NOW,
        reasons=[Reason(code="new_device", points=mark, observed="dev-x", usual="dev-1", text="New device.")],
        model_version="model-1",
        event_id=event_id,
    )


@dataclass
class World:
    """Everything wired together, and the few questions tests ask."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    randomness: SeededRandomness = field(default_factory=lambda: SeededRandomness(7))
    passwords: PlainPasswords = field(default_factory=PlainPasswords)
    scorer: ScriptedScorer = field(default_factory=ScriptedScorer)
    throttle: MemoryThrottle = field(default_factory=MemoryThrottle)
    policy: Policy = field(default_factory=Policy)
    client: Client = field(default_factory=lambda: Client(client_id="web"))
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    rulings: MemoryRulings = field(default_factory=lambda: MemoryRulings(reuse_seconds=60))
    lines: MemoryLines = field(default_factory=MemoryLines)
    unknown_names: Allowance = field(default_factory=Allowance)

    def __post_init__(self) -> None:
        self.users, self.factors = StoredUsers(), StoredFactors()
        self.recovery_codes = StoredRecoveryCodes()
        self.sessions, self.refresh_tokens = StoredSessions(), StoredRefreshTokens()
        self.pending_logins, self.audit, self.devices = StoredPendingLogins(), StoredAuditTrail(), StoredKnownDevices()
        self.vault = Vault(b"k" * 32, self.randomness)
        self.outbox = Outbox(outbox)
        announcing = Announcing(tenant="acme", endpoints=frozenset({"mfa", "webhook", "scorer"}))
        self.recorder = Recorder(audit=self.audit, outbox=self.outbox, announcing=announcing)
        self.issuer = Issuer(
            audience=Audience(issuer="https://id.example", audience="api"),
            lifetimes=self.lifetimes,
            randomness=self.randomness,
            codec=ReadableTokens(),
            sessions=self.sessions,
            refresh_tokens=self.refresh_tokens,
            devices=self.devices,
        )
        kept = {"database": self.database, "clock": self.clock, "randomness": self.randomness}
        operator: dict[str, Any] = {**kept, "users": self.users, "audit": self.audit}
        self.ending = Ending(sessions=self.sessions, audit=self.audit)
        self.accounts = Accounts(
            hashes=self.passwords,
            sessions=self.sessions,
            ending=self.ending,
            trusted_devices=StoredTrustedDevices(),
            shields=StoredShields(),
            **operator,
        )
        self.revoke = Revoke(sessions=self.sessions, users=self.users, ending=self.ending, **kept)
        self.enrol = EnrolTotp(
            vault=self.vault,
            factors=self.factors,
            trusted_devices=StoredTrustedDevices(),
            issuer_name="riskgate",
            **operator,
        )
        self.housekeeping = Housekeeping(
            database=self.database,
            clock=self.clock,
            pending_logins=self.pending_logins,
            sessions=self.sessions,
            refresh_tokens=self.refresh_tokens,
            devices=self.devices,
            mailed_codes=StoredMailedCodes(),
            mail_links=StoredMailLinks(),
            trusted_devices=StoredTrustedDevices(),
            provider=ProviderStore(),
            streams=StoredStreams(),
            session_signals=StoredSessionSignals(),
        )

    @property
    def login_flow(self) -> Login:
        admission = Admission(
            database=self.database,
            randomness=self.randomness,
            scorer=self.scorer,
            users=self.users,
            pending_logins=self.pending_logins,
            issuer=self.issuer,
            recorder=self.recorder,
            trusted_devices=StoredTrustedDevices(),
            throttle=self.throttle,
            lines=MemoryLines(),
            policy=self.policy,
            listed_passwords=ListedPasswords(
                randomness=self.randomness,
                users=self.users,
                recorder=self.recorder,
                post_office=OutboxPost(outbox=Outbox(outbox), vault=self.vault),
            ),
        )
        return Login(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            throttle=self.throttle,
            passwords=self.passwords,
            users=self.users,
            recorder=self.recorder,
            admission=admission,
            unknown_names=self.unknown_names,
            names_key=self.vault.derive("unknown-names"),
        )

    @property
    def complete_flow(self) -> CompleteLogin:
        return CompleteLogin(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            throttle=self.throttle,
            users=self.users,
            pending_logins=self.pending_logins,
            proving=self.proving,
            policy=self.policy,
            recorder=self.recorder,
            completion=Completion(
                database=self.database,
                randomness=self.randomness,
                users=self.users,
                issuer=self.issuer,
                recorder=self.recorder,
                recheck=self.recheck,
            ),
        )

    @property
    def proving(self) -> Proving:
        return Proving(
            vault=self.vault,
            factors=self.factors,
            recovery_codes=self.recovery_codes,
            mailed_codes=StoredMailedCodes(),
            guesses=StoredGuesses(),
            recovery_key=b"r" * 32,
            mailed_key=b"m" * 32,
        )

    @property
    def mail_flow(self) -> MailCode:
        return MailCode(
            complete=self.complete_flow,
            mailed_codes=StoredMailedCodes(),
            guesses=StoredGuesses(),
            post_office=OutboxPost(outbox=self.outbox, vault=self.vault),
            audit=self.audit,
            key=b"m" * 32,
        )

    @property
    def recheck(self) -> Recheck:
        return Recheck(scorer=self.scorer, policy=self.policy, recent=self.rulings)

    @property
    def refresh_flow(self) -> Refresh:
        return Refresh(
            database=self.database,
            clock=self.clock,
            randomness=self.randomness,
            pepper=self.vault.derive("refresh-successor"),
            issuer=self.issuer,
            ending=self.ending,
            refresh_tokens=self.refresh_tokens,
            recorder=self.recorder,
            recheck=self.recheck,
            lines=self.lines,
        )

    def context(self, **seen: Any) -> LoginContext:
        """Alice's usual circumstances, but for what is given."""
        return LoginContext(**{"ip": HOME, "timestamp": self.clock.now(), "device_id": "dev-1", **seen})

    async def login(
        self,
        username: str = "alice",
        password: str = "right",  # noqa: S107 -- everybody here has this password
        *,
        client: Client | None = None,
        **context: Any,
    ) -> Any:
        return await self.login_flow(username, password, self.context(**context), client or self.client)

    async def complete(
        self, challenge_token: str, code: str, *, kind: Any = "totp", client: Client | None = None, **context: Any
    ) -> Any:
        proof = CodeProof(kind=kind, code=code)
        return await self.complete_flow(challenge_token, proof, client or self.client, self.context(**context))

    async def refresh(self, refresh_token: str, *, client: Client | None = None, **context: Any) -> Any:
        return await self.refresh_flow(refresh_token, client or self.client, self.context(**context))

    def person(self, username: str = "alice", *, factor: bool = False) -> str:
        """Add a person whose password is `right`; the secret of their authenticator when they have one."""
        self.accounts.add(username, "right", user_id=username)
        return self.enrol(username).secret if factor else ""

    def passkey(self, username: str = "alice") -> PasskeyProof:
        """Register a passkey; what its signature proves whenever it is used, as often as wanted."""
        row = (username.encode() + b"-passkey", username, b"key", 0, "", "", "", False, False, NOW, None)
        with self.database.engine.begin() as connection:
            marks = ", ".join("?" * len(row))
            connection.exec_driver_sql(f"INSERT INTO passkeys VALUES ({marks})", row)  # noqa: S608 -- marks alone
        return PasskeyProof(user_id=username, is_user_verified=True, spend=lambda _: True)

    async def show(self, challenge_token: str, proof: Any, **context: Any) -> Any:
        """Answer a challenge with something that is no code."""
        return await self.complete_flow(challenge_token, proof, self.client, self.context(**context))

    def code(self, secret: str) -> str:
        return str(pyotp.TOTP(secret).at(int(self.clock.now())))

    def audited(self, *kinds: str) -> list[AuditEvent]:
        """Audit lines, oldest first; of all kinds that concern logins and tokens unless named."""
        lines = reversed(self.database.read(lambda tx: self.audit.recent(tx, 10_000)))
        return [line for line in lines if (line.kind in kinds if kinds else line.kind.split(".")[0] != "user")]

    def messages(self, endpoint: str) -> list[tuple[str, Any]]:
        """What waits for an endpoint, oldest first: event type and body."""
        sql = "SELECT event_type, body FROM outbox WHERE endpoint = ? ORDER BY rowid"
        with self.database.engine.connect() as connection:
            rows = connection.exec_driver_sql(sql, (endpoint,)).fetchall()
        return [(row[0], json.loads(row[1])) for row in rows]

    def count(self, table: str, where: str = "1") -> int:
        with self.database.engine.connect() as connection:
            sql = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 -- the tests' own words
            return int(connection.exec_driver_sql(sql).scalar_one())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A gateway with nobody in it."""
    database = migrated_storage(tmp_path / "gateway.db")
    yield World(database)
    database.close()
