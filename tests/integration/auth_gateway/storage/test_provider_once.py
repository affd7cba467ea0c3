"""The provider's compare-and-sets, each by itself: the second one finds nothing to set."""

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy.dialects import postgresql

from auth_gateway.adapters.storage.provider import (
    ProviderStore,
    browsers,
    codes,
    consents,
    device_grants,
    interactions,
    once,
)
from auth_gateway.core.provider.authorization import (
    AuthorizationCode,
    AuthorizationRequest,
    DeviceApproval,
    Interaction,
    PushedRequest,
)
from auth_gateway.core.provider.device_grant import DeviceGrant
from plumbing.database import Database
from plumbing.statements import Statement

NOW = 1_700_000_000.0
STORE = ProviderStore()
REQUEST = AuthorizationRequest(
    client_id="web",
    redirect_uri="https://web.example/back",
    scope="openid email",
    code_challenge="c" * 43,
    state="s",
    prompt=("login", "consent"),
    max_age=0,
    acr_values=("aal2",),
)
APPROVAL = DeviceApproval(client_id="tv", scope="openid", device_digest=b"\x00\xff", user_code="BCDFGHJK")
INTERACTION = Interaction(
    interaction_id="i1",
    binding_digest=b"browser",
    client_id="web",
    request=REQUEST,
    created_at=NOW,
    expires_at=NOW + 1800,
)
CODE = AuthorizationCode(
    code_digest=b"code",
    client_id="web",
    session_id="s1",
    redirect_uri="https://web.example/back",
    scope="openid",
    code_challenge="c" * 43,
    created_at=NOW,
    expires_at=NOW + 60,
    nonce="n",
)
GRANT = DeviceGrant(
    device_digest=b"device",
    user_code="BCDFGHJK",
    client_id="tv",
    scope="openid",
    created_at=NOW,
    expires_at=NOW + 600,
    ip="198.51.100.9",
    user_agent="TV",
    acr_values=("aal2", "aal1"),
)


def test_a_code_is_spent_once(database: Database) -> None:
    """And comes back as it was put, with the time of its use."""
    database.write_sync(lambda tx: STORE.codes.add(tx, CODE))
    assert database.read(lambda tx: STORE.codes.find(tx, b"code")) == CODE
    spent = [database.write_sync(lambda tx, at=at: STORE.codes.spend(tx, b"code", at)) for at in (NOW, NOW + 1)]
    assert spent == [True, False]
    assert database.read(lambda tx: STORE.codes.find(tx, b"code")) == msgspec.structs.replace(CODE, used_at=NOW)
    assert database.read(lambda tx: STORE.codes.find(tx, b"other")) is None


def test_a_pushed_request_is_taken_once_and_in_time(database: Database) -> None:
    """Unknown, too late, again: nothing."""
    pushed = PushedRequest(request_digest=b"uri", request=REQUEST, expires_at=NOW + 60)
    database.write_sync(lambda tx: STORE.interactions.push(tx, pushed))

    def take(digest: bytes, now: float) -> AuthorizationRequest | None:
        return database.write_sync(lambda tx: STORE.interactions.take_pushed(tx, digest, now))

    assert [take(b"other", NOW), take(b"uri", NOW + 60), take(b"uri", NOW + 59), take(b"uri", NOW + 59)] == [
        None,
        None,
        REQUEST,
        None,
    ]


@pytest.mark.parametrize("request_", [REQUEST, APPROVAL])
def test_an_interaction_is_finished_once(database: Database, request_: AuthorizationRequest | DeviceApproval) -> None:
    """Whatever began it comes back as it was, and no card follows the end."""
    begun = msgspec.structs.replace(INTERACTION, request=request_)
    ways = STORE.interactions
    database.write_sync(lambda tx: ways.start(tx, begun))
    assert database.read(lambda tx: ways.find(tx, "i1")) == begun
    show = lambda: database.write_sync(  # noqa: E731
        lambda tx: ways.show(tx, "i1", "code", session_id="s1", challenge=b"sealed", incident_id="inc")
    )
    assert show()
    shown = msgspec.structs.replace(begun, card="code", session_id="s1", challenge=b"sealed", incident_id="inc")
    assert database.read(lambda tx: ways.find(tx, "i1")) == shown
    assert [database.write_sync(lambda tx: ways.finish(tx, "i1", NOW + 5)) for _ in range(2)] == [True, False]
    assert not show()
    assert not database.write_sync(lambda tx: ways.finish(tx, "other", NOW))
    assert database.read(lambda tx: ways.find(tx, "i1")) == msgspec.structs.replace(shown, finished_at=NOW + 5)


def test_a_user_code_stands_for_one_device(database: Database) -> None:
    """The second device gets another code, and the first one's request stays."""
    grants = STORE.device_grants
    other = msgspec.structs.replace(GRANT, device_digest=b"other", client_id="radio")
    assert database.write_sync(lambda tx: grants.add(tx, GRANT))
    assert not database.write_sync(lambda tx: grants.add(tx, other))
    assert database.read(lambda tx: grants.by_user_code(tx, "BCDFGHJK")) == GRANT
    assert database.read(lambda tx: grants.find(tx, b"other")) is None


@pytest.mark.parametrize(
    ("session_id", "state", "redeemed"), [("s1", "approved", [True, False]), (None, "denied", [False, False])]
)
def test_a_device_is_answered_once_and_redeemed_once(
    database: Database, session_id: str | None, state: str, redeemed: list[bool]
) -> None:
    """The answer that comes second changes nothing; only an approved grant is redeemed."""
    grants = STORE.device_grants
    database.write_sync(lambda tx: grants.add(tx, GRANT))
    assert not database.write_sync(lambda tx: grants.redeem(tx, b"device"))
    assert not database.write_sync(lambda tx: grants.answer(tx, b"device", session_id="s1", now=NOW + 600))
    answers = [
        database.write_sync(lambda tx, s=s: grants.answer(tx, b"device", session_id=s, now=NOW))
        for s in (session_id, "s2")
    ]
    assert answers == [True, False]
    found = database.read(lambda tx: grants.find(tx, b"device"))
    assert found is not None
    assert (found.state, found.session_id) == (state, session_id)
    assert [database.write_sync(lambda tx: grants.redeem(tx, b"device")) for _ in range(2)] == redeemed


def test_a_poll_is_remembered_with_its_pace(database: Database) -> None:
    """What `slow_down` added stays."""
    grants = STORE.device_grants
    database.write_sync(lambda tx: grants.add(tx, GRANT))
    database.write_sync(lambda tx: grants.poll(tx, b"device", now=NOW + 3, interval_seconds=10))
    expected = msgspec.structs.replace(GRANT, polled_at=NOW + 3, interval_seconds=10)
    assert database.read(lambda tx: grants.find(tx, b"device")) == expected


def test_an_identifier_counts_once(database: Database) -> None:
    """Until it has expired and was forgotten."""
    seen = STORE.seen_once
    first = lambda digest: database.write_sync(lambda tx: seen.first(tx, digest, NOW + 60))  # noqa: E731
    assert [first(b"a"), first(b"a"), first(b"b")] == [True, False, True]
    forget = lambda before: database.write_sync(lambda tx: seen.forget_expired(tx, before))  # noqa: E731
    assert [forget(NOW + 60), first(b"a"), forget(NOW + 61), first(b"a")] == [0, False, 2, True]


@pytest.mark.parametrize("contenders", [2, 20])
def test_of_many_who_come_at_once_one_is_first(database: Database, contenders: int) -> None:
    """The primary key decides, whoever reads what meanwhile."""
    gate = threading.Barrier(contenders)

    def contend(_number: int) -> bool:
        gate.wait()
        return database.write_sync(lambda tx: STORE.seen_once.first(tx, b"jti", NOW))

    with ThreadPoolExecutor(contenders) as pool:
        assert sum(pool.map(contend, range(contenders))) == 1


def test_a_token_is_revoked_however_often(database: Database) -> None:
    """The second revocation is none the worse; others count on."""
    revoked = STORE.revoked_tokens
    for _ in range(2):
        database.write_sync(lambda tx: revoked.add(tx, "t1", NOW + 60))
    assert [database.read(lambda tx, t=t: revoked.holds(tx, t)) for t in ("t1", "t2")] == [True, False]
    assert database.write_sync(lambda tx: revoked.forget_expired(tx, NOW + 61)) == 1
    assert not database.read(lambda tx: revoked.holds(tx, "t1"))


def test_every_statement_is_text_for_postgresql_too() -> None:
    """Upserts included; nothing of one database's own."""
    modules = (browsers, codes, consents, device_grants, interactions, once)
    statements = [value for module in modules for value in vars(module).values() if isinstance(value, Statement)]
    assert len(statements) > 25
    for statement in statements:
        assert statement.expression.compile(dialect=postgresql.dialect()).string
        assert statement.compiled("sqlite").sql
