"""Who waits in the outbox, on both databases."""

from typing import Any

import pytest

from auth_gateway.adapters.storage.tables import outbox as table
from plumbing.statements import Transaction
from webhooks.outbox import Outbox

ENDPOINTS = ["backchannel-logout https://A.example/x", "backchannel-logout https://b.example/", "mfa", "scorer"]


@pytest.fixture
def outbox(database: Any) -> Outbox:
    """Five messages for each of four endpoints."""
    outbox = Outbox(table)

    def fill(tx: Transaction) -> None:
        for endpoint in ENDPOINTS:
            for number in range(5):
                outbox.add(
                    tx, message_id=f"msg_{number}", endpoint=endpoint, event_type="t", body=b"{}", now=float(number)
                )

    database.write_sync(fill)
    return outbox


def test_each_endpoint_that_something_waits_for_is_named_once(database: Any, outbox: Outbox) -> None:
    """However much waits for it; one whose messages are all delivered or dead is not named."""
    assert sorted(database.read(outbox.waiting)) == ENDPOINTS

    def settle(tx: Transaction) -> None:
        taken = outbox.claim(tx, endpoint="scorer", now=9.0, limit=5, lease_seconds=1.0)
        outbox.delivered(tx, taken, now=9.0, status=200)

    database.write_sync(settle)
    assert sorted(database.read(outbox.waiting)) == ENDPOINTS[:-1]


def test_giving_up_leaves_the_others_alone(database: Any, outbox: Outbox) -> None:
    """Five are dead with their reason, the rest wait."""
    given_up = database.write_sync(lambda tx: outbox.give_up(tx, endpoint=ENDPOINTS[0], now=9.0, error="target_inside"))
    assert given_up == 5
    assert sorted(database.read(outbox.waiting)) == ENDPOINTS[1:]
    dead = [row for row in database.read(lambda tx: outbox.recent(tx, 100)) if row.dead_at is not None]
    assert {(row.endpoint, row.last_error) for row in dead} == {(ENDPOINTS[0], "target_inside")}


def test_what_is_removed_takes_its_letters_along(database: Any, outbox: Outbox) -> None:
    """Waiting and dead ones are gone with their endpoint, so that no body stays that nobody can list; others stay."""
    database.write_sync(lambda tx: outbox.give_up(tx, endpoint=ENDPOINTS[0], now=9.0, error="target_inside"))
    assert database.write_sync(lambda tx: outbox.remove(tx, endpoint=ENDPOINTS[0])) == 5
    assert ENDPOINTS[0] not in {row.endpoint for row in database.read(lambda tx: outbox.recent(tx, 100))}
    assert sorted(database.read(outbox.waiting)) == ENDPOINTS[1:]
