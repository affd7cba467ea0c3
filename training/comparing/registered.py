"""Models by the names that people give: a version of a registry, what one of its pointers names, or a folder.

And which version a registry's shadow is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.model_store import BadPublicKey, public_keys
from risk_scorer.adapters.registry_places import BadPlace, PlaceAway
from risk_scorer.core.artefact import load
from risk_scorer.core.model import Model
from risk_scorer.core.registry import POINTERS, SHADOW, Pointer, PointerName
from risk_scorer.core.signatures import BadArtefact
from training.publish import public_bytes, signing_key
from training.refusals import UnreachableError, WrongInputError
from training.registry.journal import Act, newest_pointer, told
from training.scoring_run import Judge, opened_model


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Somebody names the version that is to shadow (None: none). `at` is epoch seconds."""

    registry: str
    public_key: Path
    key: Path
    version: str | None
    by: str
    reason: str
    at: float


@contextlib.contextmanager
def opened(address: str, public_key: Path) -> Iterator[ModelRegistry]:
    """The registry at that address; what is wrong with it is told by a code.

    Raises WrongInputError: bad_registry, bad_public_key, or what is wrong with something that is signed;
    UnreachableError("registry_unavailable"). So it does where the block reads.
    """
    try:
        yield ModelRegistry.at(address, public_keys([str(public_key)]))
    except BadPlace as cause:
        raise WrongInputError("bad_registry", str(cause)) from cause
    except BadPublicKey as cause:
        raise WrongInputError("bad_public_key", f"{public_key} holds no Ed25519 public key") from cause
    except BadArtefact as cause:
        raise WrongInputError(cause.code, f"what stands in {address} cannot be used: {cause.message}") from cause
    except PlaceAway as cause:
        why = cause.strerror or type(cause).__name__
        raise UnreachableError("registry_unavailable", f"{address} does not answer: {why}") from cause


def model_named(name: str, registry: str, public_key: Path) -> Model:
    """The checked model of that version, of the version that `active` or `shadow` points at, or of that folder.

    Raises: as `opened`; WrongInputError("no_model").
    """
    if name not in POINTERS and Path(name).is_dir():
        return opened_model(Judge(Path(name), public_key))
    with opened(registry, public_key) as place:
        version = _pointed_at(place, name) if name in POINTERS else name
        if version is None:
            raise WrongInputError("no_model", f"{name} points at no version of {registry}")
        return _version(place, version, registry)


def shadowed(naming: Naming) -> dict[str, Any]:
    """Have that version shadow, or none; the facts to tell. Naming the one that shadows already changes nothing.

    Raises: as `opened`; WrongInputError: no_signing_key, bad_signing_key, no_model; RefusedError.
    """
    if not naming.key.is_file():
        raise WrongInputError("no_signing_key", f"there is no signing key {naming.key}")
    key = signing_key(naming.key)
    with opened(naming.registry, naming.public_key) as place:
        if public_bytes(key) not in place.public_keys:
            raise WrongInputError("untrusted_key", f"{naming.key} is not the other half of {naming.public_key}")
        if naming.version is not None:
            _version(place, naming.version, naming.registry)
        journal = place.journal()
        now = newest_pointer(journal, SHADOW)
        before = None if now is None else now.model_version
        facts = {"shadow": naming.version, "before": before, "registry": naming.registry}
        if before == naming.version:
            return {**facts, "changed": False}
        act = Act(
            kind="shadow",
            model_version=naming.version,
            at=naming.at,
            by=naming.by,
            reason=naming.reason,
            moves=SHADOW,
            previous=before,
        )
        return {**facts, "changed": True, "sequence": told(place, act, key, journal=journal).sequence}


def _pointed_at(place: ModelRegistry, name: str) -> str | None:
    named: PointerName = "active" if name == "active" else "shadow"
    pointer: Pointer | None = place.pointer(named)
    return None if pointer is None else pointer.model_version


def _version(place: ModelRegistry, version: str, registry: str) -> Model:
    missing = WrongInputError("no_model", f"{version} is neither a version in {registry} nor a folder")
    if not (len(version) == 12 and set(version) <= set("0123456789abcdef")):
        raise missing
    try:
        return load(place.version_files(version), place.public_keys)
    except FileNotFoundError as cause:
        raise missing from cause
