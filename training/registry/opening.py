"""Opens a registry for a command, and says in a command's own refusals what keeps it from that."""

import contextlib
import errno
import getpass
from collections.abc import Iterator, Sequence
from pathlib import Path

from plumbing.clock import SystemClock
from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.published_folder import BadPublicKey, public_keys
from risk_scorer.adapters.registry_places import BadPlace, PlaceAway
from risk_scorer.core.signatures import BadArtefact
from training.publish import public_bytes, signing_key
from training.refusals import RefusedError, UnreachableError, WrongInputError, text_of
from training.registry.desk import Desk
from training.registry.lines import LINES, KindName

LONGEST = 1000
DENIED = frozenset({errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT})
"""What the machine denies for as long as nobody changes it: the registry is there, and asking again is no remedy."""


@contextlib.contextmanager
def opened_desk(
    address: str,
    key: Path,
    *,
    by: str | None = None,
    trusted: Sequence[Path] = (),
    now: float | None = None,
    kind: KindName = "login",
) -> Iterator[Desk]:
    """The registry at an address, to be written with this key; what `key` or a `trusted` one signed is believed.

    Acts are about models of that kind.

    Raises WrongInputError, RefusedError and UnreachableError, for what the block raises too.
    """
    if not key.is_file():
        raise WrongInputError("no_signing_key", f"there is no signing key {key}; `train` makes one")
    private = signing_key(key)
    believed = [public_bytes(private), *_keys(trusted)]
    with answering(address):
        yield Desk(
            registry=_registry_at(address, believed),
            key=private,
            now=SystemClock().now() if now is None else now,
            by=text_of("--by", by or _login_name())[:LONGEST],
            line=LINES[kind],
        )


@contextlib.contextmanager
def opened_registry(address: str, public_key: Path) -> Iterator[ModelRegistry]:
    """The registry at an address, to be read; what this key signed is believed. Raises as `opened_desk` does."""
    keys = _keys([public_key])
    with answering(address):
        yield _registry_at(address, keys)


@contextlib.contextmanager
def answering(address: str) -> Iterator[None]:
    try:
        yield
    except BadPlace as error:
        raise WrongInputError("bad_registry", str(error)) from error
    except BadArtefact as error:
        raise RefusedError(error.code, error.message) from error
    except PlaceAway as error:
        if error.errno in DENIED:
            raise OSError(error.errno, error.strerror, address) from error
        raise UnreachableError("registry_unavailable", f"{address} does not answer: {error.strerror}") from error


def short_reason(reason: str) -> str:
    """The reason, if the journal can keep it. Raises WrongInputError: long_reason, bad_text."""
    if len(reason) > LONGEST:
        raise WrongInputError("long_reason", f"--reason may have {LONGEST} characters")
    return text_of("--reason", reason)


def _registry_at(address: str, keys: Sequence[bytes]) -> ModelRegistry:
    if "://" not in address and Path(address).exists() and not Path(address).is_dir():
        raise WrongInputError("bad_registry", f"{address or 'nothing'} is not a folder")
    return ModelRegistry.at(address, keys)


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
