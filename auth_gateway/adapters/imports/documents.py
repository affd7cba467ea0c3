"""Cuts the records out of JSON files, one after the other, however large the file is and whatever is in it."""

import re
from collections.abc import Iterator
from typing import BinaryIO, TypeVar

import msgspec

from auth_gateway.core.imported import BadFile, Untakeable

CHUNK_BYTES = 1 << 16
MOST_RECORD_BYTES = 1 << 20
MOST_NAME_BYTES = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MARK = re.compile(rb'["{}\[\],:]')
_IN_STRING = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"

Shape = TypeVar("Shape")


def elements(source: BinaryIO, *, under: str | None = None) -> Iterator[bytes | None]:
    """The text of each element of a list; None for one that is too long. The list is the document, or stands `under`
    this name in the object that is.

    Raises: BadFile when there is no such list, or when it does not end.
    """
    marks = _Marks(source)
    opened = b"[" if under is None else b"{"
    if marks.next() != opened or marks.taken() != opened:
        raise BadFile("the file is not a JSON list" if under is None else "the file is not a JSON object")
    if under is not None:
        _go_to_list(marks, under)
    yield from _cut(marks)
    if under is None and (marks.next() is not None or marks.taken() != b""):
        raise BadFile("the file goes on after its list")


def decoded(text: bytes | None, shape: type[Shape]) -> Shape:
    """The value of one record; what it has beyond its shape is passed over.

    Raises: Untakeable("record_too_long", "not_json", "not_utf8", "wrong_shape" or "nested_too_deeply").
    """
    if text is None:
        raise Untakeable("record_too_long")
    try:
        return msgspec.json.decode(text, type=shape)
    except msgspec.ValidationError:
        raise Untakeable("wrong_shape") from None
    except UnicodeDecodeError:
        raise Untakeable("not_utf8") from None
    except RecursionError:
        raise Untakeable("nested_too_deeply") from None
    except (msgspec.DecodeError, ValueError):
        raise Untakeable("not_json") from None


def _go_to_list(marks: "_Marks", name: str) -> None:
    """Goes to where the list under this name of the outermost object begins."""
    depth, is_there = 1, False
    while (mark := marks.next()) is not None and depth > 0:
        marks.forget()
        if is_there and mark == b"[":
            return
        if mark == b":":
            is_there = depth == 1 and marks.last_string == name.encode()
        else:
            is_there = False
            depth += (mark in b"{[") - (mark in b"}]")
    raise BadFile(f"the file has no list of {name}")


def _cut(marks: "_Marks") -> Iterator[bytes | None]:
    """The elements of the list that was just opened."""
    depth, n_found = 0, 0
    while (mark := marks.next()) is not None:
        is_end = mark == b"]" and depth == 0
        if is_end or (mark == b"," and depth == 0):
            text = marks.taken()
            text = None if text is None else text[:-1].rstrip(_SPACE)
            if text != b"" or not is_end or n_found:
                yield text
            if is_end:
                return
            n_found += 1
        depth += (mark in b"{[") - (mark in b"}]")
    raise BadFile("the file ends in the middle of its list")


class _Marks:
    """Walks over what structures a JSON text, and keeps the text since the last time it was taken."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._chunk = source.read(CHUNK_BYTES).removeprefix(_BYTE_ORDER_MARK)
        self._at = 0
        self._kept: bytearray | None = bytearray()
        self.last_string = b""

    def next(self) -> bytes | None:
        """The next structuring character outside of strings, None at the end; whole strings count as text."""
        while (mark := self._to(_MARK)) == b'"':
            self._pass_string()
        return mark

    def taken(self) -> bytes | None:
        """The text since last time, with the mark that ended it and no space around; None when it was too long."""
        kept, self._kept = self._kept, bytearray()
        return None if kept is None else bytes(kept.strip(_SPACE))

    def forget(self) -> None:
        """Starts keeping anew."""
        self._kept = bytearray()

    def _pass_string(self) -> None:
        self.last_string = b""
        begun = 0 if self._kept is None else len(self._kept)
        while (mark := self._to(_IN_STRING)) == b"\\":
            self._keep_one()
        if mark is not None and self._kept is not None and len(self._kept) - begun <= MOST_NAME_BYTES:
            self.last_string = bytes(self._kept[begun:-1])

    def _to(self, pattern: re.Pattern[bytes]) -> bytes | None:
        """Goes behind the next match and answers it; None at the end."""
        while (match := pattern.search(self._chunk, self._at)) is None:
            self._keep(len(self._chunk))
            if not self._read():
                return None
        self._keep(match.end())
        return match[0]

    def _keep_one(self) -> None:
        """Goes behind one more byte, whatever it is."""
        if self._at < len(self._chunk) or self._read():
            self._keep(self._at + 1)

    def _read(self) -> bool:
        self._chunk, self._at = self._source.read(CHUNK_BYTES), 0
        return bool(self._chunk)

    def _keep(self, until: int) -> None:
        if self._kept is not None:
            self._kept += self._chunk[self._at : until]
            if len(self._kept) > MOST_RECORD_BYTES:
                self._kept = None
        self._at = until
