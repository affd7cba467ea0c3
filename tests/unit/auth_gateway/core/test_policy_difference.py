"""What differs between two documents."""

import pytest

from auth_gateway.core.policy_difference import MOST_LINES, difference


def told(before: str, after: str) -> list[str]:
    signs = {"same": " ", "added": "+", "removed": "-", "gap": "…"}
    return [signs[line.sign] + line.text for line in difference(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", []),
        ("a\nb\n", "a\r\nb", []),
        ("", "a\n", ["+a"]),
        ("a\n", "", ["-a"]),
        ("a\nb\nc\n", "a\nB\nc\n", [" a", "-b", "+B", " c"]),
        (
            "\n".join("abcdefghij"),
            "\n".join("abcdEfghij"),
            ["…", " b", " c", " d", "-e", "+E", " f", " g", " h", "…"],
        ),
    ],
)
def test_lines_that_differ_stand_among_their_neighbours(before: str, after: str, expected: list[str]) -> None:
    """What is the same for long is left out."""
    assert told(before, after) == expected


def test_lines_have_their_numbers() -> None:
    """Those of either text."""
    found = [(line.sign, line.before, line.after) for line in difference("a\nb\n", "x\na\nc\n")]
    assert found == [("added", 0, 1), ("same", 1, 2), ("removed", 2, 0), ("added", 0, 3)]


def test_very_long_texts_differ_as_a_whole() -> None:
    """Nobody waits for what two of them have in common."""
    long = "x\n" * (MOST_LINES + 1)
    assert len(difference(long, "x\n")) == MOST_LINES + 2
