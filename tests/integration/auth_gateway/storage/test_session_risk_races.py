"""Signals, reviews, logins and refreshes of one person at once, in two processes: what is frozen stays frozen, what is
over stays over, and a signal counts once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.recoverable import StoredRecoverables
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.session_signals import StoredSessionSignals
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.shields import StoredShields
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.adapters.storage.user_risks import StoredUserRisks
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import SHIELD, Account
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from auth_gateway.core.session_risk import USUAL
from auth_gateway.flows.accounts import Accounts
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.recording import Announcing, Recorder
from auth_gateway.flows.renewal import Renewal
from auth_gateway.flows.said import Said
from auth_gateway.flows.session_notices import SessionNotices
from auth_gateway.flows.session_responses import SessionResponses
from auth_gateway.flows.session_signal import Taken, TakeSignal
from auth_gateway.flows.user_risk import RiskFollower
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SystemRandomness
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.signals import SessionRiskSignal
from tests.migrated import migrated
from webhooks.outbox import Outbox

NOW = 1_700_000_000.0
SESSIONS, USERS, TOKENS, SHIELDS, STORE = (
    StoredSessions(),
    StoredUsers(),
    StoredRefreshTokens(),
    StoredShields(),
    ProviderStore(),
)
ALICE = Account(user_id="alice", username="alice", display_name="Alice", password_hash="$2b$12$abc")
SESSION = Session(
    session_id="before",
    user_id="alice",
    client_id="web",
    amr="pwd",
    acr="aal1",
    auth_time=int(NOW),
    ip="198.51.100.9",
    user_agent="",
    device_digest=None,
    risk_score=None,
    created_at=NOW,
    expires_at=NOW + 100_000,
)
FAMILY = RefreshFamily(family_id="f", session_id="before", client_id="web", created_at=NOW)
TOKEN = RefreshToken(token_digest=digest("token"), family_id="f", issued_at=NOW, expires_at=NOW + 1000)
ROUNDS = 4
T = TypeVar("T")


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Database, Database]]:
    """Two processes' databases; Alice has a session with a refresh token."""
    if database_url.startswith("sqlite"):
        migrated(Path(database_url.removeprefix("sqlite:///")))
    here, there = open_storage(database_url), Database.open(database_url, metadata=metadata)

    def begin(tx: Transaction) -> None:
        USERS.add(tx, ALICE)
        SESSIONS.add(tx, SESSION)
        TOKENS.start(tx, FAMILY)
        TOKENS.add(tx, TOKEN)

    here.write_sync(begin)
    yield here, there
    here.close()
    there.close()


def parts(database: Database) -> dict[str, Any]:
    return {"database": database, "clock": FixedClock(NOW + 10), "randomness": SystemRandomness(), "users": USERS}


def ending() -> Ending:
    notices = SessionNotices(outbox=Outbox(outbox_rows))
    return Ending(sessions=SESSIONS, audit=StoredAuditTrail(), notices=notices)


def taking(database: Database) -> TakeSignal:
    recorder = Recorder(audit=StoredAuditTrail(), outbox=Outbox(outbox_rows), announcing=Announcing())
    return TakeSignal(
        **parts(database),
        sessions=SESSIONS,
        signals=StoredSessionSignals(),
        responses=SessionResponses(
            users=USERS,
            shields=SHIELDS,
            sessions=SESSIONS,
            trusted_devices=StoredTrustedDevices(),
            ending=ending(),
            recorder=recorder,
        ),
        follower=RiskFollower(book=StoredUserRisks(), audit=StoredAuditTrail()),
        marks=lambda: USUAL,
    )


def signalled(score: float, name: str = "sig_12345") -> SessionRiskSignal:
    return SessionRiskSignal(
        signal_id=name,
        session_id="before",
        user_id="alice",
        score=score,
        level="high" if score >= 80 else "medium",
        recommended="freeze",
        observed_at=NOW + 5,
    )


def take(database: Database, score: float, name: str = "sig_12345") -> Taken:
    """As the endpoint does, in this thread."""
    taker, event_id = taking(database), SystemRandomness().event_id("evt")
    return database.write_sync(
        lambda tx: taker._take(tx, signalled(score, name), USUAL, event_id=event_id, now=NOW + 10)
    )


def accounts(database: Database) -> Accounts:
    return Accounts(
        **parts(database),
        hashes=PasswordHasher(memory_kib=64, passes=1),
        sessions=SESSIONS,
        audit=StoredAuditTrail(),
        ending=ending(),
        trusted_devices=StoredTrustedDevices(),
        shields=SHIELDS,
    )


def at_once(first: Callable[[], object], second: Callable[[], object]) -> tuple[object, object]:
    """Both, begun together."""
    gate = threading.Barrier(2)

    def run(job: Callable[[], object]) -> object:
        gate.wait(10)
        return job()

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(run, first), pool.submit(run, second)
        return one.result(30), other.result(30)


def account(database: Database) -> Account:
    found = database.read(lambda tx: USERS.by_id(tx, "alice"))
    assert found is not None
    return found


def running(database: Database) -> list[str]:
    found = database.read(lambda tx: SESSIONS.of_user(tx, "alice"))
    return [each.session_id for each in found if each.revoked_at is None]


def reviewed(database: Database, version: int) -> str:
    """A review of the account as it was in that version."""
    try:
        accounts(database).unfreeze("alice", Said(by="mara", why="looked"), expected_version=version)
    except Refused as refused:
        return refused.code
    return "opened"


def test_one_signal_in_two_gateways_counts_once(pair: tuple[Database, Database]) -> None:
    """Exactly one of them does what it asks for, each time."""
    here, there = pair
    for number in range(ROUNDS):
        name = f"sig_round_{number}"
        taken = at_once(lambda name=name: take(here, 85, name), lambda name=name: take(there, 85, name))  # type: ignore[misc]
        assert sorted(map(str, taken)) == ["repeated", "taken"]
    kept = here.read(lambda tx: StoredSessionSignals().of_user(tx, "alice", 100))
    assert len(kept) == ROUNDS
    assert sum(signal.effect == "done" for signal in kept) == 1


def test_a_review_never_opens_what_was_frozen_again_meanwhile(pair: tuple[Database, Database]) -> None:
    """Either the review is too late and refused, or the new signal freezes after it: frozen it is at the end."""
    here, there = pair
    for number in range(ROUNDS):
        take(here, 99, f"sig_first_{number}")
        version = account(here).password_version
        told, _ = at_once(
            lambda version=version: reviewed(there, version),  # type: ignore[misc]
            lambda number=number: take(here, 99, f"sig_again_{number}"),  # type: ignore[misc]
        )
        found = account(here)
        assert (found.is_frozen, found.frozen_reason, told in {"opened", "changed_meanwhile"}) == (True, SHIELD, True)


def test_a_login_that_is_under_way_does_not_outlive_a_freeze(pair: tuple[Database, Database]) -> None:
    """Whoever is being let in at that moment is refused, or out again."""
    here, there = pair
    for number in range(ROUNDS):
        version = account(here).password_version
        session = msgspec.structs.replace(SESSION, session_id=f"new_{number}")

        def let_in(version: int = version, session: Session = session) -> bool:
            def job(tx: Transaction) -> bool:
                if not USERS.is_still(tx, "alice", version):
                    return False
                SESSIONS.add(tx, session)
                return True

            return here.write_sync(job)

        at_once(let_in, lambda number=number: take(there, 99, f"sig_login_{number}"))  # type: ignore[misc]
        assert running(here) == []
        assert account(here).is_frozen
        assert reviewed(here, account(here).password_version) == "opened"


def test_a_refresh_that_is_under_way_leaves_nothing_that_lives(pair: tuple[Database, Database]) -> None:
    """Whatever token comes of it, its session is over, or awaits its owner, wherever it is looked at."""
    here, there = pair

    def rotate() -> object:
        def job(tx: Transaction) -> None:
            TOKENS.present(tx, TOKEN.token_digest)
            if TOKENS.use(tx, TOKEN.token_digest, successor_digest=digest("next"), now=NOW + 10):
                TOKENS.add(tx, msgspec.structs.replace(TOKEN, token_digest=digest("next")))

        return here.write_sync(job)

    at_once(rotate, lambda: take(there, 65))
    presented = here.read(lambda tx: TOKENS.present(tx, digest("next")))
    assert presented is not None
    assert presented.session_asked_at == NOW + 10
    at_once(lambda: take(there, 99, "sig_harder_1"), lambda: take(here, 85, "sig_harder_2"))
    after = here.read(lambda tx: TOKENS.present(tx, digest("next")))
    assert after is not None
    assert after.session_revoked_at is not None


def test_what_begins_in_a_session_while_its_owner_answers_dies_with_the_rest(pair: tuple[Database, Database]) -> None:
    """An application that joins by a copy of before is kept out while the session rests; of two answers one counts."""
    here, there = pair
    take(here, 65)
    assert not here.write_sync(lambda tx: STORE.session_clients.join(tx, "before", "web", NOW + 11))
    renewal = Renewal(
        sessions=SESSIONS,
        refresh_tokens=TOKENS,
        codes=STORE.codes,
        device_grants=STORE.device_grants,
        notices=SessionNotices(outbox=Outbox(outbox_rows)),
    )
    renewed = msgspec.structs.replace(SESSION, amr="pwd otp mfa", acr="aal2")
    shown = LoginEvent(event_id="evt_1", user_id="alice", ip="198.51.100.9")

    def answer(database: Database) -> bool:
        return database.write_sync(lambda tx: renewal.write(tx, renewed, shown, NOW + 20))

    assert sorted(map(bool, at_once(lambda: answer(here), lambda: answer(there)))) == [False, True]
    presented = here.read(lambda tx: TOKENS.present(tx, TOKEN.token_digest))
    assert presented is not None
    assert presented.family_revoked_at == NOW + 20
    assert here.write_sync(lambda tx: STORE.session_clients.join(tx, "before", "web", NOW + 21))


def test_what_its_owner_could_lift_becomes_a_freeze_that_they_cannot(pair: tuple[Database, Database]) -> None:
    """A reported account that is shielded stays frozen when it is recovered; an operator's freeze stays theirs."""
    here, _ = pair
    owners = StoredRecoverables()
    assert here.write_sync(lambda tx: owners.freeze(tx, "alice"))
    assert here.write_sync(lambda tx: SHIELDS.shield(tx, "alice"))
    assert not here.write_sync(lambda tx: owners.unfreeze(tx, "alice"))
    assert not here.write_sync(lambda tx: owners.freeze(tx, "alice"))
    assert (account(here).is_frozen, account(here).frozen_reason) == (True, SHIELD)
    here.write_sync(lambda tx: USERS.set_frozen(tx, "alice", is_frozen=True))
    assert not here.write_sync(lambda tx: SHIELDS.shield(tx, "alice"))
    assert (account(here).is_frozen, account(here).frozen_reason) == (True, "")
