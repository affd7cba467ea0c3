"""A table with a header line, comma-separated, one person a line.

Source: RFC 4180, without line breaks inside of fields: no column of ours has any, and a quotation mark that is never
closed would otherwise swallow the rest of the file.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import BinaryIO

from auth_gateway.adapters.imports.lines import lines, text_of
from auth_gateway.adapters.imports.notation import settled
from auth_gateway.core.imported import BadFile, ImportedUser, Record, Remainder, Untakeable, record_at

REQUIRED = ("username", "password_hash")
OPTIONAL = ("user_id", "display_name", "email", "email_verified", "is_frozen", "totp_secret")
_TRUTHS: Mapping[str, bool] = {"": False, "false": False, "0": False, "no": False, "true": True, "1": True, "yes": True}


def records(source: BinaryIO) -> Iterator[Record]:
    """The people of the file by the number of their line, from 1 for the header.

    Raises: BadFile when the header is missing, lacks a column, has one twice or one that means nothing here.
    """
    found = lines(source)
    columns = _header(next(found, (0, b""))[1])
    for number, line in found:
        yield record_at(f"line {number}", partial(_read, line, columns))


def _header(line: bytes | None) -> Sequence[str]:
    try:
        columns = [name.strip().lower() for name in _fields(line)]
    except Untakeable:
        raise BadFile("the header line cannot be read") from None
    known = {*REQUIRED, *OPTIONAL}
    if not set(REQUIRED) <= set(columns) <= known or len(set(columns)) < len(columns):
        needed, possible = ", ".join(REQUIRED), ", ".join(OPTIONAL)
        raise BadFile(f"the header line must have {needed}, and may have {possible}, each once")
    return columns


def _read(line: bytes | None, columns: Sequence[str]) -> tuple[ImportedUser, tuple[Remainder, ...]]:
    fields = _fields(line)
    if len(fields) != len(columns):
        raise Untakeable("wrong_number_of_columns")
    given = dict(zip(columns, fields, strict=True))
    if not given["password_hash"]:
        raise Untakeable("no_password")
    user = ImportedUser(
        username=given["username"],
        password_hash=settled(given["password_hash"]),
        user_id=given.get("user_id") or None,
        display_name=given.get("display_name", ""),
        email=given.get("email", ""),
        email_verified=_truth(given.get("email_verified", "")),
        is_frozen=_truth(given.get("is_frozen", "")),
        totp_secret=given.get("totp_secret") or None,
    )
    return user, ()


def _fields(line: bytes | None) -> list[str]:
    text = text_of(line)
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise Untakeable("wrong_shape") from None


def _truth(text: str) -> bool:
    truth = _TRUTHS.get(text.strip().lower())
    if truth is None:
        raise Untakeable("wrong_shape")
    return truth
