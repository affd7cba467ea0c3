"""The columns that a part of the invented log consists of."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from training.simulator.rba.draws import Whole
from training.simulator.rba.schedule import DAY_MS, SPAN_STARTS_MS

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Logins:
    """Columns of one length: epoch milliseconds, the person's number, the address within 10.0.0.0/8 (below 2**24), the
    place and the role of its network, the code of the software, and what the log says about each.
    """

    moment: Whole
    person: Whole
    address: Whole
    place: Whole
    role: Whole
    software: Whole
    success: Flags
    is_attack_address: Flags
    is_takeover: Flags

    def __len__(self) -> int:
        return len(self.moment)

    def at(self, places: Whole) -> "Logins":
        """The rows at these places, in this order."""
        return Logins(*(getattr(self, field.name)[places] for field in fields(self)))


def together(parts: Sequence[Logins]) -> Logins:
    """The rows of all parts, one after the other."""
    return Logins(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Logins)))


def epoch_ms(day: int, moment: Whole) -> Whole:
    """Milliseconds since 1970 of milliseconds into that day of the span (0 is the first one)."""
    return SPAN_STARTS_MS + day * DAY_MS + moment
