"""Challenges of passkeys that nothing is kept of: each says itself until when it counts, and proves that it is ours,
what for, and whose. That it counts once is the database's matter (`replay_digest`).
"""

import hashlib
import hmac
from typing import Literal

Purpose = Literal["register", "sign_in", "step_up"]
"""A signature that was asked for one of them answers none of the others."""

LIFETIMES: dict[Purpose, int] = {"register": 600, "sign_in": 1800, "step_up": 300}
"""Seconds. Autofill waits as long as a sign-in page may stand open; a second factor as long as its challenge."""

RANDOM_BYTES = 16
"""Source: WebAuthn level 3, section 13.4.3: at least 16 random bytes."""
_EXPIRY_BYTES = 8
_MAC_BYTES = 16
_CHALLENGE_BYTES = RANDOM_BYTES + _EXPIRY_BYTES + _MAC_BYTES


def new_challenge(key: bytes, *, purpose: Purpose, bound_to: str, random: bytes, now: float) -> bytes:
    """A challenge for that purpose, good for whoever `bound_to` names: an interaction, a challenge, a session."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a challenge takes {RANDOM_BYTES} random bytes")
    head = random + (int(now) + LIFETIMES[purpose]).to_bytes(_EXPIRY_BYTES, "big")
    return head + _mac(key, head, purpose, bound_to)


def expiry_of(challenge: bytes, key: bytes, *, purpose: Purpose, bound_to: str, now: float) -> float | None:
    """Until when the challenge counts; None when it is not ours, not for this, somebody else's, or too old."""
    if len(challenge) != _CHALLENGE_BYTES:
        return None
    head, mac = challenge[:-_MAC_BYTES], challenge[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, head, purpose, bound_to)):
        return None
    expires_at = float(int.from_bytes(head[RANDOM_BYTES:], "big"))
    return expires_at if now < expires_at else None


def replay_digest(challenge: bytes) -> bytes:
    """What a challenge is remembered by once it was answered."""
    return hashlib.sha256(b"webauthn challenge\n" + challenge).digest()


def user_handle(key: bytes, user_id: str) -> bytes:
    """What authenticators know a person by: it says nothing about them, and is no one's elsewhere.

    Source: WebAuthn level 3, section 14.6.1: no personal information, at most 64 bytes.
    """
    return hmac.digest(key, user_id.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _mac(key: bytes, head: bytes, purpose: Purpose, bound_to: str) -> bytes:
    text = f"{purpose}\n{bound_to}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, head + text, hashlib.sha256)[:_MAC_BYTES]
