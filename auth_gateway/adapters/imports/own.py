"""Our own format: a JSON list of objects, whose names are those of `ImportedUser`."""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import msgspec

from auth_gateway.adapters.imports.documents import decoded, elements
from auth_gateway.adapters.imports.notation import settled
from auth_gateway.core.imported import ImportedUser, Record, Remainder, record_at


def records(source: BinaryIO) -> Iterator[Record]:
    """The people of the file by their place in the list, from 0.

    Raises: BadFile.
    """
    for number, text in enumerate(elements(source)):
        yield record_at(f"record {number}", partial(_read, text))


def _read(text: bytes | None) -> tuple[ImportedUser, tuple[Remainder, ...]]:
    user = decoded(text, ImportedUser)
    return msgspec.structs.replace(user, password_hash=settled(user.password_hash)), ()
