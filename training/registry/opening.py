"""Opens a registry for a command, and says in a command's own refusals what keeps it from that."""

import contextlib
import getpass
from collections.abc import Iterator, Sequence
from pathlib import Path

from plumbing.clock import SystemClock
from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.published_folder import BadPublicKey, public_keys
from risk_scorer.adapters.registry_places import BadPlace, PlaceAway
from risk_scorer.core.signatures import BadArtefact
from training.publish import public_bytes, signing_key
from training.refusals import RefusedError, UnreachableError, WrongInputError
from training.registry.desk import Desk

LONGEST = 1000


@contextlib.contextmanager
def opened_desk(
    address: str, key: Path, *, by: str | None = None, trusted: Sequence[Path] = (), now: float | None = None
) -> Iterator[Desk]:
    """The registry at an address, to be written with this key; what `key` or a `trusted` one signed is believed.

    Raises WrongInputError, RefusedError and UnreachableError, for what the block raises too.
    """
    if not key.is_file():
        raise WrongInputError("no_signing_key", f"there is no signing key {key}; `train` makes one")
    private = signing_key(key)
    believed = [public_bytes(private), *_keys(trusted)]
    with _answering(address):
        yield Desk(
            registry=ModelRegistry.at(address, believed),
            key=private,
            now=SystemClock().now() if now is None else now,
            by=(by or _login_name())[:LONGEST],
        )


@contextlib.contextmanager
def opened_registry(address: str, public_key: Path) -> Iterator[ModelRegistry]:
    """The registry at an address, to be read; what this key signed is believed. Raises as `opened_desk` does."""
    keys = _keys([public_key])
    with _answering(address):
        yield ModelRegistry.at(address, keys)


@contextlib.contextmanager
def _answering(address: str) -> Iterator[None]:
    try:
        yield
    except BadPlace as error:
        raise WrongInputError("bad_registry", str(error)) from error
    except BadArtefact as error:
        raise RefusedError(error.code, error.message) from error
    except PlaceAway as error:
        raise UnreachableError("registry_unavailable", f"{address} does not answer: {error.strerror}") from error


def _keys(paths: Sequence[Path]) -> list[bytes]:
    try:
        return public_keys([str(path) for path in paths])
    except BadPublicKey as error:
        raise WrongInputError("bad_public_key", f"{', '.join(map(str, paths))}: no Ed25519 public key") from error


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
