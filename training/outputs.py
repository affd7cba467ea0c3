"""Files the training commands write, whole or not at all: an imported log, the scores of a log."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from training.log_sources import files_named
from training.refusals import WrongInputError
from training.sources import EventTable

if TYPE_CHECKING:
    from training.columns.log import CodedLog

ROWS_AT_ONCE = 200_000
WORST_SCORE = 100.0
"""What a row gets that could not be read: nobody can say that it was harmless."""

_TEXTS = ("user_id", "ip", "user_agent", "device_id", "country", "region", "city", "ja4", "ja4h", "ja4s", "probe")
_OPTIONAL_TEXTS = ("browser", "os", "device_type")


@contextlib.contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of `path` when the block ends well and is removed otherwise.

    Raises WrongInputError("unwritable_output").
    """
    if path.is_dir():
        raise WrongInputError("unwritable_output", f"{path} is a directory")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise WrongInputError("unwritable_output", f"{path} is no regular file, and would be replaced by one")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"{path} cannot be written: {cause.strerror or cause}") from cause
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def require_another_file(output: Path, source: Path) -> None:
    """Raises WrongInputError when the output would take the place of the log that it is made from."""
    if output.exists() and source.exists() and output.samefile(source):
        raise WrongInputError("output_is_input", f"{output} is what is read; write to another file")


def require_apart(outputs: Iterable[Path | None], sources: Iterable[Path | str | None]) -> None:
    """Raises WrongInputError where an output would take the place of what is read: a file, or one of many of a log."""
    standing = [output for output in outputs if output is not None and output.exists()]
    if standing:
        files = [file for source in sources if source is not None for file in files_named(str(source))]
        for output, file in itertools.product(standing, files):
            require_another_file(output, file)


def write_events(log: "EventTable | CodedLog", path: Path) -> None:
    """The log as Parquet in our event schema, in time order, with the columns that it has and no others.

    A coded log is written some rows at a time, so that its texts are never in memory together.
    """
    if isinstance(log, EventTable):
        with replaced_whole(path) as draft:
            parquet.write_table(_events(log), draft, compression="zstd")
        return
    pieces = (np.arange(start, min(start + ROWS_AT_ONCE, len(log))) for start in range(0, len(log), ROWS_AT_ONCE))
    with replaced_whole(path) as draft, contextlib.ExitStack() as opened:
        writer = None
        for rows in pieces:
            table = _events(log.table(rows))
            if writer is None:
                writer = opened.enter_context(parquet.ParquetWriter(draft, table.schema, compression="zstd"))
            writer.write_table(table)


def _events(table: EventTable) -> Any:
    columns: dict[str, Any] = {
        "timestamp": pyarrow.array(_microseconds(table.timestamp), pyarrow.timestamp("us", tz="UTC")),
        "success": table.success,
    }
    for name in (*_TEXTS, *_OPTIONAL_TEXTS):
        if name in table.present:
            columns[name] = pyarrow.array(getattr(table, name), pyarrow.string())
    if "asn" in table.present:
        columns["asn"] = pyarrow.array(table.asn, pyarrow.int64(), mask=table.asn == 0)
    for name in ("ip_rep", "rtt_ms"):
        if name in table.present:
            values = getattr(table, name)
            columns[name] = pyarrow.array(values, pyarrow.float64(), mask=np.isnan(values))
    return pyarrow.table(columns)


def write_scores(table: EventTable, scores: NDArray[np.float64], path: Path) -> int:
    """One float column `risk` in the order of the log's file; returns how many rows got WORST_SCORE unread."""
    risk = np.full(table.rows_in_file, WORST_SCORE)
    risk[table.row_order] = scores
    with replaced_whole(path) as draft:
        parquet.write_table(pyarrow.table({"risk": risk}), draft, compression="zstd")
    return table.rows_in_file - len(table)


def _microseconds(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.round(seconds * 1e6).astype(np.int64)
