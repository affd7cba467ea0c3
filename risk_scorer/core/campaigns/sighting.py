"""What is taken of one event: whose it is, when, which signals it shows, and what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

KINDS: Final = ("address", "prefix", "device", "ja4", "user_agent", "rhythm")
"""Kinds of signals by their number. All but the rhythm stand in an event; it comes from when an account is seen."""
ADDRESS, PREFIX, DEVICE, JA4, USER_AGENT, RHYTHM = range(len(KINDS))
IN_EVENTS: Final = KINDS[:RHYTHM]

FAILED: Final = 1
DETECTED: Final = 2
NEW: Final = 4

LONGEST_VALUE: Final = 256
"""Of a longer one as many characters are kept, and two that begin alike are one signal."""


class Sighting(Struct, frozen=True, gc=False):
    """One event. `moment` is in epoch seconds; "" is unknown and connects nobody; `marks` adds up FAILED (refused),
    DETECTED (scored as risky) and NEW (an account without a history)."""

    account: str
    moment: float
    address: str = ""
    device: str = ""
    ja4: str = ""
    user_agent: str = ""
    marks: int = 0


Page = Sequence[Sighting]
