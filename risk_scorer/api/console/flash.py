"""One line that the next page shows once: in a cookie of this browser, so that nothing is kept for it."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "riskgate_flash"
SECONDS: Final = 60
LONGEST: Final = 300
Tone = Literal["good", "bad"]


class Flash(NamedTuple):
    """The line, and whether it is good news."""

    tone: Tone
    text: str


def flashed(request: Request) -> Flash | None:
    """What the page before left for this one."""
    tone, _, text = request.cookies.get(COOKIE, "").partition(".")
    shown = unquote(text)[:LONGEST]
    if not shown or tone not in ("good", "bad"):
        return None
    return Flash("good" if tone == "good" else "bad", shown)


def leave(response: Response, text: str, *, tone: Tone, scope: dict[str, Any]) -> None:
    """Have the next page show it."""
    response.set_cookie(COOKIE, f"{tone}.{quote(text[:LONGEST], safe='')}", max_age=SECONDS, **scope)


def wipe(response: Response, scope: dict[str, Any]) -> None:
    """It was shown."""
    response.delete_cookie(COOKIE, **scope)
