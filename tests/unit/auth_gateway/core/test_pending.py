"""Whether an unfinished login may still be finished."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.pending import PendingLogin, obstacle

NOW = 1_700_000_000.0
OPEN = PendingLogin(
    challenge_id="chg_1",
    token_digest=b"d",
    user_id="alice",
    client_id="public",
    password_version=1,
    device_digest=None,
    event_id="evt_1",
    event=b"{}",
    risk_score=70.0,
    risk_level="medium",
    created_at=NOW - 300,
    expires_at=NOW + 1,
    attempts_left=1,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"client_id": "other"}, "other_client"),
        ({"consumed_at": NOW - 1}, "consumed"),
        ({"expires_at": NOW}, "expired"),
        ({"attempts_left": 0}, "exhausted"),
    ],
    ids=str,
)
def test_a_challenge_is_tried_once_in_time_by_its_client(changes: dict[str, Any], expected: str | None) -> None:
    """Both sides of every boundary."""
    assert obstacle(msgspec.structs.replace(OPEN, **changes), expected_client_id="public", now=NOW) == expected


def test_an_unknown_challenge_is_an_obstacle() -> None:
    """Nothing was begun, nothing can be finished."""
    assert obstacle(None, expected_client_id="public", now=NOW) == "unknown"
