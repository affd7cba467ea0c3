"""The reason that somebody typed and that a step-up came between: kept in this browser for the way to the gateway and
back, shown once in the same form, to the same operator. Never in an address, where logs and histories would have it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "riskgate_typed"
SECONDS: Final = 600
"""As long as a sign-in may take."""
MOST_BYTES: Final = 3_800
"""Browsers keep no larger cookie than 4,096 bytes (RFC 6265, section 6.1)."""


class Typed(Struct, frozen=True, array_like=True):
    """Who typed which reason into the form that is posted to that path, as it is without percent-encoding."""

    operator: str
    action: str
    reason: str


class TypedReasons:
    """What forms ask: the reason that was typed into the one that is posted there, or "". `was_shown` once one was."""

    def __init__(self, kept: Typed | None) -> None:
        self._kept = kept
        self.was_shown = False

    def __call__(self, action: str) -> str:
        if self._kept is None or self._kept.action != unquote(action):
            return ""
        self.was_shown = True
        return self._kept.reason


_decoder = msgspec.json.Decoder(Typed)


def keep(response: Response, typed: Typed, scope: dict[str, Any]) -> None:
    """Have the next page with that form show it. What is too long for a cookie has to be typed again."""
    text = base64.urlsafe_b64encode(msgspec.json.encode(typed)).decode()
    if len(text) <= MOST_BYTES:
        response.set_cookie(COOKIE, text, max_age=SECONDS, **scope)


def kept(request: Request, operator: str) -> Typed | None:
    """What this operator typed a moment ago."""
    text = request.cookies.get(COOKIE, "")
    if not text or len(text) > MOST_BYTES:
        return None
    try:
        typed = _decoder.decode(base64.urlsafe_b64decode(text))
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, ValueError):
        return None
    return typed if typed.operator == operator else None


def forget(response: Response, scope: dict[str, Any]) -> None:
    """It was shown, or somebody else comes."""
    response.delete_cookie(COOKIE, **scope)
