"""Files with one record a line, read line by line, whatever is in them."""

from collections.abc import Iterator
from typing import BinaryIO

from auth_gateway.core.imported import Untakeable

MOST_LINE_BYTES = 1 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Number (from 1) and text of every line that is not blank; None for one that is too long."""
    number = 0
    while line := source.readline(MOST_LINE_BYTES + 1):
        number += 1
        if len(line) > MOST_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = source.readline(MOST_LINE_BYTES)
            yield number, None
            continue
        text = (line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line).rstrip(b"\r\n")
        if text.strip():
            yield number, text


def text_of(line: bytes | None) -> str:
    """The line as text.

    Raises: Untakeable("record_too_long" or "not_utf8").
    """
    if line is None:
        raise Untakeable("record_too_long")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Untakeable("not_utf8") from None
