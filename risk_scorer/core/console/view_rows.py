"""The rows of a named view as a page and files show them: moments as people read them, addresses behind the veil."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from risk_scorer.core.abuse.view import Column, Parameter, Value, View
from risk_scorer.core.console.export import Cell
from risk_scorer.core.console.moments import iso
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import visible

MOMENT_ENDS: Final = "_at"
"""How the name of a column ends that is a moment in epoch seconds."""
MOST_SHOWN: Final = 200
"""Rows of a page; a file has all."""
LONGEST_CELL: Final = 60


class ShownCell(Struct, frozen=True, kw_only=True):
    """A cell of a page: its text, and whether it stands to the right as numbers do."""

    heading: str
    text: str
    is_number: bool


class Field(Struct, frozen=True, kw_only=True):
    """A parameter as a form asks for it: what stands in it now, and what the browser can already say about it."""

    name: str
    words: str
    value: str
    choices: tuple[str, ...]
    is_number: bool
    is_whole: bool
    least: str
    most: str


def shown(row: Mapping[str, Any], columns: Sequence[Column], veil: Veil) -> tuple[ShownCell, ...]:
    """One row of a page."""
    return tuple(
        ShownCell(
            heading=column.name.replace("_", " "),
            text=_text(column.name, row[column.name], veil),
            is_number=isinstance(row[column.name], int | float) and not column.name.endswith(MOMENT_ENDS),
        )
        for column in columns
    )


def exported(rows: Iterable[Mapping[str, Any]], veil: Veil) -> list[dict[str, Cell]]:
    """The rows of a file: moments for machines, everything else as it is but for the veil."""
    return [{name: _cell(name, value, veil) for name, value in row.items()} for row in rows]


def fields(view: View, values: Mapping[str, Value]) -> tuple[Field, ...]:
    """The form that asks the view, with these values in it."""
    return tuple(_field(each, values[each.name]) for each in view.parameters)


def in_a_query(view: View, values: Mapping[str, Value]) -> dict[str, str]:
    """The values as an address has them."""
    return {each.name: _typed(each, values[each.name]) for each in view.parameters}


def typed_moment(epoch: float) -> str:
    """A moment as it stands in a form and in an address, to the second."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _field(parameter: Parameter, value: Value) -> Field:
    is_number = parameter.kind not in ("moment", "choice")
    return Field(
        name=parameter.name,
        words=parameter.text,
        value=_typed(parameter, value),
        choices=parameter.choices,
        is_number=is_number,
        is_whole=parameter.kind == "count",
        least=f"{parameter.least:g}" if is_number else "",
        most=f"{parameter.most:.0f}" if is_number else "",
    )


def _typed(parameter: Parameter, value: Value) -> str:
    if isinstance(value, str):
        return value
    return typed_moment(value) if parameter.kind == "moment" else f"{value:.12g}"


def _text(name: str, value: Any, veil: Veil) -> str:
    if value is None:
        return "not known"
    if isinstance(value, str):
        return visible(veil.text(value), LONGEST_CELL)
    if name.endswith(MOMENT_ENDS):
        return typed_moment(value).replace("T", " ").replace("Z", " UTC")
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _cell(name: str, value: Any, veil: Veil) -> Cell:
    if isinstance(value, str):
        return veil.text(value)
    if value is not None and name.endswith(MOMENT_ENDS):
        return iso(value)
    found: Cell = value
    return found
