"""What others wrote stays within its line."""

import io
import json

import pytest
from rich.console import Console

from training.reports import tell
from training.shown_text import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ordinary, with ünï and 5 %", "ordinary, with ünï and 5 %"),
        ("two\nlines\r\n", "two lines  "),
        ("\x1b[31mred\x07", " [31mred "),
        ("right\u202eleft", "right left"),
        ("no text \udcff", "no text  "),
    ],
)
def test_signs_that_are_none_to_see_become_spaces(text: str, shown: str) -> None:
    """Line breaks, escapes, changes of direction, and bytes that are no text."""
    assert one_line(text) == shown


def test_a_files_name_that_is_no_text_keeps_json_valid() -> None:
    """As an escape, from which the name comes back."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    tell({"written": "\udcff ünï"}, as_json=True, console=Console(file=out))
    out.seek(0)
    assert json.loads(out.read()) == {"written": "\udcff ünï"}
