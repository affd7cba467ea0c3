"""Keeps an evaluation with the version that it is about, signed, where scorers' consoles find it."""

from pathlib import Path

import msgspec

from risk_scorer.adapters.model_registry import MOST_EVALUATION_BYTES, evaluation_path
from risk_scorer.adapters.registry_places import ChangedMeanwhile
from risk_scorer.core.evaluation import KEPT_FORMAT, Kept, encode, evaluation_of
from training.refusals import RefusedError, WrongInputError
from training.registry.desk import Desk, is_registered
from training.registry.sealing import sealed_evaluation

TRIES = 3


def keep(desk: Desk, source: Path) -> str:
    """The evaluation in that file is kept with its version, in place of an earlier one; the version.

    Raises WrongInputError("no_such_file"), RefusedError(`no_such_version`, `too_large`, `registry_changed`),
    BadArtefact(`bad_evaluation`), PlaceAway.
    """
    if not source.is_file():
        raise WrongInputError("no_such_file", f"there is no file {source}")
    compact = msgspec.json.encode(msgspec.json.decode(_read(source)))
    version = evaluation_of(compact).model.version
    if not is_registered(desk.registry.journal(), version, desk.line):
        raise RefusedError("no_such_version", f"{version} is not registered; `list` shows what is")
    kept = Kept(format=KEPT_FORMAT, model_version=version, at=desk.now, by=desk.by, evaluation=msgspec.Raw(compact))
    stored = encode(sealed_evaluation(kept, desk.key))
    if len(stored) > MOST_EVALUATION_BYTES:
        raise RefusedError("too_large", f"an evaluation may have {MOST_EVALUATION_BYTES} bytes")
    for _ in range(TRIES):
        try:
            desk.registry.place.replace(evaluation_path(version), stored, expected=desk.registry.evaluation(version))
        except ChangedMeanwhile:
            continue
        return version
    raise RefusedError("registry_changed", "somebody else keeps an evaluation of it at this moment; do it again")


def _read(source: Path) -> bytes:
    """The file's bytes, if they are JSON. Raises WrongInputError("unreadable_file")."""
    try:
        content = source.read_bytes()
        msgspec.json.decode(content)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise WrongInputError("unreadable_file", f"{source} is no JSON that can be read") from error
    return content
