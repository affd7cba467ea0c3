"""What a model was made from, as digests: the rows that were used, our own code, and the files that were given.

Independent of time, paths and machine, so that the same training has the same lineage wherever it is repeated.
"""

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

from risk_scorer.core.card import Lineage
from training.columns.digest import coded_sha256
from training.columns.log import CodedLog
from training.sources import EventTable

_CODE = ("training", "risk_scorer/core")
Log = EventTable | CodedLog
"""The rows that a model is made from, as texts or, of a large log, as numbers."""
_NOT_ROWS = frozenset({"row_order"})
"""Where a row stood in its file is no part of what it says."""


@dataclass(frozen=True)
class Origin:
    """What a training was asked for, as far as it shapes the model; see `Lineage`."""

    command: tuple[str, ...] = ()
    parent: str | None = None
    labels_sha256: str | None = None


NO_ORIGIN = Origin()


def lineage_of(events: Log, *, seed: int, libraries: Mapping[str, str], origin: Origin = NO_ORIGIN) -> Lineage:
    """The lineage of a model of these rows."""
    return Lineage(
        data_sha256=data_sha256(events) if isinstance(events, EventTable) else coded_sha256(events),
        rows=len(events),
        seed=seed,
        code_version=importlib.metadata.version("riskgate"),
        code_sha256=code_sha256(),
        libraries=dict(libraries),
        command=origin.command,
        parent=origin.parent,
        labels_sha256=origin.labels_sha256,
    )


def data_sha256(events: EventTable) -> str:
    """The digest of every value of the table, column by column in time order."""
    total = hashlib.sha256()
    for field in fields(events):
        values = getattr(events, field.name)
        if field.name in _NOT_ROWS or not isinstance(values, np.ndarray):
            continue
        total.update(f"\n{field.name} {len(values)}\n".encode())
        total.update(_texts(values.tolist()) if values.dtype == object else np.ascontiguousarray(values).tobytes())
    return total.hexdigest()


def _texts(values: Sequence[str]) -> bytes:
    """No text of a log holds NUL, so that none can be taken for two."""
    return "\0".join(values).encode("utf-8", "surrogatepass")


@cache
def code_sha256() -> str:
    """The digest of the modules that make a model and score with it."""
    root = Path(__file__).resolve().parents[1]
    total = hashlib.sha256()
    for path in sorted(path for folder in _CODE for path in (root / folder).rglob("*.py")):
        total.update(f"\n{path.relative_to(root).as_posix()}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def files_digest(paths: Iterable[Path]) -> list[str]:
    """`sha256:…` of each file, in their order. Raises OSError."""
    return [f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths]
