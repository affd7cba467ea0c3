"""What everyone's logins add up to, as Ibis expressions: DuckDB runs them here, another engine can run the same."""

from collections.abc import Iterable, Iterator
from typing import Any

import ibis
import pyarrow
from ibis import _

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.observation import Observation

_FIELDS = {"user": "user_id", "device": "device_id", "ua": "user_agent", "asn": "asn_key"}
ATTRIBUTES = tuple((name, _FIELDS.get(name, name)) for name in COUNTED)


class Logins:
    """Successful logins of a stretch of a log, as one table to ask questions of."""

    def __init__(self, seen: Iterable[Observation]) -> None:
        self._seen = list(seen)

    def __len__(self) -> int:
        return len(self._seen)

    def table(self) -> Any:
        """The logins as an Ibis table: one text column for each of `COUNTED`, and the place of the network."""
        columns: dict[str, Any] = {
            name: pyarrow.array([getattr(seen, field) for seen in self._seen], pyarrow.string())
            for name, field in ATTRIBUTES
        }
        for name in ("latitude", "longitude"):
            columns[name] = pyarrow.array([getattr(seen.network, name) for seen in self._seen], pyarrow.float64())
        return ibis.memtable(pyarrow.table(columns))


def engine() -> Any:
    """DuckDB in memory, on one thread: sums come out the same to the bit every time."""
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET threads TO 1")
    return connection


def frequencies(logins: Any, attribute: str) -> Any:
    """value, logins: how often each value of an attribute occurs, in the order of values."""
    return logins.group_by(value=logins[attribute]).aggregate(logins=_.count()).order_by("value")


def place_sums(logins: Any) -> Any:
    """user, placed, east, north, up: the sum of the unit vectors of the places each person logged in from."""
    placed = logins.filter(logins.latitude.notnull() & logins.longitude.notnull())
    level = placed.latitude.radians().cos()
    return (
        placed.group_by("user")
        .aggregate(
            placed=_.count(),
            east=(level * placed.longitude.radians().cos()).sum(),
            north=(level * placed.longitude.radians().sin()).sum(),
            up=placed.latitude.radians().sin().sum(),
        )
        .order_by("user")
    )


def rows(connection: Any, expression: Any) -> Iterator[tuple[Any, ...]]:
    """The rows that an expression gives on this engine."""
    found = connection.to_pyarrow(expression)
    return zip(*(column.to_pylist() for column in found.columns), strict=True)
