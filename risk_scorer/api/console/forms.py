"""What a form of the console brings back: bounded, from our own page, and of this very session."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from plumbing.bodies import read_body, require_form
from plumbing.refusals import Refused
from risk_scorer.api.access import require_same_origin
from risk_scorer.core.console.operator import Operator

MOST_BYTES: Final = 256 * 1024
MOST_FIELDS: Final = 1_000
TOKEN_FIELD: Final = "form_token"  # noqa: S105 - a field's name
_UNSAFE: Final = re.compile("[\x00\ud800-\udfff]")


class Form:
    """The fields; the same name may come several times, as ticked boxes do."""

    def __init__(self, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._fields = fields

    def one(self, name: str, usual: str = "") -> str:
        """The value of a field that comes once at most. Raises: Refused `malformed_form` (400)."""
        found = self._fields.get(name, ())
        if len(found) > 1:
            raise Refused("malformed_form", "A field is given more than once.", status=400, evidence={"field": name})
        return found[0] if found else usual

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, in order."""
        return self._fields.get(name, ())


async def read_form(request: Request, operator: Operator) -> Form:
    """The form of this request.

    Raises: Refused `cross_site_form`, `invalid_form_token` (403), and those of a bad body.
    """
    form = await posted_form(request)
    if not hmac.compare_digest(form.one(TOKEN_FIELD).encode(), operator.form_token.encode()):
        # Another session's page, kept open while somebody else signed in; or no page of ours at all.
        raise Refused("invalid_form_token", "This form is not of your session: load the page again.", status=403)
    return form


async def posted_form(request: Request) -> Form:
    """The same, of whichever session: it may be shown again, and nothing is done for it. Raises: Refused."""
    require_same_origin(request)
    require_form(request)
    form: Form = Form(_fields(await read_body(request, max_bytes=MOST_BYTES)))
    request.state.posted = form
    return form


def _fields(body: bytes) -> dict[str, tuple[str, ...]]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # UnicodeError is one of them
        raise Refused("malformed_form", "The body is not a well-formed form in UTF-8.", status=400) from None
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if _UNSAFE.search(name) or _UNSAFE.search(value):
            raise Refused("malformed_form", "A field holds a character that is not allowed.", status=400)
        fields[name] = (*fields.get(name, ()), value)
    return fields
