"""What a request for messages names: a receiver, a message, a page of them."""

from typing import Final

from starlette.requests import Request

from plumbing.bodies import refuse_unsafe_text
from plumbing.queries import each_once
from plumbing.refusals import Refused
from webhooks.delivery_log import STATUSES, Status

LONGEST_NAME: Final = 256
LONGEST_PLACE: Final = 300
USUAL_PAGE: Final = 50


def part_of(request: Request, parameter: str, code: str) -> str:
    """A part of the address; one that can name nothing names nothing. Raises: Refused(code, 404)."""
    text = str(request.path_params[parameter])
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise Refused(code, "There is nothing of this name.", status=404)
    return text


def status_of(request: Request) -> Status | None:
    """How the messages stand that are asked for; None for all. Raises: Refused `invalid_request` (422)."""
    given = each_once(request).get("status")
    if given is None:
        return None
    for status in STATUSES:
        if given == status:
            return status
    raise Refused("invalid_request", f"One of {', '.join(STATUSES)}.", status=422, evidence={"field": "status"})


def limit_of(request: Request) -> int:
    """How many at the most. Raises: Refused `invalid_request` (422)."""
    text = each_once(request).get("limit", str(USUAL_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refused("invalid_request", "This is no whole number above 0.", status=422, evidence={"field": "limit"})
    return int(text)


def before_of(request: Request) -> str:
    """Where the page before ended. Raises: Refused `invalid_page` (400), `invalid_request` (422)."""
    before = each_once(request).get("before", "")
    if len(before) > LONGEST_PLACE:
        raise Refused("invalid_page", "take `before` from the page before", status=400)
    return refuse_unsafe_text(before, "before")
