"""The file that the address tables travel in: named columns of numbers, compressed and hashed, under a checked header.

Layout: magic, SHA-256 of the header, its length, the header (JSON), then the columns' bytes one after another. A column
is its numbers' first bytes, then their second bytes and so on (that compresses far better), as xz. Nothing here knows
what the columns mean, and nothing in the file can become code.
"""

import hashlib
import lzma
import os
import struct
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Numbers = NDArray[Any]
Coding = Literal["plain", "delta"]

FILE_NAME = "ip_tables.bin"
MAGIC = b"RGIPTAB1"
FORMAT = 1
_LEAD = struct.Struct("<8s32sI")
LONGEST_HEADER = 1 << 20
DTYPES = frozenset({"uint8", "uint16", "int16", "uint32", "uint64"})
THREADS = 2
LEAST_WINDOW_BYTES = 1 << 12
DELTA_SUFFIXES = ("_starts", "_ends")
"""Columns that only grow are kept as differences: names with these endings."""


class BadIpTable(Exception):
    """The tables cannot be used. `code` is stable: ip_table_missing, _corrupt, _version, _unwritable or _source."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Source(Struct, frozen=True, kw_only=True):
    """Where data comes from, of which day (ISO 8601), and what its licence asks us to show."""

    name: str
    date: str
    licence: str
    attribution: str
    url: str


class Column(Struct, frozen=True, kw_only=True):
    """One column in the file: `size` bytes from `offset` after the header unpack to `rows` numbers of `dtype`."""

    name: str
    dtype: str
    rows: int
    coding: Coding
    offset: int
    size: int
    sha256: str


class Header(Struct, frozen=True, kw_only=True):
    """What the file says of itself."""

    format: int
    city: Source
    asn: Source
    columns: tuple[Column, ...]


def write(directory: Path, columns: Mapping[str, Numbers], *, city: Source, asn: Source) -> Path:
    """Put the table file into the directory, whole or not at all; returns its path."""
    with ThreadPoolExecutor(THREADS) as threads:
        packed = dict(zip(columns, threads.map(_pack, columns, columns.values()), strict=True))
    described, offset = [], 0
    for name, numbers in columns.items():
        blob = packed[name]
        described.append(
            Column(
                name=name,
                dtype=numbers.dtype.name,
                rows=numbers.shape[0],
                coding=_coding(name),
                offset=offset,
                size=len(blob),
                sha256=hashlib.sha256(blob).hexdigest(),
            )
        )
        offset += len(blob)
    header = msgspec.json.encode(Header(format=FORMAT, city=city, asn=asn, columns=tuple(described)))
    lead = _LEAD.pack(MAGIC, hashlib.sha256(header).digest(), len(header))
    return _publish(directory / FILE_NAME, b"".join((lead, header, *packed.values())))


def read_header(path: Path) -> tuple[Header, str]:
    """The checked header and its SHA-256, which names this very set of tables. Raises BadIpTable."""
    try:
        with path.open("rb") as file:
            lead = file.read(_LEAD.size)
            if len(lead) != _LEAD.size or lead[: len(MAGIC)] != MAGIC:
                raise BadIpTable("ip_table_version", f"{path.name} is not an address table of this version")
            _, digest, length = _LEAD.unpack(lead)
            body = file.read(min(length, LONGEST_HEADER))
    except OSError as error:
        raise BadIpTable("ip_table_missing", f"cannot read {path.name}: {error.strerror}") from error
    if hashlib.sha256(body).digest() != digest:
        raise BadIpTable("ip_table_corrupt", f"the header of {path.name} does not match its hash")
    try:
        header = msgspec.json.decode(body, type=Header)
    except msgspec.MsgspecError as error:
        raise BadIpTable("ip_table_version", f"the header of {path.name} cannot be read") from error
    if header.format != FORMAT or any(column.dtype not in DTYPES for column in header.columns):
        raise BadIpTable("ip_table_version", f"{path.name} has format {header.format}, this version reads {FORMAT}")
    return header, digest.hex()


def unpack(path: Path, header: Header, keep: Callable[[str, Numbers], None]) -> None:
    """Hand every column's numbers to `keep`, checked against their hashes. Raises BadIpTable."""

    def one(column: Column) -> None:
        with path.open("rb") as file:
            file.seek(_data_offset(file.read(_LEAD.size)) + column.offset)
            blob = file.read(column.size)
        keep(column.name, _unpacked(column, blob))

    largest_first = sorted(header.columns, key=lambda column: -column.size)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(one, largest_first))


def _data_offset(lead: bytes) -> int:
    length: int = _LEAD.unpack(lead)[2]
    return _LEAD.size + length


def _coding(name: str) -> Coding:
    return "delta" if name.endswith(DELTA_SUFFIXES) else "plain"


def _pack(name: str, numbers: Numbers) -> bytes:
    if numbers.dtype.name not in DTYPES:
        raise TypeError(f"column {name} has dtype {numbers.dtype}")
    kept = np.diff(numbers, prepend=numbers.dtype.type(0)) if _coding(name) == "delta" else numbers
    width = numbers.dtype.itemsize
    planes = np.ascontiguousarray(kept).view(np.uint8).reshape(-1, width).T
    raw = planes.tobytes()
    # A window no larger than the column: the preset's own would take 700 MB of memory for every thread.
    window = max(LEAST_WINDOW_BYTES, len(raw))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": window}]
    return lzma.compress(raw, filters=filters)


def _unpacked(column: Column, blob: bytes) -> Numbers:
    corrupt = BadIpTable("ip_table_corrupt", f"the column {column.name} does not match its hash")
    if hashlib.sha256(blob).hexdigest() != column.sha256:
        raise corrupt
    dtype = np.dtype(column.dtype)
    expected = column.rows * dtype.itemsize
    try:
        raw = lzma.LZMADecompressor().decompress(blob, max_length=expected + 1)
    except lzma.LZMAError as error:
        raise corrupt from error
    if len(raw) != expected:
        raise corrupt
    planes = np.frombuffer(raw, dtype=np.uint8).reshape(dtype.itemsize, column.rows)
    numbers: Numbers = np.ascontiguousarray(planes.T).view(dtype).reshape(column.rows)
    return np.cumsum(numbers, dtype=dtype) if column.coding == "delta" else numbers


def _publish(path: Path, content: bytes) -> Path:
    try:
        _make_private(path.parent)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadIpTable("ip_table_unwritable", f"cannot write {path}: {error.strerror}") from error
    return path


def _make_private(directory: Path) -> None:
    """The directory, and whatever is missing above it, closed to others: the state directory may be among it."""
    missing = [place for place in (directory, *directory.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
