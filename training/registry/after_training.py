"""What `train --registry` does beside the training: look at the registry before it, register the candidate after it."""

from pathlib import Path
from typing import Any

from risk_scorer.adapters.model_registry import ModelRegistry
from training.registry.lines import KindName
from training.registry.opening import answering, opened_desk


def require_registry(address: str, key: Path) -> None:
    """Told before the minutes of work, not after: the registry answers, and what stands there is signed by this key.

    A key that is yet to be made fits a registry that is yet to be filled. Raises as `opened_desk` does.
    """
    if key.exists():
        with opened_desk(address, key) as desk:
            desk.registry.journal()
    else:
        with answering(address):
            ModelRegistry.at(address, []).journal()


def registered(
    address: str, key: Path, model_dir: Path, *, by: str | None, reason: str, kind: KindName = "login"
) -> dict[str, Any]:
    """The published model as a candidate of the registry; what to tell. Raises as `opened_desk` does."""
    with opened_desk(address, key, by=by, kind=kind) as desk:
        version, is_new = desk.register(model_dir, reason=reason)
    return {"model_version": version, "registry": address, "is_new": is_new}
