"""Passwords that others guess first: a list that comes with us, and a file of breached ones that an operator may have.

Both are offline; no part of a password leaves this process.
"""

import hashlib
import mmap
import os
import re
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from auth_gateway.flows.ports import Blocklist

_LINE: Final = re.compile(rb"[0-9A-Fa-f]{40}(?::[0-9]+)?\r?")
_HEX_BYTES: Final = 40
# Longer than any line of such a file; a file without line ends is none.
_LONGEST_LINE: Final = 64


class BadBlocklist(ValueError):
    """The operator's file is not a list of SHA-1 digests in order; the text is one line and shows none of it."""


class CommonPasswords:
    """The 30,000 most common passwords of zxcvbn's list (MIT licence), as they are and with letters of any case."""

    def __init__(self) -> None:
        self._known = _common()

    def holds(self, password: str) -> bool:
        return password.casefold() in self._known


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


class BreachedPasswords:
    """A file of SHA-1 digests in hex, one a line in ascending order, `DIGEST` or `DIGEST:count`, as lists of breached
    passwords are published. Searched where it lies: a look is some thirty reads, whatever its size.

    Raises: BadBlocklist, OSError when it is opened. Whoever replaces it puts a new file in its place; this one is read
    until the next start.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise BadBlocklist("the file is empty")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._check()
        except BaseException:
            self.close()
            raise

    def holds(self, password: str) -> bool:
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        low, high = 0, len(self._map)
        while low < high:
            start = self._line_start((low + high) // 2)
            line = self._line(start)
            found = line[:_HEX_BYTES].upper()
            if found == wanted:
                return True
            if found < wanted:
                low = start + len(line) + 1
            else:
                high = start
        return False

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()

    def __enter__(self) -> "BreachedPasswords":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        """Look at its ends and its middle: a file of another kind or order would find nothing and say nothing."""
        size = len(self._map)
        places = [self._line_start(size * step // 16) for step in range(16)] + [self._line_start(size - 1)]
        lines = [self._line(place) for place in places]
        if not all(_LINE.fullmatch(line) for line in lines):
            raise BadBlocklist("a line is no SHA-1 digest in hex")
        digests = [line[:_HEX_BYTES].upper() for line in lines]
        if digests != sorted(digests):
            raise BadBlocklist("its digests are not in ascending order")

    def _line_start(self, place: int) -> int:
        """Where the line begins that this byte belongs to; the line end belongs to the line before it."""
        return self._map.rfind(b"\n", max(0, place - _LONGEST_LINE), place) + 1 if place else 0

    def _line(self, start: int) -> bytes:
        end = self._map.find(b"\n", start, start + _LONGEST_LINE)
        return self._map[start : end if end >= 0 else min(len(self._map), start + _LONGEST_LINE)]


class Blocklists:
    """Several lists as one."""

    def __init__(self, *lists: Blocklist) -> None:
        self._lists = lists

    def holds(self, password: str) -> bool:
        return any(each.holds(password) for each in self._lists)
