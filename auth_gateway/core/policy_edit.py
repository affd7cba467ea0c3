"""A policy document's text with one switch or mark set otherwise: one line changes or is added, and all else stays as
its author wrote it, comments too.
"""

import re
import tomllib
from typing import Any, Final

import msgspec

from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.core.policy_session_marks import NEVER
from auth_gateway.core.toml_lines import Path, line_numbers

Value = bool | float | str
_ASSIGNED: Final = re.compile(r"(?P<before>\s*[A-Za-z_]+\s*=\s*)(?P<value>[^#\r]*[^#\s])(?P<after>\s*(?:#.*)?)")
_HEADER: Final = re.compile(r"\s*\[{1,2}[^\[\]]+\]{1,2}\s*(?:#.*)?")


class CannotEdit(ValueError):
    """The text is written in a way that has no line of its own for this."""


class MarkEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other marks for one `[[marks]]` table; `number` counts them from 1."""

    number: int
    step_up: float | None = None
    deny: float | None = None


class SessionMarksEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other marks of sessions; what is left out stays."""

    step_up: float | None = None
    reset: float | str | None = None
    logout: float | str | None = None
    freeze: float | str | None = None
    report_only: bool | None = None


class Edits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set otherwise: by the name of a rule whether it only reports, and marks."""

    report_only: dict[str, bool] = {}
    marks: tuple[MarkEdit, ...] = ()
    session_marks: SessionMarksEdit = SessionMarksEdit()


def edited(text: str, document: PolicyDocument, edits: Edits) -> str:
    """The text with these edits; `document` is what it means as it is. What is so already is not touched.

    Raises: CannotEdit for a rule or marks that are not there, or that stand in one line with others.
    """
    for place, key, value in _changes(document, edits):
        text = with_value(text, place, key, value)
    return text


def with_value(text: str, table: Path, key: str, value: Value) -> str:
    """The text in which that key of that table has that value. Raises: CannotEdit."""
    lines, known = text.split("\n"), line_numbers(text)
    place, written = (*table, key), _written(value)
    if place in known:
        found = _ASSIGNED.fullmatch(lines[known[place] - 1])
        if found is None:
            raise CannotEdit(f"{key} shares its line with something else")
        lines[known[place] - 1] = f"{found['before']}{written}{found['after']}"
    elif table in known:
        return _added(text, known, place, value)
    else:
        written_before = text.rstrip("\r\n")
        lines = [*([written_before, ""] if written_before else []), f"[{table[0]}]", f"{key} = {written}", ""]
    made = "\n".join(lines)
    if not _differs_only(text, made, place, value):
        raise CannotEdit(f"there is no line of its own for {key}")
    return made


def _added(text: str, known: dict[Path, int], place: Path, value: Value) -> str:
    """The text with a line more: at the end of the table, or below its header where that end is another table's."""
    lines, table = text.split("\n"), place[:-1]
    header = lines[known[table] - 1]
    if _HEADER.fullmatch(header) is not None:
        line = f"{place[-1]} = {_written(value)}" + ("\r" if header.endswith("\r") else "")
        last = max(number for path, number in known.items() if path[: len(table)] == table)
        for end in (last, known[table]):
            made = "\n".join([*lines[:end], line, *lines[end:]])
            if _differs_only(text, made, place, value):
                return made
    raise CannotEdit(f"there is no line of its own for {place[-1]}")


def _changes(document: PolicyDocument, edits: Edits) -> list[tuple[Path, str, Value]]:
    found: list[tuple[Path, str, Value]] = []
    places = {rule.name: (place, rule.report_only) for place, rule in enumerate(document.rules)}
    for name, wanted in edits.report_only.items():
        if name not in places:
            raise CannotEdit("there is no rule of that name")
        place, is_so = places[name]
        if is_so != wanted:
            found.append((("rule", place), "report_only", wanted))
    for mark in edits.marks:
        if not 1 <= mark.number <= len(document.marks):
            raise CannotEdit("there are no marks of that number")
        found += _marks(mark, document)
    of_sessions = document.session_marks
    for key in ("step_up", "reset", "logout", "freeze", "report_only"):
        wish, now = getattr(edits.session_marks, key), getattr(of_sessions, key)
        if wish is not None and wish != (NEVER if now is None else now):
            found.append((("session_marks",), key, wish))
    return found


def _marks(mark: MarkEdit, document: PolicyDocument) -> list[tuple[Path, str, Value]]:
    now = document.marks[mark.number - 1].marks
    wishes = (("step_up", mark.step_up, now.step_up), ("deny", mark.deny, now.deny))
    place = ("marks", mark.number - 1)
    return [(place, key, wish) for key, wish, is_now in wishes if wish is not None and wish != is_now]


def _written(value: Value) -> str:
    """As TOML has it. Raises: CannotEdit for words that no mark has."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if value != NEVER:
            raise CannotEdit(f'a mark is a number or "{NEVER}"')
        return f'"{value}"'
    return f"{value:.15g}"


def _differs_only(before: str, after: str, place: Path, value: Value) -> bool:
    """Whether that value, and nothing else, is another one: what a line looks like is not what it means."""
    try:
        expected, made = tomllib.loads(before), tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    found: Any = expected
    for step in place[:-1]:
        found = found.setdefault(step, {}) if isinstance(found, dict) else found[step]
    found[place[-1]] = value
    return bool(expected == made)
