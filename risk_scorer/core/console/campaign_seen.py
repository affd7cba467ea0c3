"""What the accounts of a campaign were seen to do."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from risk_scorer.core.campaigns.sighting import Sighting


class Seen(Struct, frozen=True, kw_only=True):
    """The newest sightings of each account, and by account how many there were in each step since the first."""

    sightings: tuple[Sighting, ...]
    counts: Mapping[str, Mapping[int, int]]
