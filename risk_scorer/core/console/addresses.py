"""Addresses of the console's own pages: what stands in them is text that a stranger may have typed."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def address(path: str, /, **query: object) -> str:
    """The path with its query; what is None or empty is left out of it."""
    given = {name: text for name, value in query.items() if (text := "" if value is None else str(value))}
    # Half of a surrogate pair, which an id may hold, is no text that could be encoded.
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def path_part(text: str) -> str:
    """As one part of a path, or as a value in a query, whatever signs are in it."""
    return quote(text, safe="", errors="replace")
