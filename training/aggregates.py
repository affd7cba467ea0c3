"""What everyone's logins add up to, as Ibis expressions: any engine that Ibis compiles for gives the same numbers.

What is added up are whole numbers, so that no order of adding and no number of machines changes a sum.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow
from ibis import _

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.observation import Observation

_FIELDS = {"user": "user_id", "device": "device_id", "ua": "user_agent", "asn": "asn_key"}
ATTRIBUTES = tuple((name, _FIELDS.get(name, name)) for name in COUNTED)

MOST_AT_ONCE = 250_000
"""Logins that an engine is handed at a time."""
UNIT = 10**12
"""What a coordinate of a unit vector is counted in: 6 µm on the ground. `MOST_AT_ONCE` of them fit 64 bits."""


class Logins:
    """Successful logins of a stretch of a log, as tables to ask questions of."""

    def __init__(self, seen: Iterable[Observation]) -> None:
        self._seen = list(seen)

    def __len__(self) -> int:
        return len(self._seen)

    def tables(self) -> Iterator[Any]:
        """The logins as Arrow tables: one text column for each of `COUNTED`, and the place of the network."""
        for start in range(0, len(self._seen), MOST_AT_ONCE):
            seen = self._seen[start : start + MOST_AT_ONCE]
            columns: dict[str, Any] = {
                name: pyarrow.array([getattr(login, field) for login in seen], pyarrow.string())
                for name, field in ATTRIBUTES
            }
            for name in ("latitude", "longitude"):
                columns[name] = pyarrow.array([getattr(login.network, name) for login in seen], pyarrow.float64())
            yield pyarrow.table(columns)


def frequencies(logins: Any, attributes: Sequence[str]) -> Any:
    """attribute, value, logins: how often each value of these attributes occurs."""
    values = logins.select(*attributes).pivot_longer(list(attributes), names_to="attribute", values_to="value")
    return values.group_by("attribute", "value").aggregate(logins=_.count())


def place_sums(logins: Any) -> Any:
    """user, placed, east, north, up: the sum of the unit vectors of the places each person logged in from, in `UNIT`s.

    What is no coordinate (NaN among them, which is above every number in SQL) is no place.
    """
    placed = logins.filter(logins.latitude.between(-90.0, 90.0) & logins.longitude.between(-180.0, 180.0))
    level = placed.latitude.radians().cos()
    return placed.group_by("user").aggregate(
        placed=_.count(),
        east=_whole(level * placed.longitude.radians().cos()),
        north=_whole(level * placed.longitude.radians().sin()),
        up=_whole(placed.latitude.radians().sin()),
    )


def _whole(coordinate: Any) -> Any:
    return (coordinate * float(UNIT)).round().cast("int64").sum()
