"""Whether a text that is kept is about a person: how messages and requests name them."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

ERASED_PREFIX = "erased-"
"""What the audit trail calls somebody who was erased begins so."""


def is_named(body: bytes, names: Iterable[str]) -> bool:
    """Whether a JSON value or a signed token has one of the names as one of its texts, in any case, or another text has
    it as a word."""
    wanted = {name.casefold() for name in names if name}
    try:
        found = {text.casefold() for text in _texts(_value(body))}
    except (msgspec.MsgspecError, ValueError):
        text = body.decode(errors="replace").casefold()
        return any(re.search(rf"(?<![\w@.-]){re.escape(name)}(?![\w@-])", text) for name in wanted)
    return not wanted.isdisjoint(found)


def _value(body: bytes) -> Any:
    if body.startswith(b"eyJ"):
        payload = body.split(b".")[1]
        return msgspec.json.decode(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    return msgspec.json.decode(body)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
