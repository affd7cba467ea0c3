"""The rules of devices that wait: their codes, what polls are told, and where a device is."""

from typing import Any

import pytest

from auth_gateway.core.provider.device_grant import (
    USER_CODE_ALPHABET,
    DeviceGrant,
    drawn_user_code,
    normal_user_code,
    shown_user_code,
    verdict,
    whereabouts,
)
from plumbing.randomness import SeededRandomness

NOW = 1_700_000_000.0


def grant(**changes: Any) -> DeviceGrant:
    """A device that waits for ten minutes."""
    known: dict[str, Any] = {
        "device_digest": b"d",
        "user_code": "BCDFGHJK",
        "client_id": "tv",
        "scope": "openid",
        "created_at": NOW,
        "expires_at": NOW + 600,
        "ip": "198.51.100.9",
        "user_agent": "TV",
    }
    return DeviceGrant(**{**known, **changes})


@pytest.mark.parametrize(
    ("found", "now", "expected"),
    [
        (None, NOW, "unknown"),
        (grant(state="redeemed"), NOW, "unknown"),
        (grant(client_id="radio"), NOW, "other_client"),
        (grant(client_id="radio", state="redeemed"), NOW, "unknown"),
        (grant(), NOW + 599, "authorization_pending"),
        (grant(), NOW + 600, "expired_token"),
        (grant(state="approved"), NOW + 599, "redeem"),
        (grant(state="approved"), NOW + 600, "expired_token"),
        (grant(state="denied"), NOW, "access_denied"),
        (grant(polled_at=NOW), NOW + 4.9, "slow_down"),
        (grant(polled_at=NOW), NOW + 5, "authorization_pending"),
        (grant(polled_at=NOW, interval_seconds=10), NOW + 9.9, "slow_down"),
        (grant(polled_at=NOW, state="approved"), NOW + 1, "redeem"),
    ],
)
def test_a_poll_is_told_what_became_of_the_device(found: DeviceGrant | None, now: float, expected: str) -> None:
    """Both sides of each boundary; good news is never held up by the pace."""
    assert verdict(found, expected_client_id="tv", now=now) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("BCDF-GHJK", "BCDFGHJK"),
        ("bcdfghjk", "BCDFGHJK"),
        (" bcdf ghjk\n", "BCDFGHJK"),
        ("B.C.D.F.G.H.J.K", "BCDFGHJK"),
        ("BCDFGHJ", None),
        ("BCDFGHJKL", None),
        ("ABCDFGHJ", None),
        ("1CDFGHJK", None),
        ("ＢCDFGHJK", None),
        ("", None),
    ],
)
def test_a_typed_code_is_read_whatever_its_case_and_dashes(typed: str, expected: str | None) -> None:
    """Eight consonants, or it is none."""
    assert normal_user_code(typed) == expected


def test_drawn_codes_use_every_letter_in_every_place() -> None:
    """They read back as they were drawn, and no letter is seldom."""
    randomness = SeededRandomness(7)
    codes = [drawn_user_code(randomness.bytes(16)) for _ in range(4000)]
    assert all(normal_user_code(shown_user_code(code)) == code for code in codes)
    for place in range(8):
        counts = [sum(code[place] == letter for code in codes) for letter in USER_CODE_ALPHABET]
        assert min(counts) > 140
        assert max(counts) < 260
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("device_ip", "person_ip", "expected"),
    [
        ("198.51.100.9", "198.51.100.200", "here"),
        ("198.51.101.9", "198.51.100.9", "elsewhere"),
        ("198.51.101.9", "", "elsewhere"),
        ("", "", "unknown"),
        ("", "198.51.100.9", "unknown"),
    ],
)
def test_a_person_is_told_where_a_device_is(device_ip: str, person_ip: str, expected: str) -> None:
    """Two unknown places are not the same one."""
    assert whereabouts(device_ip, person_ip) == expected
