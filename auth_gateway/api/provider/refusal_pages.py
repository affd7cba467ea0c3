"""Refusals for people: the same codes and statuses as elsewhere, on a page."""

import math

from starlette.responses import Response

from auth_gateway.api.provider.pages import Pages
from plumbing.refusals import Refused

_HEADINGS = {429: "Please wait", 503: "Please try again"}


def refusal_page(pages: Pages, refused: Refused) -> Response:
    """A refusal as a person sees it; what it says repeats nothing of the request."""
    headers = dict(refused.headers)
    if refused.retry_after_seconds is not None:
        headers["retry-after"] = retry_after(refused.retry_after_seconds)
    heading = _HEADINGS.get(refused.status, "This does not work")
    return pages.notice(heading, refused.message, status=refused.status, code=refused.code, headers=headers)


def retry_after(seconds: float) -> str:
    """Whole seconds (RFC 9110, section 10.2.3), never zero: a client told "now" comes back in a loop."""
    return str(max(1, math.ceil(seconds)))
