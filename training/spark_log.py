"""A login log that a Spark cluster reads: a file or a folder at any address the cluster knows, in any kind we read.

The cluster cuts out our columns and hands the rows over partition by partition, in the order of the files' names and
of the rows in them. The texts become values here, by the same statement as those of a file (see `log_schemas`).
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath, PurePosixPath
from typing import Any

import pyarrow

from training.log_files import JSON_FIELDS, csv_header, kind_of, typing_engine
from training.log_schemas import EVENTS, matching_schema, typed_columns
from training.refusals import WrongInputError

ROWS_AT_ONCE = 50_000
BROKEN = "riskgate_malformed"
"""The column in which Spark's readers keep a record that is none."""

_ARROW = {
    "boolean": pyarrow.bool_(),
    "tinyint": pyarrow.int8(),
    "smallint": pyarrow.int16(),
    "int": pyarrow.int32(),
    "bigint": pyarrow.int64(),
    "float": pyarrow.float32(),
    "double": pyarrow.float64(),
}
"""Types that are handed over as they are; anything else as the text that Spark makes of it."""


@dataclass(frozen=True)
class SparkLog:
    """A log as Spark sees it: the columns of `frame` are named as the statement `selected` names them."""

    path: PurePath
    kind: str
    frame: Any
    selected: str
    is_latin: bool = False

    @contextlib.contextmanager
    def batches(self) -> Iterator["SparkRows"]:
        """The rows as Arrow batches of typed columns; here memory is bounded by one partition of Spark's."""
        with typing_engine() as engine:
            yield SparkRows(self, engine)


@dataclass
class SparkRows:
    """An iterable of Arrow batches that knows, once exhausted, which records could not be parsed at all."""

    log: SparkLog
    engine: Any
    malformed: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        schema = pyarrow.schema([(name, _ARROW.get(kind, pyarrow.string())) for name, kind in self._columns()])
        rows = enumerate(self.log.frame.toLocalIterator())
        while piece := list(itertools.islice(rows, ROWS_AT_ONCE)):
            usable = list(self._usable(piece))
            columns = zip(*usable, strict=True) if usable else ([] for _ in schema)
            arrays = [pyarrow.array(values, entry.type) for values, entry in zip(columns, schema, strict=True)]
            self.engine.register("rows_read", pyarrow.table(arrays, schema=schema))
            yield from self.engine.sql(f"SELECT {self.log.selected} FROM rows_read").to_arrow_table().to_batches()  # noqa: S608 our own fields

    def malformed_rows(self) -> list[int]:
        """Places in the log (first row is 0) of the records that Spark's reader, or UTF-8, rejected."""
        return self.malformed

    def _columns(self) -> list[tuple[str, str]]:
        return [(name, kind) for name, kind in self.log.frame.dtypes if name != BROKEN]

    def _usable(self, piece: Iterable[tuple[int, Any]]) -> Iterator[Sequence[Any]]:
        """The rows of the piece without the column of what is broken, which is the last one where there is one."""
        is_text = self.log.kind != "parquet"
        for place, row in piece:
            if not is_text:
                yield row
                continue
            *values, broken = row
            try:
                if broken is not None:
                    raise ValueError
                yield [_utf8(value) for value in values] if self.log.is_latin else values
            except ValueError:
                self.malformed.append(place)


def _utf8(value: str | None) -> str | None:
    """A text whose bytes were read one character each. Raises ValueError for what is no UTF-8."""
    return value if value is None or value.isascii() else value.encode("latin-1").decode()


def open_spark_log(session: Any, source: str) -> SparkLog:
    """The log at `source`, an address as the cluster knows it.

    Raises WrongInputError: no_such_file, unreadable_file, empty_file, unknown_columns; and what Spark raises.
    """
    path = PurePosixPath(source)
    lines = session.read.text(source).select("value").where("trim(value) <> ''").limit(1).collect()
    if not lines:
        raise WrongInputError("empty_file", f"{path.name} is empty")
    kind, text = kind_of(lines[0][0].encode("utf-8", "replace")[:_LONGEST_HEADER], path.name)
    return _READERS[kind](session, source, path, text)


_LONGEST_HEADER = 65_536


def _parquet(session: Any, source: str, path: PurePath, _text: str) -> SparkLog:
    frame = session.read.parquet(source)
    schema, found = matching_schema(frame.columns)
    kinds = dict(frame.dtypes)
    places = {field: f"c{place}" for place, field in enumerate(found)}
    taken = [f"{_as_handed_over(_quoted(name), kinds[name])} AS {places[field]}" for field, name in found.items()]
    return SparkLog(path, "parquet", _in_order(frame, taken), typed_columns(schema, places))


def _as_handed_over(column: str, kind: str) -> str:
    return column if kind in _ARROW else f"CAST({column} AS STRING)"


def _json(session: Any, source: str, path: PurePath, text: str) -> SparkLog:
    columns = ", ".join(f"{name} STRING" for name in (*JSON_FIELDS, BROKEN))
    is_array = text.startswith("[")
    reader = session.read.schema(columns).options(mode="PERMISSIVE", columnNameOfCorruptRecord=BROKEN)
    frame = reader.option("multiLine", is_array).json(source)
    taken = [*EVENTS.columns, BROKEN]
    return SparkLog(
        path, "json", _in_order(frame, taken), typed_columns(EVENTS, {name: name for name in EVENTS.columns})
    )


def _csv(session: Any, source: str, path: PurePath, text: str) -> SparkLog:
    """Each byte is read as one character and joined to UTF-8 here: Spark would put a sign in the place of bad bytes."""
    header = csv_header(text)
    columns = [f"c{place}" for place in range(len(header.names))]
    frame = (
        session.read.schema(", ".join(f"{name} STRING" for name in (*columns, BROKEN)))
        .options(header=True, enforceSchema=True, sep=header.delimiter, quote='"', escape='"', multiLine=True)
        .options(mode="PERMISSIVE", columnNameOfCorruptRecord=BROKEN, encoding="ISO-8859-1", maxCharsPerColumn=-1)
        .csv(source)
    )
    places = {field: columns[header.names.index(name)] for field, name in header.found.items()}
    frame = _in_order(frame, [*sorted(set(places.values())), BROKEN])
    return SparkLog(path, "csv", frame, typed_columns(header.schema, places), is_latin=True)


_READERS: Mapping[str, Callable[[Any, str, PurePath, str], SparkLog]] = {
    "parquet": _parquet,
    "json": _json,
    "json lines": _json,
    "csv": _csv,
}


def _in_order(frame: Any, taken: Sequence[str]) -> Any:
    """These columns, in the order of the files' names and of the rows in each, a bounded number of rows a partition.

    Partitions are handed over whole. Left to itself Spark makes a single one of many small files, and of a Parquet file
    of a million rows, for which Java's memory is too small as it is set up.
    """
    rows = frame.count()
    if rows <= ROWS_AT_ONCE and len(frame.inputFiles()) < 2:
        return frame.selectExpr(*taken)
    order = ["_metadata.file_path AS riskgate_file", "monotonically_increasing_id() AS riskgate_row"]
    places = ("riskgate_file", "riskgate_row")
    names = [each.rpartition(" AS ")[2] for each in taken]
    pieces = frame.selectExpr(*taken, *order).repartitionByRange(max(1, -(-rows // ROWS_AT_ONCE)), *places)
    return pieces.sortWithinPartitions(*places).select(*names)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
