"""What `--input` names: files, folders of files, patterns, the scorer's database, or several of these as one log.

Files are read one after the other in the order in which they were named, those of a folder or a pattern in the order of
their paths; memory stays bounded by a batch.
"""

import contextlib
import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from plumbing.postgresql import is_postgresql
from training.event_log import EventLog
from training.log_files import LogFile, open_log
from training.log_schemas import Schema
from training.read_only import file_of, is_database, name_of
from training.refusals import WrongInputError

Part = LogFile | EventLog
_IGNORED = (".", "_")
"""What a file or folder below a given one begins with that is no part of a log, as Hive and Spark have it."""


@dataclass(frozen=True)
class Parts:
    """Several logs as one; `path` names them for people."""

    parts: Sequence[Part]
    path: PurePath

    @property
    def schema(self) -> Schema:
        """The schema of all of them."""
        return self.parts[0].schema

    @contextlib.contextmanager
    def batches(self) -> Iterator["PartsRows"]:
        """The rows of one after the other. Raises what reading each of them raises."""
        yield PartsRows(self.parts)


@dataclass
class PartsRows:
    """An iterable of Arrow batches that knows, once exhausted, which records could not be parsed at all."""

    parts: Sequence[Part]
    malformed: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        before = 0
        for part in self.parts:
            with part.batches() as rows:
                read = 0
                for batch in rows:
                    read += len(batch)
                    yield batch
                rejected = rows.malformed_rows()
            self.malformed += [before + place for place in rejected]
            before += read + len(rejected)

    def malformed_rows(self) -> list[int]:
        """Places in the whole log (first row is 0) of the records that their reader rejected."""
        return self.malformed


def open_logs(sources: Sequence[str]) -> Part | Parts:
    """The log that these name together, ready to be read; each file is looked at, none is read yet.

    Raises WrongInputError: bad_source, no_such_file, not_a_file, unreadable_file, empty_file, empty_folder,
    unknown_columns, mixed_schemas.
    """
    parts = [part for source in dict.fromkeys(sources) for part in _opened(source)]
    schemas = {part.schema.name: part.path for part in parts}
    if len(schemas) > 1:
        (name, path), (other, another) = list(schemas.items())[:2]
        raise WrongInputError("mixed_schemas", f"{path.name} is in the schema {name}, {another.name} in {other}")
    if len(parts) == 1:
        return parts[0]
    name = PurePath(sources[0]).name
    return Parts(parts, PurePath(name if len(sources) == 1 else f"{name} and {len(sources) - 1} more"))


def one_address(sources: Sequence[str]) -> str:
    """What Spark is to read. Raises WrongInputError("usage") for what it does not, before it is started."""
    if len(sources) != 1:
        raise WrongInputError("usage", "Spark takes one --input: a folder, or a pattern such as logins/{a,b}*")
    if is_database(sources[0]):
        raise WrongInputError("usage", "the scorer's database is read with --engine duckdb")
    return sources[0]


def files_named(source: str) -> list[Path]:
    """The files that this names, which nothing may be written to. Raises WrongInputError as `open_logs`."""
    if is_postgresql(source):
        return []
    return [file_of(source)] if is_database(source) else _files(source)


def _opened(source: str) -> list[Part]:
    if is_database(source):
        return [EventLog(source, PurePath(name_of(source)))]
    if not source.strip():  # what a variable of a shell is that was never set; it would be the folder one is in
        raise WrongInputError("bad_source", "the name of a log is empty")
    if "://" in source:
        raise WrongInputError("bad_source", "a log is a file, a folder, a pattern, sqlite:///… or postgresql://…")
    files = _files(source)
    return [_named(path) for path in files] if len(files) > 1 else [open_log(path) for path in files]


def _named(path: Path) -> LogFile:
    """One of many: what is wrong with it says which one it is."""
    try:
        return open_log(path)
    except WrongInputError as decline:
        if path.name in decline.message:
            raise
        raise WrongInputError(decline.code, f"{path.name}: {decline.message}") from decline


def _files(source: str) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        return _below(path)
    if path.exists() or not glob.has_magic(source):
        return [path]
    found = [Path(match) for match in sorted(glob.glob(source, recursive=True))]
    files = [file for match in found for file in (_below(match) if match.is_dir() else [match])]
    if not files:
        raise WrongInputError("no_such_file", f"nothing matches {source}")
    return list(dict.fromkeys(files))


def _below(folder: Path) -> list[Path]:
    """Every file below the folder, in the order of the paths; each must be a part of the log, or be named `_…`."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(_IGNORED)]
        found += [Path(place, name) for name in names if not name.startswith(_IGNORED)]
    if not found:
        raise WrongInputError("empty_folder", f"there is no file in {folder}")
    return sorted(found)


def _refuse(problem: OSError) -> None:
    raise WrongInputError("unreadable_file", f"{problem.filename} cannot be opened: {problem.strerror}") from problem
