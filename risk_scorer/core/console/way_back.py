"""Where a person goes on after they signed in: a page of the console, and nowhere else."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

HOME: Final = "/dashboard"
LONGEST: Final = 2048


def way_back(text: str | None) -> str:
    """The path if it is one of the console's own pages, else the console's first page.

    An address of another host would lend our sign-in to anybody's page; browsers read a backslash as a slash and leave
    out line breaks and tabs.
    """
    if not text or len(text) > LONGEST or not text.isascii() or not text.isprintable() or "\\" in text:
        return HOME
    try:
        parts = urlsplit(text)
    except ValueError:
        return HOME
    is_ours = parts.path == HOME or parts.path.startswith(f"{HOME}/")
    is_local = not parts.scheme and not parts.netloc and not text.startswith("//")
    return text if is_ours and is_local and "//" not in parts.path and "/.." not in parts.path else HOME
