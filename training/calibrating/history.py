"""Who changed which marks and when: one signed line for each change, beside the signing key, never rewritten.

What was found, and on which logins, is in the model itself, the same for whoever repeats it; who did it and when is
here.
"""

import base64
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from risk_scorer.core.manifest import CalibrationNumbers, MarkNumbers
from training.refusals import WrongInputError

FILE: Final = "calibrations.jsonl"


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At `at` (ISO 8601, UTC) `by` made `model_version` out of `of`, for `reason`; `first` to `last` is the span of the
    logins in epoch seconds and `data` their SHA-256. The signature is over the line without it."""

    at: str
    by: str
    reason: str
    model_version: str
    of: str
    data: str
    first: float
    last: float
    before: dict[str, MarkNumbers]
    after: dict[str, MarkNumbers]
    signature: str = ""


def line(change: CalibrationNumbers, version: str, *, at: str, by: str, reason: str) -> Line:
    """The line of one change, unsigned."""
    return Line(
        at=at,
        by=by,
        reason=reason,
        model_version=version,
        of=change.of,
        data=change.data,
        first=change.span.first,
        last=change.span.last,
        before=change.before,
        after=change.after,
    )


def append(path: Path, unsigned: Line, key: Ed25519PrivateKey) -> None:
    """Adds the line, durably; whoever adds one at the same time waits. Raises OSError, and then nothing was added."""
    signature = base64.b64encode(key.sign(_signed_part(unsigned))).decode()
    content = msgspec.json.encode(msgspec.structs.replace(unsigned, signature=signature)) + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        before = os.fstat(handle).st_size
        try:
            if os.write(handle, content) != len(content):
                raise OSError("the disk is full")
            os.fsync(handle)
        except OSError:
            os.ftruncate(handle, before)
            raise
    finally:
        os.close(handle)


def lines(path: Path, public_key: bytes) -> Iterator[tuple[Line, bool]]:
    """Every line in order, and whether that key signed it; none where nothing was calibrated yet.

    Raises WrongInputError: `unreadable_file`, `bad_history` with the line's number.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as cause:
        raise WrongInputError("unreadable_file", f"{path} cannot be read: {cause.strerror or cause}") from cause
    for number, stored in enumerate(content.splitlines(), start=1):
        try:
            found = msgspec.json.decode(stored, type=Line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
            raise WrongInputError("bad_history", f"line {number} of {path.name} is no calibration") from cause
        yield found, _is_signed(found, public_key)


def _is_signed(found: Line, public_key: bytes) -> bool:
    try:
        signature = base64.b64decode(found.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed_part(found))
    except (ValueError, InvalidSignature):
        return False
    return True


def _signed_part(found: Line) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(found, signature=""), order="deterministic")
