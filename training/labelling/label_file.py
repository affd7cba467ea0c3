"""Reads a file of labelled logins as `risk-scorer labels` and `risk-training export-labels` write it.

A log has no ids of events, so a login is known by its person, its address and its moment, to the millisecond. Several
lines about one login (it was scored twice, two files were put together) are one login with all their words.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from risk_scorer.contract.feedback import VerdictKind, VerdictSource, source_of
from risk_scorer.core.observation import BadEvent, canonical_address
from training.refusals import WrongInputError

Login = tuple[str, int, str]
"""Person, epoch milliseconds and canonical address."""
MOST_BYTES: Final = 1 << 30
LABELS: Final[Mapping[str, VerdictKind]] = {
    "compromised": "confirmed_compromised",
    "safe": "confirmed_safe",
    "withdrawn": "dismissed",
}
NEVER_TOLD: Final = "unknown"

Moment = Annotated[float, Meta(ge=0, lt=2**33)]


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a login, and when training could first know (epoch seconds)."""

    verdict: VerdictKind
    by: str
    source: VerdictSource
    known_at: Moment


@dataclass(frozen=True)
class LabelFile:
    """The words about each login in the order in which they came, how many lines there were, and the file's SHA-256."""

    words: Mapping[Login, tuple[Word, ...]]
    lines: int
    sha256: str


class _Line(msgspec.Struct):
    user_id: str
    timestamp: float
    ip: str
    label: str
    by: str = NEVER_TOLD
    at: Moment | None = None
    source: VerdictSource | None = None
    known_at: Moment | None = None
    words: list[Word] | None = None


_decoder = msgspec.json.Decoder(_Line)


def read_label_file(path: Path | str) -> LabelFile:
    """Every labelled login of the file.

    A line without `words` (an older file, or one's own) is one word, known since `known_at`, `at` or ever.
    Raises WrongInputError with a stable code: `no_such_file`, `unreadable_file`, `bad_labels` with the line's number.
    """
    content = _content(Path(path))
    found: dict[Login, list[Word]] = {}
    lines = 0
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        lines += 1
        try:
            label = _decoder.decode(line)
            login = (label.user_id, _milliseconds(label.timestamp), canonical_address(label.ip))
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, BadEvent) as cause:
            raise _bad(Path(path), number, "is not a labelled login as `risk-scorer labels` writes it") from cause
        if label.label not in LABELS:
            raise _bad(Path(path), number, f"has another label than {', '.join(sorted(LABELS))}")
        found.setdefault(login, []).extend(_words(label))
    words = {login: _in_order(said) for login, said in found.items()}
    return LabelFile(words, lines, hashlib.sha256(content).hexdigest())


def require_labels(path: Path) -> None:
    """Told before the log is read, not after. Raises WrongInputError as `read_label_file` does for the file itself."""
    if not path.exists():
        raise WrongInputError("no_such_file", f"there is no file {path}")
    if not path.is_file():
        raise WrongInputError("unreadable_file", f"{path} is no file")


def _words(label: _Line) -> list[Word]:
    if label.words:
        return label.words
    known_at = next((moment for moment in (label.known_at, label.at) if moment is not None), 0.0)
    source = source_of(label.by, label.source)
    return [Word(verdict=LABELS[label.label], by=label.by, source=source, known_at=known_at)]


def _in_order(said: list[Word]) -> tuple[Word, ...]:
    """Each word once, the oldest first; what came together keeps its order in the file."""
    return tuple(sorted(dict.fromkeys(said), key=lambda word: word.known_at))


def _milliseconds(seconds: float) -> int:
    if not math.isfinite(seconds) or not 0 <= seconds < 2**33:
        raise ValueError("out of range")
    return round(seconds * 1000)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WrongInputError("unreadable_file", f"{path.name} is larger than {MOST_BYTES >> 20} MiB")
        return path.read_bytes()
    except FileNotFoundError as cause:
        raise WrongInputError("no_such_file", f"there is no file {path}") from cause
    except OSError as cause:
        raise WrongInputError("unreadable_file", f"{path} cannot be read: {cause.strerror or cause}") from cause


def _bad(path: Path, number: int, why: str) -> WrongInputError:
    return WrongInputError("bad_labels", f"line {number} of {path.name} {why}")
