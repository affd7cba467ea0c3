"""What logins looked like when a model was fitted: how often each number fell where, as `reference.json` beside it.

Counted on the held-out part of the training log, of logins that succeeded, and counted the same way of live ones: one
kernel for both (`core.tally`). The score is kept as evidence in nats, so that another scale for the same evidence
leaves the reference true.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import MsgspecError, Struct, json
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.features import FEATURES
from risk_scorer.core.manifest import Number, Span

FORMAT: Final = "riskgate-reference/1"
SCORE: Final = "score"
MOST_EDGES: Final = 19
"""So at most 20 bins of values, and one for what is missing."""
MOST_LOGINS: Final = 2**53

Vector = NDArray[np.int64]


class Spread(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the values of one number fell. Bin i has those from edge i-1 up to below edge i; the last bin of `counts`
    has the logins in which the number is missing."""

    edges: tuple[Number, ...]
    counts: tuple[int, ...]


class Reference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`spreads` by the name of a feature, and `score` (in nats of evidence).

    Of `logins`, `prompted` reached 60 and `denied` 80; `unknown` counts by attribute those whose value nobody had
    before. `span` is the held-out part's.
    """

    format: str
    span: Span
    logins: int
    prompted: int
    denied: int
    unknown: dict[str, int]
    spreads: dict[str, Spread]

    @property
    def watched(self) -> tuple[str, ...]:
        """The features that have a spread, in the order of `FEATURES`."""
        return tuple(name for name in FEATURES if name in self.spreads)


def encode(reference: Reference) -> bytes:
    """The reference as JSON, keys in order, so that the same log gives the same bytes."""
    return json.encode(reference, order="deterministic")


def read(stored: bytes) -> Reference:
    """The inverse of `encode`, when what it says can be true. Raises ValueError, which says what cannot."""
    try:
        found = json.decode(stored, type=Reference)
    except (MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError("the reference cannot be read") from error
    problem = _problem(found)
    if problem is not None:
        raise ValueError(problem)
    return found


def _problem(reference: Reference) -> str | None:
    if reference.format != FORMAT:
        return f"this scorer reads {FORMAT}"
    if SCORE not in reference.spreads or not set(reference.spreads) <= {*FEATURES, SCORE}:
        return "it watches what this scorer does not compute"
    if not set(reference.unknown) <= set(COUNTED):
        return "it counts attributes that this scorer does not know"
    if not 0 < reference.logins <= MOST_LOGINS:
        return "it counts no logins"
    if not 0 <= reference.denied <= reference.prompted <= reference.logins:
        return "more logins were prompted than there were"
    if any(not 0 <= count <= reference.logins for count in reference.unknown.values()):
        return "more values were unknown than there were"
    found = (_wrong(name, spread, reference) for name, spread in reference.spreads.items())
    return next((wrong for wrong in found if wrong is not None), None)


def _wrong(name: str, spread: Spread, reference: Reference) -> str | None:
    if len(spread.edges) > MOST_EDGES or len(spread.counts) != len(spread.edges) + 2:
        return f"the bins of {name} are not between its edges"
    if not all(np.isfinite(spread.edges)) or any(high <= low for low, high in pairwise(spread.edges)):
        return f"the edges of {name} do not rise"
    if any(count < 0 for count in spread.counts) or sum(spread.counts) != reference.logins:
        return f"the bins of {name} do not add up to the logins"
    return None


class Counts(Struct, frozen=True, kw_only=True):
    """The same counts of other logins: what a `Reference` has, without its edges; `spreads` are (bins + 1,) each."""

    logins: int
    prompted: int
    denied: int
    unknown: Mapping[str, int]
    spreads: Mapping[str, Vector]


def counted(reference: Reference) -> Counts:
    """The reference's own counts."""
    return Counts(
        logins=reference.logins,
        prompted=reference.prompted,
        denied=reference.denied,
        unknown=reference.unknown,
        spreads={name: np.array(spread.counts, np.int64) for name, spread in reference.spreads.items()},
    )


HEAD: Final = 3
"""`logins`, `prompted`, `denied` begin a vector of counts; one place for each of `COUNTED` follows, then the bins."""


def width(reference: Reference) -> int:
    """The length of a vector of counts for this reference."""
    return HEAD + len(COUNTED) + sum(len(spread.counts) for spread in reference.spreads.values())


def named(reference: Reference, vector: Vector) -> Counts:
    """A vector of counts, as `core.tally` fills it, by names. Raises ValueError when it is another reference's."""
    if vector.shape != (width(reference),):
        raise ValueError("these are counts of another reference")
    spreads, start = {}, HEAD + len(COUNTED)
    for name in (*reference.watched, SCORE):
        end = start + len(reference.spreads[name].counts)
        spreads[name] = vector[start:end]
        start = end
    return Counts(
        logins=int(vector[0]),
        prompted=int(vector[1]),
        denied=int(vector[2]),
        unknown={name: int(vector[HEAD + COUNTED.index(name)]) for name in COUNTED if name in reference.unknown},
        spreads=spreads,
    )
