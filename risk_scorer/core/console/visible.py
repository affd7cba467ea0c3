"""Text that a stranger typed, as far as it fits, with signs that nobody sees written out."""

from __future__ import annotations

from typing import Final

LONGEST_TEXT: Final = 80
"""Signs of one text that a line has room for."""


def visible(text: str, most: int = LONGEST_TEXT) -> str:
    """The text as far as it fits, with signs that nobody sees written out.

    A direction mark in a name could make a line read as something else.
    """
    return written_out(text if len(text) <= most else text[: most - 1] + "…")


def written_out(text: str) -> str:
    """The text with signs that nobody sees as their numbers."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in text)
