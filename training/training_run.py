"""One run of `risk-training train`: the log, the checks on what was asked, the fit, and what to say about it."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.refusals import WrongInputError
from training.reports import import_facts, iso
from training.sources import EventTable, read_events

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of the whole run that is finished."""


def trained(
    source: Path, *, model_dir: Path, until: str | None, seed: int, key: Path, progress: Progress
) -> dict[str, Any]:
    """Train on the log up to `until` and publish into `model_dir`; returns the facts to tell.

    Raises WrongInputError for what was asked, TrainingRefusedError when the model is not fit to be published.
    """
    from training.fit import train

    moment = None if until is None else moment_of(until)
    _check_places(model_dir, key)
    progress("reading the log", 0.0)
    table = read_events(source, until=moment)
    if moment is not None:
        _check_until(table, moment)
    report = train(table, model_dir=model_dir, key_path=key, seed=seed, until=moment, progress=progress)
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
