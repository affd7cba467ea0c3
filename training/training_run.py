"""One run of `risk-training train`: the log, the checks on what was asked, the fit, and what to say about it."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from training.refusals import WrongInputError
from training.reports import import_facts, iso
from training.sources import EventTable, read_events, without

Progress = Callable[[str, float], None]
"""Called with the step being done and the share of it that is finished, 0-1."""


def trained(
    source: Path,
    *,
    model_dir: Path,
    until: str | None,
    left_out: Sequence[str],
    seed: int,
    key: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Train on the log up to `until` and publish into `model_dir`; returns the facts to tell.

    Raises WrongInputError for what was asked, TrainingRefusedError when the model is not fit to be published.
    """
    moment = None if until is None else moment_of(until)
    _check_places(model_dir, key)
    progress("read", 0.0)
    table = without(read_events(source, until=moment), left_out)
    if moment is not None:
        _check_until(table, moment)
    progress("read", 1.0)
    from training.fit import train  # scikit-learn and numba load when there is something to fit

    try:
        report = train(table, model_dir=model_dir, key_path=key, seed=seed, until=moment, progress=progress)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"{model_dir} or {key} cannot be written: {cause}") from cause
    return {**import_facts(table), "model": str(model_dir), **report.facts()}


def moment_of(text: str) -> float:
    """Epoch seconds of a day or moment in ISO 8601, UTC unless it says otherwise.

    Raises WrongInputError("bad_date").
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as cause:
        raise WrongInputError("bad_date", "--until takes a date like 2020-09-01 or 2020-09-01T12:00:00Z") from cause
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _check_until(table: EventTable, until: float) -> None:
    """A date after the log's end holds nothing back: a slip of the pen that would train on the test months."""
    if table.held_back == 0:
        raise WrongInputError(
            "until_after_log", f"the log ends at {iso(float(table.timestamp[-1]))}, before --until {iso(until)}"
        )


def _check_places(model_dir: Path, key: Path) -> None:
    """Told before the minutes of work, not after."""
    if model_dir.exists() and not model_dir.is_dir():
        raise WrongInputError("unwritable_output", f"{model_dir} is not a folder")
    if key.is_dir():
        raise WrongInputError("unwritable_output", f"{key} is a folder, not a key file")
    if key.resolve().is_relative_to(model_dir.resolve()):
        raise WrongInputError("key_in_model_dir", "the signing key must not lie in the model's folder")
