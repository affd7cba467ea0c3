"""What kind of file a log is, told from its bytes, and its rows as a stream of typed Arrow batches in file order."""

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
from pyarrow import parquet

from training.log_schemas import EVENTS, LABEL, Schema, matching_schema, require_distinct, typed_columns
from training.refusals import WrongInputError

BATCH_ROWS = 100_000
_HEADER_BYTES = 65_536
_MEMORY_LIMIT = "1GB"
JSON_FIELDS = (*EVENTS.columns, LABEL)
"""What is taken from a JSON log, where no header says what there is."""


@dataclass(frozen=True)
class LogFile:
    """A log that can be read: its kind, its schema, and the two halves of the query over it.

    `names` is how the query refers to each column that the file has, ours or not.
    """

    path: Path
    kind: str
    schema: Schema
    selected: str
    relation: str
    names: Mapping[str, str]

    def with_more(self, selected: str) -> "LogFile":
        """The same rows with more columns; all is read as before, so that both agree on which are malformed."""
        return replace(self, selected=f"{self.selected}, {selected}")

    @contextlib.contextmanager
    def batches(self) -> Iterator["Batches"]:
        """The rows as Arrow record batches; memory stays bounded by the batch, not by the file."""
        with typing_engine() as engine:
            query = f"SELECT {self.selected} FROM {self.relation}"  # noqa: S608 our own fields; names and path are quoted
            try:
                yield Batches(engine.sql(query).to_arrow_reader(BATCH_ROWS), engine, self)
            except (duckdb.Error, OSError) as cause:
                raise WrongInputError("unreadable_file", f"{self.path.name} cannot be read as {self.kind}") from cause


@dataclass(frozen=True)
class Batches:
    """An iterable of Arrow batches that knows, once exhausted, which records could not be parsed at all."""

    reader: Any
    engine: duckdb.DuckDBPyConnection
    file: LogFile

    def __iter__(self) -> Iterator[Any]:
        return iter(self.reader)

    def malformed_rows(self) -> list[int]:
        """Places in the file (first row is 0) of the records that the CSV reader rejected."""
        if self.file.kind != "csv":
            return []
        lines = self.engine.execute("SELECT DISTINCT line FROM reject_errors ORDER BY line").fetchall()
        if not lines:
            return []
        blanks = _blank_records(self.file.path)
        return [line - 2 - sum(blank < line - 1 for blank in blanks) for (line,) in lines]


@contextlib.contextmanager
def typing_engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """What turns texts into typed columns, wherever they were read: the same text is the same value everywhere."""
    engine = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    try:
        engine.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '{_MEMORY_LIMIT}'; SET enable_progress_bar = false")
        yield engine
    finally:
        engine.close()


def open_log(path: Path) -> LogFile:
    """The log at `path`, ready to be read.

    Raises WrongInputError: no_such_file, not_a_file, unreadable_file, empty_file, unknown_columns.
    """
    head = _head(path)
    kind, text = kind_of(head, path.name)
    if kind == "parquet":
        return _parquet(path)
    if kind == "csv":
        return _csv(path, text, blank_lines=_blank_lines(head))
    return _json(path, kind, is_marked=head.startswith(codecs.BOM_UTF8))


def kind_of(head: bytes, name: str) -> tuple[str, str]:
    """What a log that begins like this is ("parquet", "json", "json lines", "csv"), and its beginning as text.

    Raises WrongInputError: unreadable_file, empty_file.
    """
    if head.startswith(b"PAR1"):
        return "parquet", ""
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if not text:
        raise WrongInputError("empty_file", f"{name} is empty")
    if "\0" in text or _control_share(text) > 0.05:
        raise WrongInputError("unreadable_file", f"{name} is not text, and not Parquet")
    kinds = {"[": "json", "{": "json lines"}
    return kinds.get(text[:1], "csv"), text


def _head(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise WrongInputError("not_a_file", f"{path} is not a regular file")
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except FileNotFoundError as cause:
        raise WrongInputError("no_such_file", f"there is no file {path}") from cause
    except OSError as cause:
        raise WrongInputError("unreadable_file", f"{path} cannot be opened: {cause.strerror}") from cause
    if not head.strip():
        raise WrongInputError("empty_file", f"{path.name} is empty")
    return head


def _blank_lines(head: bytes) -> int:
    """How many lines stand empty above the first one."""
    text = head.decode("utf-8-sig", errors="replace")
    return text[: len(text) - len(text.lstrip())].count("\n")


def _control_share(text: str) -> float:
    return sum(not (sign.isprintable() or sign in "\r\n\t") or sign == "�" for sign in text) / len(text)


def _parquet(path: Path) -> LogFile:
    relation = f"read_parquet({_literal(path)})"
    try:
        with duckdb.connect() as engine:
            described = engine.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()  # noqa: S608 the path is quoted
        own = parquet.read_schema(path).names
    except (duckdb.Error, pyarrow.ArrowException, OSError) as cause:
        raise WrongInputError(
            "unreadable_file", f"{path.name} starts like Parquet but cannot be read as such"
        ) from cause
    require_distinct(own)  # DuckDB gives the second of a name another one
    names = {row[0]: row[0] for row in described}
    schema, found = matching_schema(names)
    return LogFile(path, "parquet", schema, typed_columns(schema, found), relation, names)


def _json(path: Path, kind: str, *, is_marked: bool) -> LogFile:
    """After a byte order mark DuckDB would take the first line for a broken one, unless lines mean nothing to it."""
    lines = "unstructured" if is_marked else "newline_delimited"
    layout, tolerance = ("array", "false") if kind == "json" else (lines, "true")
    columns = ", ".join(f"{field}: 'VARCHAR'" for field in JSON_FIELDS)
    relation = f"read_json({_literal(path)}, format = '{layout}', columns = {{{columns}}}, ignore_errors = {tolerance})"
    names = {field: field for field in JSON_FIELDS}
    return LogFile(path, kind, EVENTS, typed_columns(EVENTS, EVENTS.columns), relation, names)


def _csv(path: Path, text: str, *, blank_lines: int) -> LogFile:
    header = csv_header(text)
    places = {field: f"c{header.names.index(name)}" for field, name in header.found.items()}
    columns = ", ".join(f"c{place}: 'VARCHAR'" for place in range(len(header.names)))
    relation = (
        f"read_csv({_literal(path)}, auto_detect = false, header = true, skip = {blank_lines},"
        f" columns = {{{columns}}}, delim = '{header.delimiter}', quote = '\"', escape = '\"',"
        " ignore_errors = true, store_rejects = true)"
    )
    every = {name: f"c{header.names.index(name)}" for name in header.names}
    return LogFile(path, "csv", header.schema, typed_columns(header.schema, places), relation, every)


@dataclass(frozen=True)
class CsvHeader:
    """The first line of a CSV log: its names in order, what stands between them, and which of our fields they are."""

    names: Sequence[str]
    delimiter: str
    schema: Schema
    found: Mapping[str, str]


def csv_header(text: str) -> CsvHeader:
    """The header that `text` begins with. Raises WrongInputError("unknown_columns")."""
    first_line = text.splitlines()[0]
    delimiter = max(",;\t", key=first_line.count)
    names = next(csv.reader(io.StringIO(first_line), delimiter=delimiter))
    require_distinct(names)
    schema, found = matching_schema(names)
    return CsvHeader(names, delimiter, schema, found)


def _blank_records(path: Path) -> list[int]:
    """Numbers of the records that are empty lines; a line break within quotes ends no record."""
    blanks, record, quoted = [], 0, False
    with path.open("rb") as file:
        for line in file:
            if not quoted and not line.strip(b"\r\n"):
                blanks.append(record)
            quoted ^= line.count(b'"') % 2 == 1
            record += not quoted
    return blanks


def _literal(path: Path) -> str:
    """The path as SQL; signs that would make it a pattern over many files stand for themselves."""
    return _text_literal(re.sub(r"([*?\[])", r"[\1]", str(path.resolve())))


def _text_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
