"""When a refresh token lives, dies, or takes its family with it."""

import re
from typing import Any

import msgspec
import pytest

from auth_gateway.core.rotation import (
    LONGEST_TOKEN,
    Presented,
    digest,
    is_plausible,
    narrowed,
    successor,
    successor_expires_at,
    verdict,
)

NOW = 1_700_000_000.0
FRESH = Presented(
    family_id="f",
    expires_at=NOW + 100,
    used_at=None,
    successor_used_at=None,
    client_id="public",
    family_revoked_at=None,
    session_id="s",
    amr="pwd otp mfa",
    acr="aal2",
    auth_time=int(NOW),
    session_expires_at=NOW + 1000,
    session_revoked_at=None,
    user_id="alice",
    is_frozen=False,
    kind="login",
    scope="openid profile email",
    audience="",
    jkt=None,
    claims=None,
    session_seen_at=NOW,
    session_asked_at=None,
    session_answered_at=None,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "rotate"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW + 0.001}, "rotate"),
        ({"session_expires_at": NOW}, "expired"),
        ({"client_id": "other"}, "other_client"),
        ({"client_id": "other", "used_at": NOW - 100}, "other_client"),
        ({"is_frozen": True}, "frozen"),
        ({"session_revoked_at": NOW - 1}, "revoked"),
        ({"family_revoked_at": NOW - 1}, "revoked"),
        ({"used_at": NOW - 10}, "retry"),
        ({"used_at": NOW - 10.001}, "reused"),
        ({"used_at": NOW - 1, "successor_used_at": NOW}, "reused"),
        ({"used_at": NOW - 100, "expires_at": NOW - 50}, "reused"),
        ({"used_at": NOW - 100, "family_revoked_at": NOW - 1}, "revoked"),
        ({"used_at": NOW - 1, "is_frozen": True}, "frozen"),
    ],
    ids=str,
)
def test_a_presented_token_is_judged(changes: dict[str, Any], expected: str) -> None:
    """Both sides of every boundary; reuse outranks expiry, another client's token outranks reuse."""
    presented = msgspec.structs.replace(FRESH, **changes)
    assert verdict(presented, expected_client_id="public", now=NOW) == expected


@pytest.mark.parametrize(
    ("changes", "shown_jkt", "expected"),
    [
        ({"jkt": "key"}, "key", "rotate"),
        ({"jkt": "key"}, None, "other_key"),
        ({"jkt": "key"}, "another", "other_key"),
        ({"jkt": "key", "used_at": NOW - 100}, "another", "other_key"),
        ({"jkt": "key", "client_id": "other"}, "key", "other_client"),
        ({}, "key", "rotate"),
    ],
    ids=str,
)
def test_a_bound_token_is_nothing_without_its_key(
    changes: dict[str, Any], shown_jkt: str | None, expected: str
) -> None:
    """Not even reused: who found it must not end the session with it."""
    presented = msgspec.structs.replace(FRESH, **changes)
    assert verdict(presented, expected_client_id="public", now=NOW, shown_jkt=shown_jkt) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, "openid profile email"),
        ("", "openid profile email"),
        ("email openid", "openid email"),
        ("email email", "email"),
        ("openid admin", None),
        (" ", None),
    ],
)
def test_a_refresh_asks_for_no_more_than_was_granted(asked: str | None, expected: str | None) -> None:
    """In the order in which it was granted; one scope too many is all too many."""
    assert narrowed("openid profile email", asked) == expected


def test_an_unknown_token_is_unknown() -> None:
    """No row, nothing to say."""
    assert verdict(None, expected_client_id="public", now=NOW) == "unknown"


def test_a_refresh_makes_nobody_stronger_or_younger() -> None:
    """How the person was recognised is the session's, whatever is refreshed."""
    recognised = FRESH.authentication
    assert (recognised.amr, recognised.acr, recognised.auth_time) == (("pwd", "otp", "mfa"), "aal2", int(NOW))


def test_the_successor_is_one_and_only() -> None:
    """Same token, family and pepper: same successor; any other: another one, of 256 bits."""
    first = successor(b"p" * 32, "token", "family")
    assert first == successor(b"p" * 32, "token", "family")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first)
    others = {successor(b"q" * 32, "token", "family"), successor(b"p" * 32, "tokeN", "family")}
    assert len(others | {first, successor(b"p" * 32, "token", "familY")}) == 4


def test_a_successor_never_outlives_its_session() -> None:
    """The week of a refresh token ends with the session's month."""
    assert successor_expires_at(used_at=NOW, refresh_seconds=10, session_expires_at=NOW + 100) == NOW + 10
    assert successor_expires_at(used_at=NOW, refresh_seconds=1000, session_expires_at=NOW + 100) == NOW + 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True),
        ("a" * LONGEST_TOKEN, True),
        ("a" * (LONGEST_TOKEN + 1), False),
        ("", False),
        ("é", False),
        ("a\0", False),
    ],
)
def test_only_a_plausible_text_is_looked_up(text: str, expected: bool) -> None:
    """Megabytes and control characters are unknown without a look-up."""
    assert is_plausible(text) is expected


def test_any_text_has_a_digest() -> None:
    """A hostile token is merely unknown."""
    assert len(digest("\ud800")) == 32
