"""Several gateways on one database are shown the same passkey at the same moment: one of them believes it."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.adapters.webauthn import WebAuthnLibrary
from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import Flawed, relying_party
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.flows.passkeys import PasskeyCeremonies, Shown
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SystemRandomness
from tests.soft_authenticator import SoftAuthenticator

NOW = 1_700_000_000.0
ORIGIN = "https://login.example"
ALICE = Account(user_id="alice", username="alice", display_name="Alice", password_hash="$2b$12$abc")
TRUE = SoftAuthenticator(origin=ORIGIN, rp_id="login.example")
SIZES = pytest.mark.parametrize("gateways", [2, 5, 20], indirect=True)


def ceremonies(database: Database) -> PasskeyCeremonies:
    party = relying_party(ORIGIN, "Example")
    assert party is not None
    return PasskeyCeremonies(
        database=database,
        clock=FixedClock(NOW),
        randomness=SystemRandomness(),
        webauthn=WebAuthnLibrary(party),
        passkeys=StoredPasskeys(),
        seen_once=ProviderStore().seen_once,
        audit=StoredAuditTrail(),
        challenge_key=b"c" * 32,
        handle_key=b"h" * 32,
    )


@pytest.fixture
def gateways(
    request: pytest.FixtureRequest, database: Database, database_url: str
) -> Iterator[list[PasskeyCeremonies]]:
    """So many, each with a database object of its own, as processes have."""
    with ExitStack() as stack:
        opened = []
        for _ in range(request.param):
            opened.append(another := Database.open(database_url, metadata=metadata))
            stack.callback(another.close)
        yield [ceremonies(each) for each in opened]


@pytest.fixture
def mine(database: Database) -> SoftAuthenticator:
    """Alice's authenticator, whose counter stands at 1."""
    own = ceremonies(database)
    registration = PasskeyRegistration(ceremonies=own)
    text = TRUE.create(registration.options(ALICE, "s1"))
    assert isinstance(asyncio.run(registration.finish(text, user_id="alice", session_id="s1", name="")), Passkey)
    return TRUE.but(user_handle=own.handle("alice"))


def spent(gateways: list[PasskeyCeremonies], answers: list[str]) -> list[bool]:
    """What each gateway says to its answer, all at once."""

    def spend(number: int) -> bool:
        own = gateways[number]
        found = own.find(answers[number])
        assert not isinstance(found, Flawed)
        shown = own.check_sign_in(found, "i1", AuditEvent(event_id="evt", ts=NOW, kind="login.failed"))
        assert isinstance(shown, Shown)
        return own.database.write_sync(shown.spend)

    with ThreadPoolExecutor(len(gateways)) as pool:
        return list(pool.map(spend, range(len(gateways))))


@SIZES
def test_one_question_is_answered_once(gateways: list[PasskeyCeremonies], mine: SoftAuthenticator, rounds: int) -> None:
    """By whatever counter; the others are written down as sent again."""
    for turn in range(rounds):
        answer = mine.but(count=2 + turn).get(gateways[0].sign_in_options("i1"))
        assert spent(gateways, [answer] * len(gateways)).count(True) == 1
    lines = gateways[0].database.read(lambda tx: StoredAuditTrail().recent(tx, 10_000))
    refused = [line.rule for line in lines if line.kind == "passkey.refused"]
    assert refused == ["replayed"] * (rounds * (len(gateways) - 1))


@SIZES
def test_one_count_of_a_passkey_is_believed_once(
    gateways: list[PasskeyCeremonies], mine: SoftAuthenticator, rounds: int
) -> None:
    """A copy that answers other questions at the same moment shows the same count."""
    for turn in range(rounds):
        answers = [mine.but(count=2 + turn).get(own.sign_in_options("i1")) for own in gateways]
        assert spent(gateways, answers).count(True) == 1


@SIZES
def test_one_credential_is_kept_once(gateways: list[PasskeyCeremonies], database: Database) -> None:
    """The same new passkey, sent so often at once."""
    text = TRUE.create(PasskeyRegistration(ceremonies=gateways[0]).options(ALICE, "s1"))

    def keep(own: PasskeyCeremonies) -> bool:
        registration = PasskeyRegistration(ceremonies=own)
        finished = registration.finish(text, user_id="alice", session_id="s1", name="Phone")
        return isinstance(asyncio.run(finished), Passkey)

    with ThreadPoolExecutor(len(gateways)) as pool:
        assert list(pool.map(keep, gateways)).count(True) == 1
    assert len(database.read(lambda tx: StoredPasskeys().of_user(tx, "alice"))) == 1
