"""What the labels of a training were and how far they could move it, as its model tells it. It names nobody."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Delay(Struct, frozen=True, kw_only=True):
    """How long it takes until a compromise is known, in days, and the share of the log's logins that are younger (0-1).

    Of those nobody can know yet: that none of them is labelled says nothing. `is_assumed` where too few labels tell.
    """

    median_days: float | None
    most_days: float
    is_assumed: bool
    too_young: float


class LabelReport(Struct, frozen=True, kw_only=True):
    """The labels that a training was given.

    `standing` counts labelled logins by source and label. `kept_out` rows of compromises were learned from by nothing
    that says what is usual; `taught` of them, and `vouched` safe logins, stand beside the simulated strangers and the
    people's own logins, where they weigh `compromised_weight` and `safe_weight` (shares, 0-1): `weight_used` of what
    the bounds left them, as more would have cost too much recall. `largest` is the largest share of what labels may
    weigh that any one person, network, operator or mouth has, beside the `bounds`; `cut` labels weigh less for that.
    """

    sha256: str
    standing: Mapping[str, Mapping[str, int]]
    contradicted: int
    withdrawn: int
    too_late: int
    not_in_log: int
    kept_out: int
    taught: int
    vouched: int
    compromised_weight: float
    safe_weight: float
    weight_used: float
    largest: Mapping[str, float]
    bounds: Mapping[str, float]
    cut: int
    delay: Delay
