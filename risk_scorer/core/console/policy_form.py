"""What the policy's form brings back: a text, and the switches and marks that somebody set otherwise on the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from plumbing.refusals import Refused

SPANS: Final[dict[str, tuple[str, float]]] = {
    "day": ("the last day", 86_400.0),
    "week": ("the last 7 days", 7 * 86_400.0),
    "month": ("the last 30 days", 30 * 86_400.0),
    "quarter": ("the last 90 days", 90 * 86_400.0),
}
MOST_SWITCHES: Final = 200
"""Rules that have a switch on the page; a form has a bounded number of fields, and the text has all."""
SESSION_MARKS: Final = ("step_up", "reset", "logout", "freeze")
MARKS: Final = ("step_up", "deny")
NEVER: Final = "never"

Field = Callable[[str], str]


def document_in(text: str) -> str:
    """The text as files have it: forms end lines with two signs. Raises: Refused `document_required` (422)."""
    if not text:
        raise Refused("document_required", "There is no document: a comment alone means no rules.", status=422)
    return text.replace("\r\n", "\n").removeprefix("\n")


def edits_in(one: Field, had: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, object]:
    """What was set otherwise than the page had it: nothing that somebody changed in the text alone is put back.

    `had` and `wanted` are the rules that only report, as the page was made and as it comes back. Raises: Refused
    `invalid_mark` (422).
    """
    before, after = set(had), set(wanted)
    report_only = {name: name in after for name in sorted(before ^ after)}
    marks = []
    for number in range(1, MOST_SWITCHES + 1):
        set_to = {key: _number(one(f"mark.{number}.{key}")) for key in MARKS if _differs(one, f"mark.{number}.{key}")}
        if set_to:
            marks.append({"number": number, **set_to})
    of_sessions = {key: _mark(one(f"session.{key}")) for key in SESSION_MARKS if _differs(one, f"session.{key}")}
    if one("session.report_only") != one("was.session.report_only"):
        of_sessions["report_only"] = one("session.report_only") == "1"
    return {"report_only": report_only, "marks": marks, "session_marks": of_sessions}


def version_in(text: str) -> int:
    """The version that the page was made of. Raises: Refused `invalid_change` (422)."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused("invalid_change", "Say which version of the policy you saw.", status=422)
    return int(text)


def _differs(one: Field, name: str) -> bool:
    return one(name).strip() != one(f"was.{name}").strip()


def _mark(text: str) -> object:
    return NEVER if text.strip() == NEVER else _number(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 100.0:
        raise Refused("invalid_mark", f'A mark is a number up to 100, or of sessions "{NEVER}".', status=422)
    return number
