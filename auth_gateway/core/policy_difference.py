"""What differs between two texts, line by line, with a few lines around each place. For people to read."""

from difflib import SequenceMatcher
from typing import Final, Literal

import msgspec

AROUND: Final = 3
MOST_LINES: Final = 5_000
"""Finding what two texts have in common takes up to the product of their lengths: longer ones differ as a whole."""

Sign = Literal["same", "added", "removed", "gap"]


class DifferenceLine(msgspec.Struct, frozen=True):
    """One line; `before` and `after` are its numbers in the two texts, 0 where it is not in one of them. A gap stands
    for lines that are the same."""

    sign: Sign
    text: str
    before: int = 0
    after: int = 0


def difference(before: str, after: str) -> tuple[DifferenceLine, ...]:
    """What was removed and added; nothing for texts with the same lines."""
    old, new = _lines(before), _lines(after)
    if old == new:
        return ()
    if len(old) > MOST_LINES or len(new) > MOST_LINES:
        return (*_removed(old, 0, len(old)), *_added(new, 0, len(new)))
    found: list[DifferenceLine] = []
    last = 0
    for group in SequenceMatcher(a=old, b=new).get_grouped_opcodes(AROUND):
        if group[0][1] > last:
            found.append(DifferenceLine("gap", ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [DifferenceLine("same", old[i], i + 1, j1 + i - i1 + 1) for i in range(i1, i2)]
            else:
                found += [*_removed(old, i1, i2), *_added(new, j1, j2)]
        last = group[-1][2]
    if last < len(old):
        found.append(DifferenceLine("gap", ""))
    return tuple(found)


def _lines(text: str) -> list[str]:
    """As TOML counts them."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _removed(lines: list[str], first: int, end: int) -> list[DifferenceLine]:
    return [DifferenceLine("removed", lines[i], before=i + 1) for i in range(first, end)]


def _added(lines: list[str], first: int, end: int) -> list[DifferenceLine]:
    return [DifferenceLine("added", lines[i], after=i + 1) for i in range(first, end)]
