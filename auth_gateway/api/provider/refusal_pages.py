"""Refusals for people: the same codes and statuses as elsewhere, on a page in their language."""

import math

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.pages import Pages
from plumbing.refusals import Refused


def refusal_page(pages: Pages, request: Request, refused: Refused) -> Response:
    """A refusal as a person sees it; what it says repeats nothing of the request."""
    headers = dict(refused.headers)
    if refused.retry_after_seconds is not None:
        headers["retry-after"] = retry_after(refused.retry_after_seconds)
    return failure_page(pages, request, refused.code, status=refused.status, detail=refused.message, headers=headers)


def failure_page(
    pages: Pages,
    request: Request,
    code: str,
    *,
    status: int,
    detail: str,
    headers: dict[str, str] | None = None,
) -> Response:
    """What went wrong, in words where the catalogue has some for the code or the status; else `detail` is shown, which
    is English."""
    words = pages.words(request)
    of_status = f"common.refused_{status}"
    heading = words(f"{of_status}_heading" if words.has(f"{of_status}_heading") else "common.refused_heading")
    for key in (f"common.refused_{code}", f"{of_status}_text"):
        if words.has(key):
            return pages.said(request, heading, words(key), status=status, code=code, headers=headers)
    text = words("common.refused_text")
    return pages.said(request, heading, text, status=status, code=code, detail=detail, headers=headers)


def retry_after(seconds: float) -> str:
    """Whole seconds (RFC 9110, section 10.2.3), never zero: a client told "now" comes back in a loop."""
    return str(max(1, math.ceil(seconds)))
