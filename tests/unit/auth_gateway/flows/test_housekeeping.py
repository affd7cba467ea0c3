"""What the provider keeps ends in time, each thing in its own."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from auth_gateway.adapters.storage.provider import ProviderStore, sweeping
from auth_gateway.core.provider.authorization import (
    AuthorizationCode,
    AuthorizationRequest,
    BrowserSession,
    Interaction,
    PushedRequest,
)
from auth_gateway.core.provider.device_grant import DeviceGrant
from auth_gateway.flows.housekeeping import ANSWERED_SECONDS, KEPT_SECONDS, LATE_SECONDS
from plumbing.statements import Transaction

STORE = ProviderStore()
REQUEST = AuthorizationRequest(client_id="web", redirect_uri="https://web.example", scope="openid", code_challenge="c")


def browser(tx: Transaction, until: float) -> None:
    """Somebody signed in until then."""
    session = BrowserSession(
        token_digest=b"b", browser_id="b", session_id="s", user_id="alice", created_at=0, expires_at=until
    )
    STORE.browser_sessions.add(tx, session)


def interaction(tx: Transaction, until: float) -> None:
    """A way through the sign-in page until then."""
    begun = Interaction(
        interaction_id="i", binding_digest=b"b", client_id="web", request=REQUEST, created_at=0, expires_at=until
    )
    STORE.interactions.start(tx, begun)


def pushed(tx: Transaction, until: float) -> None:
    """A pushed request until then."""
    STORE.interactions.push(tx, PushedRequest(request_digest=b"r", request=REQUEST, expires_at=until))


def code(tx: Transaction, until: float) -> None:
    """A code until then."""
    given = AuthorizationCode(
        code_digest=b"c",
        client_id="web",
        session_id="s",
        redirect_uri="https://web.example",
        scope="openid",
        code_challenge="c",
        created_at=0,
        expires_at=until,
    )
    STORE.codes.add(tx, given)


def device(tx: Transaction, until: float) -> None:
    """A device that waits until then."""
    grant = DeviceGrant(
        device_digest=b"d",
        user_code="BCDFGHJK",
        client_id="tv",
        scope="openid",
        created_at=0,
        expires_at=until,
        ip="198.51.100.9",
        user_agent="",
    )
    STORE.device_grants.add(tx, grant)


def seen(tx: Transaction, until: float) -> None:
    """An identifier that counts once until then."""
    STORE.seen_once.first(tx, b"jti", until)


def revoked(tx: Transaction, until: float) -> None:
    """A token that is revoked until then."""
    STORE.revoked_tokens.add(tx, "jti", until)


KEPT = [
    ("browser_sessions", browser, 0),
    ("interactions", interaction, ANSWERED_SECONDS),
    ("pushed_requests", pushed, ANSWERED_SECONDS),
    ("authorization_codes", code, KEPT_SECONDS),
    ("device_grants", device, ANSWERED_SECONDS),
    ("seen_once", seen, LATE_SECONDS),
    ("revoked_tokens", revoked, LATE_SECONDS),
]


@pytest.mark.parametrize(("table", "add", "kept_seconds"), KEPT)
def test_what_ended_is_kept_for_its_time_and_no_longer(
    world: Any, table: str, add: Callable[[Transaction, float], None], kept_seconds: int
) -> None:
    """Both sides of the boundary."""
    until = world.clock.now() + 60
    world.database.write_sync(lambda tx: add(tx, until))
    world.clock.advance(60 + kept_seconds)
    assert asyncio.run(world.housekeeping()) == 0
    assert world.count(table) == 1
    world.clock.advance(1)
    assert asyncio.run(world.housekeeping()) == 1
    assert world.count(table) == 0


def test_a_crowd_goes_portion_by_portion(world: Any) -> None:
    """All of it in one round of housekeeping, in transactions that others can get between."""
    many, until = sweeping.PORTION * 2 + 1, world.clock.now()

    def fill(tx: Transaction) -> None:
        for number in range(many):
            STORE.seen_once.first(tx, number.to_bytes(4, "big"), until)

    world.database.write_sync(fill)
    world.clock.advance(LATE_SECONDS + 1)
    assert asyncio.run(world.housekeeping()) == many


def test_a_part_goes_with_its_session(world: Any) -> None:
    """An application's part in a session outlives it by nothing."""
    world.database.write_sync(lambda tx: STORE.session_clients.join(tx, "gone", "web", 1.0))
    assert asyncio.run(world.housekeeping()) == 1
    assert world.count("session_clients") == 0
