"""What a calibration starts from: the model as the scorer would take it, the log, and which of its rows count."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from risk_scorer.adapters.model_store import BadPublicKey, public_keys, read_files
from risk_scorer.core.artefact import HISTORIES, BadArtefact, histories, load
from risk_scorer.core.model import Model
from training.calibrating.held_out import Wanted, known_histories
from training.calibrating.recarded import CONFIRMED
from training.comparing.on_log import Log, confirmed_rows, legitimate_rows
from training.evaluation.labels import texts_of
from training.evaluation.span import judged_from, overlap
from training.refusals import WrongInputError
from training.sources import EventTable
from training.stream import Histories
from training.training_run import moment_of

Flags = NDArray[np.bool_]


def opened_at(model_dir: Path, public_key: Path) -> tuple[Mapping[str, bytes], Model]:
    """The model's files and the model, checked as the scoring service checks it. Raises WrongInputError."""
    try:
        files = read_files(model_dir)
        return files, load(files, public_keys([str(public_key)]))
    except FileNotFoundError as cause:
        raise WrongInputError("no_model", f"there is no signed model in {model_dir}") from cause
    except BadPublicKey as cause:
        raise WrongInputError("bad_public_key", f"{public_key} holds no Ed25519 public key") from cause
    except BadArtefact as cause:
        raise WrongInputError(cause.code, f"the model in {model_dir} cannot be used: {cause}") from cause


def wanted_rows(log: Log, model: Model, starts: str | None) -> tuple[Wanted, tuple[str, ...]]:
    """The rows to weigh, and what to know of them: by the log's labels where it has some, else every success that is no
    probe; never what people found to be a compromise. Raises WrongInputError("nothing_to_judge" or "bad_date")."""
    table, truth, span = log.table, log.truth, model.manifest.span
    schema = "" if truth is None else truth.schema
    begins = judged_from(schema, span, table.timestamp) if starts is None else moment_of(starts, option="--from")
    inside = table.timestamp >= begins
    confirmed = confirmed_rows(log)
    families = {} if truth is None else {name: rows & inside & ~confirmed for name, rows in truth.families.items()}
    wanted = Wanted(
        first=int(inside.argmax()) if inside.any() else len(inside),
        legitimate=legitimate_rows(log, confirmed) & inside,
        families={CONFIRMED: confirmed & inside, **families},
        taught=~confirmed & (table.probe == ""),
    )
    notes = () if truth is not None else ("the log has no labels: every success is taken as the person's own",)
    warning = overlap(begins, span, table.timestamp)
    return wanted, (*notes, *([warning] if warning else []))


def known_before(model: Model, files: Mapping[str, bytes], table: EventTable) -> Histories:
    """What the scorer knew when the log began: the model's histories where the log follows the training, and nothing
    where the log itself goes that far back."""
    if float(table.timestamp[0]) <= model.manifest.span.last:
        return {}
    return known_histories(histories(files[HISTORIES]), frozenset(table.user_id.tolist()))


def column_of(source: str, name: str, table: EventTable) -> NDArray[np.object_]:
    """The values of a column of the log. Raises WrongInputError: `usage` for what is no file, `unknown_columns`."""
    if not Path(source).is_file():
        raise WrongInputError("usage", "--per reads a column of one file: give the logins as one CSV or Parquet file")
    return texts_of(Path(source), name, table)
