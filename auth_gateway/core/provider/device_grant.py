"""A device that waits for a person to sign in elsewhere, and what it is told meanwhile.

Source: RFC 8628.
"""

from typing import Literal

import msgspec

from auth_gateway.core.origin import is_same_network

DEVICE_GRANT_SECONDS = 600
POLL_SECONDS = 5
"""Section 3.5: the interval, and what `slow_down` adds to it."""
USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Section 6.1: no vowels, so no words; 20^8 codes."""
USER_CODE_LENGTH = 8

State = Literal["pending", "approved", "denied", "redeemed"]
Verdict = Literal[
    "redeem", "authorization_pending", "slow_down", "access_denied", "expired_token", "other_client", "unknown"
]


class DeviceGrant(msgspec.Struct, frozen=True, kw_only=True):
    """One device's request, by the SHA-256 of its device code. `ip` and `user_agent` are the device's own."""

    device_digest: bytes
    user_code: str
    client_id: str
    scope: str
    created_at: float
    expires_at: float
    ip: str
    user_agent: str
    acr_values: tuple[str, ...] = ()
    state: State = "pending"
    session_id: str | None = None
    interval_seconds: int = POLL_SECONDS
    polled_at: float | None = None


def verdict(grant: DeviceGrant | None, *, expected_client_id: str, now: float) -> Verdict:
    """What a poll gets now. A spent code is unknown, as is one of another client: neither learns that it exists."""
    if grant is None or grant.state == "redeemed":
        return "unknown"
    if grant.client_id != expected_client_id:
        return "other_client"
    if now >= grant.expires_at:
        return "expired_token"
    if grant.state == "denied":
        return "access_denied"
    if grant.state == "approved":
        return "redeem"
    if grant.polled_at is not None and now - grant.polled_at < grant.interval_seconds:
        return "slow_down"
    return "authorization_pending"


def normal_user_code(typed: str) -> str | None:
    """The code as it is stored, whatever case and dashes the person used; None when it cannot be one.

    Source: section 6.1 (strip punctuation, ignore case).
    """
    letters = "".join(character for character in typed.upper() if character.isalnum())
    is_code = len(letters) == USER_CODE_LENGTH and all(letter in USER_CODE_ALPHABET for letter in letters)
    return letters if is_code else None


def drawn_user_code(raw: bytes) -> str:
    """The user code that 16 random bytes make; which one is as good as unbiased (20^8 against 2^128)."""
    number, letters = int.from_bytes(raw), []
    for _ in range(USER_CODE_LENGTH):
        number, place = divmod(number, len(USER_CODE_ALPHABET))
        letters.append(USER_CODE_ALPHABET[place])
    return "".join(letters)


Whereabouts = Literal["unknown", "here", "elsewhere"]


def whereabouts(device_ip: str, person_ip: str) -> Whereabouts:
    """Where a device is, for the person who is asked about it: a device that somebody else holds is seldom in the same
    network (section 5.4, on phishing from afar)."""
    if not device_ip:
        return "unknown"
    if is_same_network(device_ip, person_ip):
        return "here"
    return "elsewhere"


def shown_user_code(user_code: str) -> str:
    """As people read it: `BCDF-GHJK`."""
    return f"{user_code[:4]}-{user_code[4:]}"
