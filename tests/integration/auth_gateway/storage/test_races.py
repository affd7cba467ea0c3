"""Several gateways on one database reach for the same thing at the same moment: one of them gets it."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from auth_gateway.adapters.storage.factors import StoredFactors, StoredKnownDevices
from auth_gateway.adapters.storage.pending_logins import StoredPendingLogins
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Factor
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.provider.authorization import AuthorizationCode
from auth_gateway.core.provider.device_grant import DeviceGrant
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from plumbing.database import Database, Transaction

NOW = 1_700_000_000.0
TOKENS, CODES, SESSIONS = StoredRefreshTokens(), ProviderStore().codes, StoredSessions()

Job = Callable[[Transaction], bool]


class Crowd:
    """Contenders with a database object of their own each, as processes have."""

    def __init__(self, databases: list[Database]) -> None:
        self.databases = databases
        self._pool = ThreadPoolExecutor(len(databases))
        self._start = threading.Barrier(len(databases))

    def race(self, job_of: Callable[[int], Job]) -> list[bool]:
        """What each got when all began at once; an error of one is an error of the race."""

        def run(number: int) -> bool:
            self._start.wait(30)
            return self.databases[number].write_sync(job_of(number))

        return list(self._pool.map(run, range(len(self.databases))))

    def close(self) -> None:
        self._pool.shutdown()


SIZES = pytest.mark.parametrize("crowd", [2, 5, 20], indirect=True)
"""Two, five and twenty contenders beside the database that the test looks at; elsewhere there are five."""


@pytest.fixture(params=[5])
def crowd(request: pytest.FixtureRequest, database: Database, database_url: str) -> Iterator[Crowd]:
    """So many contenders."""
    with ExitStack() as stack:
        opened = []
        for _ in range(request.param):
            opened.append(another := Database.open(database_url, metadata=metadata))
            stack.callback(another.close)
        crowd = Crowd(opened)
        stack.callback(crowd.close)
        yield crowd


def family_of(number: int) -> RefreshFamily:
    return RefreshFamily(family_id=f"f{number}", session_id="s1", client_id="web", created_at=NOW)


def token(name: bytes, family: str = "f0") -> RefreshToken:
    return RefreshToken(token_digest=name, family_id=family, issued_at=NOW, expires_at=NOW + 100)


def code(number: int) -> AuthorizationCode:
    return AuthorizationCode(
        code_digest=b"code%d" % number,
        client_id="web",
        session_id="s1",
        redirect_uri="https://web.example/back",
        scope="openid",
        code_challenge="c" * 43,
        created_at=NOW,
        expires_at=NOW + 60,
    )


def challenge(number: int, attempts: int = 5) -> PendingLogin:
    return PendingLogin(
        challenge_id=f"chg_{number}",
        token_digest=b"challenge%d" % number,
        user_id="alice",
        client_id="web",
        password_version=1,
        device_digest=None,
        event_id="evt",
        event=b"{}",
        risk_score=None,
        risk_level=None,
        created_at=NOW,
        expires_at=NOW + 300,
        attempts_left=attempts,
    )


@SIZES
def test_one_refresh_token_has_one_successor(database: Database, crowd: Crowd, rounds: int) -> None:
    """Whoever spends it adds the next one; all others find it spent, and theirs does not exist."""
    database.write_sync(lambda tx: TOKENS.start(tx, family_of(0)))
    for turn in range(rounds):
        old = b"token%d" % turn
        database.write_sync(lambda tx, old=old: TOKENS.add(tx, token(old)))  # type: ignore[misc]
        nexts = [b"%s-%d" % (old, number) for number in range(len(crowd.databases))]

        def spend(number: int, old: bytes = old, nexts: list[bytes] = nexts) -> Job:
            def job(tx: Transaction) -> bool:
                if not TOKENS.use(tx, old, successor_digest=nexts[number], now=NOW):
                    return False
                TOKENS.add(tx, token(nexts[number]))
                return True

            return job

        won = crowd.race(spend)
        assert won.count(True) == 1
        followed = database.write_sync(lambda tx, nexts=nexts: TOKENS.forget(tx, nexts))  # type: ignore[misc]
        assert followed == 1


@SIZES
def test_one_code_is_redeemed_once(database: Database, crowd: Crowd, rounds: int) -> None:
    """The others learn that it was used."""
    for turn in range(rounds):
        database.write_sync(lambda tx, turn=turn: CODES.add(tx, code(turn)))  # type: ignore[misc]
        won = crowd.race(lambda _, turn=turn: lambda tx: CODES.spend(tx, b"code%d" % turn, NOW))  # type: ignore[misc]
        assert won.count(True) == 1


@SIZES
def test_one_challenge_is_answered_once_and_its_tries_run_out(database: Database, crowd: Crowd, rounds: int) -> None:
    """Of any number of right answers at once one is taken, and never more tries than there are."""
    pending = StoredPendingLogins()
    for turn in range(rounds):
        digest = b"challenge%d" % turn
        database.write_sync(lambda tx, turn=turn: pending.add(tx, challenge(turn, attempts=3)))  # type: ignore[misc]
        tried = crowd.race(
            lambda _, digest=digest: lambda tx: pending.count_attempt(tx, digest, client_id="web", now=NOW)  # type: ignore[misc]
        )
        assert tried.count(True) == min(3, len(crowd.databases))
        won = crowd.race(lambda _, digest=digest: lambda tx: pending.consume(tx, digest, NOW))  # type: ignore[misc]
        assert won.count(True) == 1


def test_a_time_step_an_identifier_and_a_device_count_once(database: Database, crowd: Crowd, rounds: int) -> None:
    """A six-digit code, the id of a proof, and an approved device."""
    store, factors = ProviderStore(), StoredFactors()
    factor = Factor(factor_id="f", user_id="alice", sealed_secret=b"s", last_used_step=-1, created_at=NOW)
    database.write_sync(lambda tx: factors.put(tx, factor))
    for turn in range(rounds):
        name = b"%d" % turn
        grant = DeviceGrant(
            device_digest=name,
            user_code=f"U{turn}",
            client_id="tv",
            scope="openid",
            created_at=NOW,
            expires_at=NOW + 60,
            ip="198.51.100.9",
            user_agent="TV",
        )
        database.write_sync(lambda tx, grant=grant: store.device_grants.add(tx, grant))  # type: ignore[misc]
        database.write_sync(
            lambda tx, name=name: store.device_grants.answer(tx, name, session_id="s1", now=NOW)  # type: ignore[misc]
        )
        steps = crowd.race(lambda _, turn=turn: lambda tx: factors.use_step(tx, "f", turn))  # type: ignore[misc]
        seen = crowd.race(lambda _, name=name: lambda tx: store.seen_once.first(tx, name, NOW))  # type: ignore[misc]
        taken = crowd.race(lambda _, name=name: lambda tx: store.device_grants.redeem(tx, name))  # type: ignore[misc]
        assert [won.count(True) for won in (steps, seen, taken)] == [1, 1, 1]


def test_what_is_looked_for_and_then_added_is_added_once(database: Database, crowd: Crowd, rounds: int) -> None:
    """A device met by all at once is one device, and nobody gets an error for coming second."""
    devices = StoredKnownDevices()
    for turn in range(rounds):
        name = b"device%d" % turn

        def meet(_: int, name: bytes = name) -> Job:
            def job(tx: Transaction) -> bool:
                devices.remember(tx, "alice", name, NOW)
                return True

            return job

        assert all(crowd.race(meet))
    assert database.write_sync(lambda tx: devices.forget_unseen(tx, NOW + 1)) == rounds


def test_refusals_of_all_processes_are_counted(database: Database, crowd: Crowd, rounds: int) -> None:
    """The limit on a family's refusals holds for all gateways together."""
    for turn in range(rounds):
        family = family_of(turn)
        database.write_sync(lambda tx, family=family: TOKENS.start(tx, family))  # type: ignore[misc]
        counts = crowd.race(
            lambda _, family=family: lambda tx: TOKENS.count_refusal(tx, family.family_id, now=NOW)  # type: ignore[misc]
        )
        assert sorted(counts) == list(range(1, len(crowd.databases) + 1))


def test_no_session_outlives_the_password_it_began_with(database: Database, crowd: Crowd, rounds: int) -> None:
    """Logins that meet a change of the password either come first and are ended, or are refused."""
    users = StoredUsers()
    for turn in range(rounds):
        version = turn + 1

        def log_in(number: int, version: int = version) -> Job:
            session = session_of(f"s{version}-{number}")

            def job(tx: Transaction) -> bool:
                if not users.is_still(tx, "alice", version):
                    return False
                SESSIONS.add(tx, session)
                return True

            return job

        def change(tx: Transaction) -> bool:
            users.set_password(tx, "alice", "$2b$12$new")
            for session in SESSIONS.of_user(tx, "alice"):
                SESSIONS.revoke(tx, session.session_id, now=NOW, reason="password_changed")
            return True

        crowd.race(lambda number, log_in=log_in, change=change: change if number == 0 else log_in(number))  # type: ignore[misc]
        assert [one for one in database.read(lambda tx: SESSIONS.of_user(tx, "alice")) if one.revoked_at is None] == []


@SIZES
def test_groups_that_cross_each_other_end_without_a_deadlock(database: Database, crowd: Crowd, is_long: bool) -> None:
    """Each contender commits many at once, each in another order: every token still has exactly one winner."""
    database.write_sync(lambda tx: TOKENS.start(tx, family_of(0)))
    for turn in range(20 if is_long else 2):
        names = [b"token%d-%d" % (turn, i) for i in range(10)]
        for name in names:
            database.write_sync(lambda tx, name=name: TOKENS.add(tx, token(name)))  # type: ignore[misc]

        async def all_of_them(number: int, names: list[bytes] = names) -> list[bool]:
            order = random.Random(number).sample(names, len(names))
            jobs = [
                lambda tx, name=name: (name, TOKENS.use(tx, name, successor_digest=b"x", now=NOW)) for name in order
            ]
            return await asyncio.gather(*(crowd.databases[number].write(job) for job in jobs))

        with ThreadPoolExecutor(len(crowd.databases)) as pool:
            runs = list(pool.map(lambda number, run=all_of_them: asyncio.run(run(number)), range(len(crowd.databases))))
        winners = [name for run in runs for name, won in run if won]
        assert sorted(winners) == sorted(names)


def session_of(name: str) -> Session:
    return Session(
        session_id=name,
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
    )
