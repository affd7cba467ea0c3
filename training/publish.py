"""Writes a model to a directory so that a reader finds the old one or the new one, whole and signed, and nothing else.

Every file gets a new name's worth of bytes first; the manifest and then its signature are moved last. A reader that
comes in between sees hashes that do not fit, refuses, and looks again.
"""

import base64
import contextlib
import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from risk_scorer.core.artefact import MANIFEST, SIGNATURE, Signature, key_id
from training.refusals import WrongInputError

KEY_BYTES = 32
"""Source: RFC 8032, section 5.1.5."""


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key at `path`; made on first use, readable by its owner alone, with its public half beside it (`.pub`).

    Raises WrongInputError("bad_signing_key") for a file that is not one.
    """
    beside = path.with_suffix(".pub")
    if beside == path:
        raise WrongInputError("bad_signing_key", f"{path.name} is the name of a public key, not of a signing key")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        made = Ed25519PrivateKey.generate()
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(base64.b64encode(_private_bytes(made)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)  # half a key would be in the way of every later training
            raise
    key = read_key(path)
    public = base64.b64encode(public_bytes(key)) + b"\n"
    if not beside.exists() or beside.read_bytes() != public:
        _write(beside, public)
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """The key at `path`, which is there. Raises WrongInputError("bad_signing_key")."""
    try:
        raw = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise WrongInputError("bad_signing_key", f"{path} cannot be read as a signing key") from error
    if len(raw) != KEY_BYTES:
        raise WrongInputError("bad_signing_key", f"{path} is not an Ed25519 key")
    return Ed25519PrivateKey.from_private_bytes(raw)


def _private_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The raw public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signature(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """The content of `manifest.sig`."""
    return msgspec.json.encode(
        Signature(
            algorithm="Ed25519",
            key_id=key_id(public_bytes(key)),
            signature=base64.b64encode(key.sign(manifest)).decode(),
        )
    )


class Written(NamedTuple):
    """A file of a model that was written on the way, being too big to hold, and its SHA-256."""

    path: Path
    sha256: str


@contextlib.contextmanager
def mapped(written: Mapping[str, Written]) -> Iterator[dict[str, Any]]:
    """The content of these files, in pages that the system takes back when it needs them."""
    with contextlib.ExitStack() as stack:
        found = {}
        for name, each in written.items():
            file = stack.enter_context(each.path.open("rb"))
            found[name] = stack.enter_context(contextlib.closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
        yield found


def publish(files: Mapping[str, bytes], model_dir: Path, written: Mapping[str, Written] = MappingProxyType({})) -> None:
    """Puts all files (manifest and signature among them) in place, durably. Raises OSError and leaves the old model.

    What is `written` lies on the same file system and is moved.

    Whoever publishes at the same time waits, so that the folder ends with one of the models and not with both.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    held = os.open(model_dir, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        _put(files, model_dir, written)
        os.fsync(held)
    finally:
        os.close(held)


def _put(files: Mapping[str, bytes], model_dir: Path, written: Mapping[str, Written]) -> None:
    order = [name for name in sorted(files) if name not in (MANIFEST, SIGNATURE)] + [MANIFEST, SIGNATURE]
    drafts = {name: model_dir / f".{name}.part" for name in order}
    try:
        for name in order:
            _write(drafts[name], files[name])
        for name, each in written.items():
            with each.path.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(each.path, model_dir / name)
        for name in order:
            os.replace(drafts[name], model_dir / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
