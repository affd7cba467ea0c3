"""Single switches and marks set in a document's text."""

import pytest

from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import parse
from auth_gateway.core.policy_edit import CannotEdit, Edits, MarkEdit, SessionMarksEdit, edited

TEXT = """# kept as it is
[[rule]]
name = "first"   # a comment
then = "deny"
when = { country = [
  "KP",
  "IR",
] }

[[rule]] # the second
name = "second"
then = "challenge"
report_only = false  # soon

[[marks]]
client = "bank"
step_up = 45.5 # found in May
"""
INLINE = 'rule = [{ name = "first", then = "deny" }]\n'


def made(text: str, edits: Edits) -> str:
    return edited(text, parse(text.encode(), Policy()), edits)


@pytest.mark.parametrize(
    ("edits", "before", "after"),
    [
        (
            Edits(report_only={"first": True}),
            '[[rule]]\nname = "first"',
            '[[rule]]\nreport_only = true\nname = "first"',
        ),
        (Edits(report_only={"second": True}), "report_only = false  # soon", "report_only = true  # soon"),
        (Edits(report_only={"first": False, "second": False}), "", ""),
        (Edits(marks=(MarkEdit(number=1, step_up=50.0),)), "step_up = 45.5 #", "step_up = 50 #"),
        (Edits(marks=(MarkEdit(number=1, step_up=45.5),)), "", ""),
        (Edits(marks=(MarkEdit(number=1, deny=70.25),)), "in May\n", "in May\ndeny = 70.25\n"),
    ],
)
def test_one_line_changes_and_nothing_else(edits: Edits, before: str, after: str) -> None:
    """Comments and layout stay; what is so already is not touched."""
    assert made(TEXT, edits) == TEXT.replace(before, after)


def test_marks_of_sessions_get_a_table_where_there_is_none() -> None:
    """A second edit finds it."""
    once = made(TEXT, Edits(session_marks=SessionMarksEdit(freeze="never")))
    assert once == TEXT + '\n[session_marks]\nfreeze = "never"\n'
    twice = made(once, Edits(session_marks=SessionMarksEdit(report_only=True, reset=75.0, freeze=99.0)))
    document = parse(twice.encode(), Policy())
    marks = document.session_marks
    assert (marks.report_only, marks.reset, marks.freeze, marks.logout) == (True, 75.0, 99.0, 90.0)
    assert made("", Edits(session_marks=SessionMarksEdit(report_only=True))) == "[session_marks]\nreport_only = true\n"


def test_line_ends_stay_what_they_are() -> None:
    """Of a text from Windows, too."""
    text = TEXT.replace("\n", "\r\n")
    assert made(text, Edits(report_only={"first": True, "second": True})).count("\r\n") == TEXT.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        (INLINE, Edits(report_only={"first": True})),
        (TEXT, Edits(report_only={"third": True})),
        (TEXT, Edits(marks=(MarkEdit(number=2, deny=70.0),))),
        (TEXT, Edits(session_marks=SessionMarksEdit(freeze="soon\nx"))),
    ],
)
def test_what_has_no_line_of_its_own_is_not_guessed(text: str, edits: Edits) -> None:
    """Its author edits the text."""
    with pytest.raises(CannotEdit):
        made(text, edits)
