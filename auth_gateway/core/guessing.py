"""How many codes of an account may be looked at, whatever the challenge, the address and the login. Arithmetic only.

An allowance of `most` a day is half of it at once, and then one more each time a part of the day has passed: in no 24
hours are there more than `most`, and nobody is locked out for a day by mistakes that are weeks apart.
"""

from typing import Literal

from auth_gateway.core.factor import CodeKind

DAY_SECONDS = 86_400.0
MOST_LOOKS: dict[CodeKind, int] = {"totp": 30, "email_code": 10, "recovery_code": 10}
"""Together 50 a day. Source: NIST SP 800-63B-4, section 3.2.2 (at most 100 failed attempts in a row)."""
MOST_MAILED = 10
"""Codes that are mailed to one account in a day."""

Counted = CodeKind | Literal["mailed_code", "number"]


def seconds_each(most: int) -> float:
    """How long one look weighs."""
    return DAY_SECONDS / (most - at_once(most))


def at_once(most: int) -> int:
    """How many may come together."""
    return (most + 1) // 2


def latest_forgiven(most: int, now: float) -> float:
    """When all before must be forgiven at the latest, so that one more may be looked at now."""
    return now + (at_once(most) - 1) * seconds_each(most)
