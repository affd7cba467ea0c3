"""A page of sign-ins, and the places between rows where the next one goes on."""

from __future__ import annotations

import math
import re

from msgspec import Struct

from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import BadFilter


class Cursor(Struct, frozen=True, gc=False):
    """The place of a row in the order of time, and of the log where times are equal."""

    ts: float
    seq: int

    def __str__(self) -> str:
        return f"{self.ts!r}_{self.seq}"


class SignInPage(Struct, frozen=True, kw_only=True):
    """Rows, the newest first.

    `next_cursor` is where older ones go on, None at the end; `newer` where newer ones do, None on the first page. A
    look that would take long ends early: then there are fewer rows than were asked for, perhaps none, `next_cursor` is
    there all the same, and `searched_to` says up to when was looked.
    """

    rows: tuple[SignIn, ...]
    next_cursor: Cursor | None = None
    newer: Cursor | None = None
    searched_to: float | None = None


def cursor_of(text: str, field: str = "before") -> Cursor:
    """The inverse of `str`. Raises: BadFilter."""
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)_([0-9]{1,18})", text, re.ASCII)
    if found is None or not math.isfinite(float(found[1])):
        raise BadFilter(field, f"{field} must be a cursor that a page gave")
    return Cursor(float(found[1]), int(found[2]))


def place_of(row: SignIn) -> Cursor:
    """Where the row is."""
    return Cursor(row.ts, row.seq)
