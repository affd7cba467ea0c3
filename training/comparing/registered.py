"""Models by the names that people give: a version of a registry, what one of its pointers names, or a folder."""

from __future__ import annotations

from pathlib import Path

from risk_scorer.core.artefact import load
from risk_scorer.core.model import Model
from risk_scorer.core.registry import POINTERS
from training.refusals import RefusedError, WrongInputError
from training.registry.journal import NEWEST
from training.registry.opening import opened_registry
from training.registry.views import version_named
from training.scoring_run import Judge, opened_model


def model_named(name: str, registry: str, public_key: Path) -> Model:
    """The checked model of that version, of the one that `active`, `shadow` or `newest` names, or of that folder.

    Raises WrongInputError("no_model"), and as `opened_registry`.
    """
    if name not in (*POINTERS, NEWEST) and Path(name).is_dir():
        return opened_model(Judge(Path(name), public_key))
    missing = WrongInputError("no_model", f"{name} is neither a version in {registry} nor a folder")
    with opened_registry(registry, public_key) as place:
        try:
            return load(place.version_files(version_named(place, name)), place.public_keys)
        except FileNotFoundError as cause:
            raise missing from cause
        except RefusedError as cause:  # it was never registered
            raise missing from cause
