"""One run of `risk-training export-labels`: labels from a scorer's database or a running scorer into one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk_scorer.adapters.label_file import write_whole
from training.database_labels import lines_of
from training.labelling.asking import credential_of, lines_from
from training.labelling.label_file import read_label_file
from training.labelling.report import counts_by_source
from training.labelling.standing import standing
from training.outputs import require_apart
from training.read_only import is_database
from training.refusals import WrongInputError


@dataclass(frozen=True)
class Request:
    """What was asked for: exactly one of `database` and `scorer`, which wants a `credential` file."""

    out: Path
    database: str | None
    scorer: str | None
    credential: Path | None
    may_replace: bool


def exported(request: Request) -> dict[str, Any]:
    """Writes the file, whole or not at all and closed to others; what is in it.

    Raises WrongInputError, UnreachableError with a stable code.
    """
    lines = _lines(request)
    if request.out.exists() and not request.may_replace:
        raise _exists(request.out)
    require_apart([request.out], [request.database, request.credential])
    try:
        write_whole(request.out, lines, may_replace=request.may_replace)
    except FileExistsError as cause:
        raise _exists(request.out) from cause
    except OSError as cause:
        raise WrongInputError(
            "unwritable_output", f"{request.out} cannot be written: {cause.strerror or cause}"
        ) from cause
    file = read_label_file(request.out)
    found = standing(file.words)
    return {
        "written": str(request.out),
        "logins": len(file.words),
        "sha256": file.sha256,
        "standing": counts_by_source(found.labels),
        "contradicted": sum(label.is_contradicted for label in found.labels),
        "withdrawn": found.withdrawn,
    }


def _lines(request: Request) -> Iterator[bytes]:
    if (request.database is None) == (request.scorer is None):
        raise WrongInputError("usage", "give either --database or --scorer")
    if request.database is not None:
        if request.credential is not None:
            raise WrongInputError("usage", "--credential goes with --scorer")
        if not is_database(request.database):
            raise WrongInputError("bad_source", "--database takes sqlite:///… or postgresql://…")
        return lines_of(request.database)
    if request.credential is None or request.scorer is None:
        raise WrongInputError("usage", "--scorer wants --credential, a file with a credential of the scope `read`")
    return lines_from(request.scorer, credential_of(request.credential))


def _exists(path: Path) -> WrongInputError:
    return WrongInputError("output_exists", f"{path} exists; --force replaces it")
