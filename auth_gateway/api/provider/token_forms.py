"""What the endpoints about tokens have in common: a small form that names one.

Source: RFC 7009, section 2.1; RFC 7662, section 2.1; RFC 6749, section 5.2, for the words of a refusal.
"""

from collections.abc import Mapping

from starlette.requests import Request

from plumbing.bodies import parse_form, read_body, require_form
from plumbing.refusals import Refused

# An access token of ours has about a kilobyte, a client's assertion beside it some more.
MOST_FORM_BYTES = 16_384


async def token_form(request: Request) -> dict[str, str]:
    """The fields of the form.

    Raises: Refused `invalid_request` (400), or 408, 413, 415 for a body that is too slow, too large or no form.
    """
    require_form(request)
    try:
        return parse_form(await read_body(request, max_bytes=MOST_FORM_BYTES))
    except Refused as refused:
        raise _invalid(refused.message) if refused.status == 400 else refused from None


def token_in(fields: Mapping[str, str]) -> str:
    """The token that the request is about.

    Raises: Refused `invalid_request` (400).
    """
    token = fields.get("token", "")
    if not token:
        raise _invalid("token is missing.")
    return token


def _invalid(message: str) -> Refused:
    return Refused("invalid_request", message, status=400)
