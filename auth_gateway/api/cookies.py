"""What a browser's Cookie header says under one name, read to the letter."""

from collections.abc import Callable

from starlette.requests import Request


def sent_cookie(request: Request, name: str, *, could_be_ours: Callable[[str], object]) -> str:
    """The value under exactly this name, "" when there is none that could be ours, or when there are two.

    Only the space and tab of the header's grammar are taken off a name (RFC 6265, section 4.2.1). Who takes off all
    that Unicode calls white space would find `__Host-x` in `\\xa0__Host-x`, a name that any neighbouring subdomain may
    set. Of two values one was planted, and nothing tells which.
    """
    found = ""
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip(" \t").partition("=")
            if key != name or value == found or not could_be_ours(value):
                continue
            if found:
                return ""
            found = value
    return found
