"""Rows for other programs: CSV that a spreadsheet does not run, and JSON lines in one list. No file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from risk_scorer.core.console.visible import written_out

FORMULA_SIGNS: Final = frozenset("=+-@\t\r|%")
"""What makes a spreadsheet read a cell as a formula or a command when it comes first. Source: OWASP, "CSV Injection";
the bar and the percent sign begin DDE in some of them."""
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it a spreadsheet reads UTF-8 as something else."""

Cell = str | int | float | None
LIST_ENDS: Final = {True: b"[]\n", False: b"\n]\n"}
"""How a JSON list ends, by whether nothing is in it."""
_encode = msgspec.json.Encoder().encode


def csv_line(cells: Iterable[Cell]) -> str:
    """One line by RFC 4180; each text that could be a formula has an apostrophe before it."""
    return ",".join(csv_cell(cell) for cell in cells) + "\r\n"


def csv_cell(cell: Cell) -> str:
    """A number as it is, a text in quotation marks, in one line, and never a formula."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return repr(cell)
    text = written_out(cell)
    bare = text.lstrip(" \u00a0\u3000\u2003")
    if bare[:1] in FORMULA_SIGNS or bare[:1] in {"＝", "＋", "－", "＠"}:  # the full-width ones are read as these
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"'


def row_of_json(row: Mapping[str, object], *, is_first: bool) -> bytes:
    """A row of a JSON list with what joins it to those before it, since lists come piece by piece."""
    return (b"[\n" if is_first else b",\n") + _encode(row)
