"""The endpoint that hands labels to training: parse, call, render. No rule lives here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer
from plumbing.bodies import refuse_unsafe_text
from plumbing.lean import add_lean
from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.operations import LABELS, MAX_LABELS

LONGEST_ID: Final = 128

Page = Callable[[str, int], Awaitable[bytes]]
"""The page after this id with so many labels at most, as JSON. Raises: Refused."""


def add_labels(app: FastAPI, *, access: Access, page: Page) -> None:
    """Put it under its path."""

    async def labels(request: Request) -> Response:
        access.require(request, "read")
        after = each_once(request).get("after", "")
        if len(after) > LONGEST_ID:
            raise _unsound("after", f"after must have at most {LONGEST_ID} characters.")
        refuse_unsafe_text(after, "query.after")
        return JSONAnswer(await page(after, _limit(request)))

    add_lean(app, "/labels", labels, method="GET", summary="Read what was found out about logins", operation=LABELS)


def _limit(request: Request) -> int:
    text = each_once(request).get("limit", str(MAX_LABELS))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MAX_LABELS):
        raise _unsound("limit", f"limit must be a whole number from 1 to {MAX_LABELS}.")
    return int(text)


def _unsound(field: str, words: str) -> Refused:
    return Refused("invalid_request", words, status=422, evidence={"field": f"query.{field}"})
