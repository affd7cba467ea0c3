"""The `[session_marks]` table of a policy document becomes the marks of sessions. What is wrong is told with the place
where it stands."""

from itertools import pairwise
from math import inf
from typing import Any, Final

from auth_gateway.core.policy_conditions import Told, one_of, quoted
from auth_gateway.core.session_risk import (
    HIGHEST_MARK,
    HIGHEST_STEP_UP,
    LOWEST_FREEZE,
    LOWEST_MARK,
    USUAL,
    SessionMarks,
)
from auth_gateway.core.toml_lines import Path

NEVER: Final = "never"
_SPANS: Final = {
    "step_up": (LOWEST_MARK, HIGHEST_STEP_UP),
    "reset": (LOWEST_MARK, HIGHEST_MARK),
    "logout": (LOWEST_MARK, HIGHEST_MARK),
    "freeze": (LOWEST_FREEZE, HIGHEST_MARK),
}
_PLACE: Final = "session_marks"


def session_marks(given: Any, told: Told) -> SessionMarks:
    """The marks as far as they can be read; what is left out is as usual."""
    if given is None:
        return USUAL
    if not isinstance(given, dict):
        told((_PLACE,), "must be a table: [session_marks] on a line of its own, then one mark a line")
        return USUAL
    for key in given:
        if key not in (*_SPANS, "report_only"):
            told((_PLACE, key), f"unknown key {quoted(key)}: session marks have {one_of((*_SPANS, 'report_only'))}")
    marks = {key: _mark(given, key, told) for key in _SPANS}
    there = [(key, mark) for key, mark in marks.items() if mark is not None]
    for (milder, lower), (harder, higher) in pairwise(there):
        if lower > higher:
            told(_at(given, harder, milder), f"{harder} from {higher:g} on is before {milder} from {lower:g} on")
    step_up = marks["step_up"]
    return SessionMarks(
        step_up=USUAL.step_up if step_up is None else step_up,
        reset=marks["reset"],
        logout=marks["logout"],
        freeze=marks["freeze"],
        report_only=_report_only(given, told),
    )


def _mark(given: dict[str, Any], key: str, told: Told) -> float | None:
    usual: float | None = getattr(USUAL, key)
    value, (lowest, highest) = given.get(key, usual), _SPANS[key]
    if value == NEVER and key != "step_up":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
        words = "a number" if key == "step_up" else f'a number or "{NEVER}"'
        told((_PLACE, key), f"{key} {quoted(value)} is not {words}")
        return usual
    if not lowest <= value <= highest:
        told((_PLACE, key), f"{key} {quoted(value)} is not from {lowest:g} to {highest:g}")
        return usual
    return float(value)


def _at(given: dict[str, Any], *keys: str) -> Path:
    """The first of them that was written."""
    return (_PLACE, next((key for key in keys if key in given), keys[0]))


def _report_only(given: dict[str, Any], told: Told) -> bool:
    value = given.get("report_only", False)
    if not isinstance(value, bool):
        told((_PLACE, "report_only"), f"report_only {quoted(value)} is not true or false")
    return value is True
