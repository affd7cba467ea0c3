"""A login that waits for the word of an MFA system: what it may say, which number its person is shown, and what the
word makes of the challenge.

The number ties the approval to the screen that it is for: whoever is asked by a login that somebody else began does not
see it. Source: NIST SP 800-63B-4, section 3.1.3 (out of band: a secret goes from one channel to the other).
"""

from typing import Literal

import msgspec

Verdict = Literal["approved", "denied", "reported"]
"""Yes; no; no, and somebody else has the password."""
PushState = Literal["", "waiting", "approved", "denied", "reported"]
""""" is a challenge that no MFA system was asked about."""
Standing = Literal["none", "waiting", "approved", "refused", "over"]

POLL_SECONDS = 2.0
"""How long a waiting application is told to pause."""
LEAST_POLL_SECONDS = 1.0
"""Whoever comes back sooner is told to slow down: a pause that is held to the letter may arrive a little early."""
MOST_NUMBERS = 10
"""Numbers that are looked at for one account in a day, whatever the challenge; a wrong guess hits one of ninety."""
_LOWEST, _NUMBERS = 10, 90


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What an MFA system says of one challenge; `number` is what its person typed there."""

    verdict: Verdict
    number: str = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an MFA system is told beside the challenge, where its word counts; never the number."""

    number_matching: bool
    expires_in: int


def drawn_number(raw: bytes) -> str:
    """The two digits that 8 random bytes make; no leading zero, for people leave it out."""
    return str(_LOWEST + int.from_bytes(raw) % _NUMBERS)


def is_too_soon(polled_at: float | None, now: float) -> bool:
    """Whether an application asks again before it should."""
    return polled_at is not None and now - polled_at < LEAST_POLL_SECONDS
