"""A named question to the event store: what may be asked, within which bounds, and what its columns are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct

Kind = Literal["count", "seconds", "days", "ratio", "moment", "choice"]
Value = float | int | str
DAY_SECONDS: Final = 86_400.0
LATEST: Final = 4_102_444_800.0
"""The year 2100: after it a unit is wrong."""
MOST_ROWS: Final = 10_000
LONGEST_TEXT: Final = 40
"""Room for a moment of ISO 8601 with microseconds and an offset."""


class BadParameter(Exception):
    """A view was asked for something that it cannot answer; `name` is the parameter, the value is never carried."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


class Parameter(Struct, frozen=True, kw_only=True):
    """One bound of a question. A moment (epoch seconds or ISO 8601) without a value is `usual` seconds before now; a
    choice without one is the first of `choices`."""

    name: str
    kind: Kind
    text: str
    usual: float
    least: float = 0.0
    most: float = LATEST
    choices: tuple[str, ...] = ()


class Column(Struct, frozen=True, kw_only=True):
    """One column of the answer. Moments are epoch seconds."""

    name: str
    text: str


class View(Struct, frozen=True, kw_only=True):
    """A question with a name that does not change."""

    name: str
    text: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]


def span(days: float) -> tuple[Parameter, Parameter]:
    """The two bounds that every view has: from `since` to before `until`, usually the last days."""
    return (
        Parameter(name="since", kind="moment", text="Events from this moment on.", usual=days * DAY_SECONDS),
        Parameter(name="until", kind="moment", text="Events before this moment.", usual=0.0),
    )


def count(name: str, text: str, usual: int, most: int = 1_000_000, *, least: int = 1) -> Parameter:
    """A whole number."""
    return Parameter(name=name, kind="count", text=text, usual=usual, least=least, most=most)


LIMIT: Final = count("limit", "So many rows at the most.", 100, MOST_ROWS)


def asked(view: View, given: Mapping[str, str], *, now: float) -> dict[str, Value]:
    """The values to ask with: what was given as text, the usual ones for the rest.

    Raises: BadParameter for a name that the view does not have, a value of another kind or out of bounds, and a span
    that ends before it begins.
    """
    unknown = sorted(given.keys() - {each.name for each in view.parameters})
    if unknown:
        names = ", ".join(each.name for each in view.parameters)
        raise BadParameter("parameters", f"{view.name} takes {names}")
    values = {each.name: _value(each, given.get(each.name), now) for each in view.parameters}
    if _span(values, "since") > _span(values, "until"):
        raise BadParameter("since", "since must not lie after until")
    return values


def _span(values: Mapping[str, Value], name: str) -> float:
    return float(values[name])


def _value(parameter: Parameter, text: str | None, now: float) -> Value:
    if parameter.kind == "choice":
        return _choice(parameter, parameter.choices[0] if text is None else text)
    if text is None:
        usual = now - parameter.usual if parameter.kind == "moment" else parameter.usual
        return int(usual) if parameter.kind == "count" else usual
    value = _moment(text) if parameter.kind == "moment" else _number(text)
    if value is None or not parameter.least <= value <= parameter.most:
        raise BadParameter(parameter.name, f"{parameter.name} must be {_bounds(parameter)}")
    if parameter.kind != "count":
        return value
    if value != int(value):
        raise BadParameter(parameter.name, f"{parameter.name} must be {_bounds(parameter)}")
    return int(value)


def _choice(parameter: Parameter, text: str) -> str:
    if text not in parameter.choices:
        raise BadParameter(parameter.name, f"{parameter.name} must be one of {', '.join(parameter.choices)}")
    return text


def _number(text: str) -> float | None:
    if not (text.isascii() and len(text) <= LONGEST_TEXT and text[:1].isdigit() and "_" not in text):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _moment(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    if not (text.isascii() and len(text) <= LONGEST_TEXT):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.replace(tzinfo=read.tzinfo or UTC).timestamp()


def _bounds(parameter: Parameter) -> str:
    if parameter.kind == "moment":
        return "epoch seconds or a moment of ISO 8601, from 1970 to 2100"
    what = "a whole number" if parameter.kind == "count" else "a number"
    return f"{what} from {parameter.least:g} to {parameter.most:g}"
