"""Reading what a stranger sends: bounded, checked, and never a crash. What the fields mean is not decided here."""

import asyncio
import re
from typing import Final, NoReturn, TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request

from plumbing.refusals import Refused

T = TypeVar("T")

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS: Final = 64
BODY_DEADLINE_SECONDS: Final = 10.0
"""A body that takes longer is a client that holds a connection on purpose."""

_WHERE = re.compile(r" - at `(?P<path>\$[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]+)`")
_SAFE_MESSAGE = re.compile(r"^Expected `[^`]+`(?:, got `[a-z]+`| of length [<>=]+ \d+| [<>=]+ [\d.e+-]+)?$")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


async def read_body(request: Request, *, max_bytes: int, deadline_seconds: float = BODY_DEADLINE_SECONDS) -> bytes:
    """The whole body, or a refusal as soon as it is known to be too large, too slow or cut off."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > max_bytes):
        _refuse_large(max_bytes)
    try:
        async with asyncio.timeout(deadline_seconds):
            return await _gather(request, max_bytes)
    except TimeoutError:
        raise Refused(
            "request_timeout", "The body did not arrive in time.", status=408, headers={"connection": "close"}
        ) from None
    except ClientDisconnect:
        raise Refused("incomplete_body", "The connection ended before the body did.", status=400) from None


async def _gather(request: Request, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > max_bytes:
            _refuse_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_large(max_bytes: int) -> NoReturn:
    raise Refused(
        "body_too_large",
        "The body is larger than this address takes.",
        status=413,
        evidence={"max_bytes": max_bytes},
        # The rest of the body is not read, so the connection cannot serve another request.
        headers={"connection": "close"},
    )


def is_form(request: Request) -> bool:
    """Whether the body says that it is a form."""
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower() == FORM_TYPE


def require_form(request: Request) -> None:
    """Refuse a body that is no form, also one that does not say what it is."""
    if not is_form(request):
        raise Refused("unsupported_media_type", f"Send the body as {FORM_TYPE}.", status=415)


def require_json(request: Request) -> None:
    """Refuse a body that says it is something else than JSON; one that says nothing is taken as JSON."""
    declared = request.headers.get("content-type")
    if declared is None:
        return
    if declared.split(";", 1)[0].strip().lower() != "application/json":
        raise Refused("unsupported_media_type", "Send the body as application/json.", status=415)


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The value that the body holds.

    Raises:
        Refused: 400 malformed_json when it is not JSON in UTF-8, nested too deep, or has NaN or half a surrogate pair;
            422 invalid_request when it is JSON of another shape, with the path of the field and never its value.
    """
    try:
        # The decoder skips unknown fields unseen; what is not UTF-8 is not JSON (RFC 8259, section 8.1).
        if not body.isascii():
            body.decode("utf-8")
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refused("malformed_json", "The body is not well-formed JSON in UTF-8.", status=400) from None


def _invalid(message: str) -> Refused:
    """What the decoder found, without the parts of its message that may repeat the input."""
    where = _WHERE.search(message)
    path = where["path"] if where else "$"
    what = _WHERE.sub("", message)
    missing = _MISSING.match(what)
    if missing:
        text, path = "A required field is missing.", f"{path}.{missing['name']}"
    elif _SAFE_MESSAGE.match(what):
        text = f"{what.replace('`', '')}."
    else:
        text = "The value is not one that this field takes."
    return Refused("invalid_request", text, status=422, evidence={"field": path})


def refuse_unsafe_text(text: str, field: str) -> str:
    """The same text, or a refusal when it holds NUL or half a surrogate pair.

    NUL cuts a string short in what is written in C, and half a pair cannot be written as UTF-8 at all: both would fail
    later, in storage or in an answer.
    """
    if _UNSAFE.search(text):
        raise Refused(
            "invalid_request", "The text holds a character that is not allowed.", status=422, evidence={"field": field}
        )
    return text


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of an application/x-www-form-urlencoded body.

    A field given twice is refused: two readers could each believe another one of them (RFC 6749, section 3.2).
    """
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError:  # UnicodeError is one of them
        raise Refused("malformed_form", "The body is not a well-formed form in UTF-8.", status=400) from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise Refused("malformed_form", "A field is given more than once.", status=400)
        if _UNSAFE.search(name) or _UNSAFE.search(value):
            raise Refused("malformed_form", "A field holds a character that is not allowed.", status=400)
        fields[name] = value
    return fields
