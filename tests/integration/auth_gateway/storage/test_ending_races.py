"""Sessions of a person are ended by one process while another adds a second factor to one of them: nothing survives."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from auth_gateway.core.provider.authorization import BrowserSession
from auth_gateway.core.provider.end_session import EndSessionRequest
from auth_gateway.core.session import Session
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.provider.logout import Logout
from auth_gateway.flows.revoke import Revoke
from plumbing.clock import FixedClock
from plumbing.database import Database, Transaction
from plumbing.randomness import SeededRandomness
from tests.postgresql import Server

NOW = 1_700_000_000.0
SESSIONS, USERS, BROWSERS = StoredSessions(), StoredUsers(), ProviderStore().browser_sessions
WAITERS = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
PATIENCE_SECONDS = 1.0

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
    expires_at=NOW + 1000,
    browser_id="browser",
)
BROWSER = BrowserSession(
    token_digest=b"cookie",
    browser_id="browser",
    session_id="before",
    user_id="alice",
    created_at=NOW,
    expires_at=NOW + 1000,
)


@pytest.fixture
def pair(postgresql_url: str) -> Iterator[tuple[Database, Database]]:
    """Two processes' databases; Alice is signed in at a browser."""
    here, there = open_storage(postgresql_url), Database.open(postgresql_url, metadata=metadata)
    alice = Account(user_id="alice", username="alice", display_name="Alice", password_hash="$2b$12$abc")

    def begin(tx: Transaction) -> None:
        USERS.add(tx, alice)
        SESSIONS.add(tx, SESSION)
        BROWSERS.add(tx, BROWSER)

    here.write_sync(begin)
    yield here, there
    here.close()
    there.close()


def kept(database: Database) -> dict[str, Any]:
    return {"database": database, "clock": FixedClock(NOW), "randomness": SeededRandomness(7), "users": USERS}


def revoke_all(database: Database) -> None:
    ending = Ending(sessions=SESSIONS, audit=StoredAuditTrail())
    Revoke(sessions=SESSIONS, ending=ending, **kept(database)).all_of("alice", reason="operator")


def sign_out(database: Database) -> None:
    logout = Logout(
        verifier=None,  # type: ignore[arg-type] # nobody shows a hint
        clients=StoredClients(),
        browser_sessions=BROWSERS,
        ending=Ending(sessions=SESSIONS, audit=StoredAuditTrail()),
        **kept(database),
    )
    asyncio.run(logout.confirmed(EndSessionRequest(), b"cookie"))


@pytest.mark.parametrize("end", [revoke_all, sign_out])
def test_a_second_factor_that_is_being_added_saves_no_session(
    pair: tuple[Database, Database], postgresql_server: Server, end: Callable[[Database], None]
) -> None:
    """The session that it begins is there before the end, and ends with the others."""
    here, there = pair
    is_let_in = threading.Event()

    def step_up(tx: Transaction) -> bool:
        """As a completed challenge writes it: the account first, then the session under a new cookie."""
        stands = USERS.is_still(tx, "alice", 1)
        BROWSERS.forget(tx, b"cookie")
        SESSIONS.add(tx, msgspec.structs.replace(SESSION, session_id="after"))
        BROWSERS.add(tx, msgspec.structs.replace(BROWSER, token_digest=b"new", session_id="after"))
        is_let_in.set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not postgresql_server.execute(WAITERS) and not ended.done() and time.monotonic() < deadline:
            time.sleep(0.005)
        return stands

    def end_meanwhile() -> None:
        assert is_let_in.wait(10)
        end(there)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(end_meanwhile)
        assert here.write_sync(step_up)
        ended.result(10)
    sessions = here.read(lambda tx: SESSIONS.of_user(tx, "alice"))
    assert [one.session_id for one in sessions if one.revoked_at is None] == []
    assert len(sessions) == 2
