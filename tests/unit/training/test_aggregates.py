"""What is asked of an engine: the numbers are exact, and Ibis has Spark's words for every expression."""

import contextlib
import math
from functools import partial
from typing import Any

import ibis
import pyarrow
import pytest

from tests.unit.training.logs import LOOKUPS, log
from training import aggregates
from training.aggregates import ATTRIBUTES, UNIT, Logins, frequencies, place_sums
from training.engines import DuckDB
from training.observations import observations
from training.spark_sql import spark_sql

NAMES = [name for name, _ in ATTRIBUTES]
COUNT = partial(frequencies, attributes=NAMES)


def asked(question: Any, table: Any) -> list[tuple[Any, ...]]:
    with contextlib.closing(DuckDB()) as engine:
        return list(engine.rows(question, table))


def places(*found: tuple[float | None, float | None]) -> Any:
    return pyarrow.table(
        {
            "user": pyarrow.array(["ann"] * len(found), pyarrow.string()),
            "latitude": pyarrow.array([latitude for latitude, _ in found], pyarrow.float64()),
            "longitude": pyarrow.array([longitude for _, longitude in found], pyarrow.float64()),
        }
    )


@pytest.mark.parametrize("question", [COUNT, place_sums], ids=["frequencies", "place_sums"])
def test_spark_has_words_for_every_expression(question: Any) -> None:
    """The very expression that DuckDB runs compiles for Spark, with nothing of Spark's installed."""
    table = ibis.table(ibis.Schema.from_pyarrow(next(Logins(observations(log(20), LOOKUPS)).tables()).schema), name="l")
    assert "GROUP BY" in spark_sql(question(table))


def test_only_the_attributes_that_are_asked_for_are_counted() -> None:
    """A column that the log lacks has no frequencies."""
    table = next(Logins(observations(log(50), LOOKUPS)).tables())
    found = asked(partial(frequencies, attributes=["user", "ja4"]), table)
    assert {name for name, _, _ in found} == {"user", "ja4"}
    assert sum(count for name, _, count in found if name == "user") == 50


def test_a_person_is_where_the_vectors_point() -> None:
    """Sums are whole numbers of a millionth of a millionth of a unit vector."""
    assert asked(place_sums, places((0.0, 0.0), (0.0, 90.0), (90.0, 0.0))) == [("ann", 3, UNIT, UNIT, UNIT)]
    [(_, _, east, north, up)] = asked(place_sums, places((37.3, -121.9)))
    latitude, longitude = math.radians(37.3), math.radians(-121.9)
    assert east / UNIT == pytest.approx(math.cos(latitude) * math.cos(longitude), abs=1e-12)
    assert north / UNIT == pytest.approx(math.cos(latitude) * math.sin(longitude), abs=1e-12)
    assert up / UNIT == pytest.approx(math.sin(latitude), abs=1e-12)


@pytest.mark.parametrize(
    "place", [(None, 1.0), (1.0, None), (math.nan, 1.0), (1.0, math.inf), (90.1, 0.0), (0.0, -180.1)]
)
def test_what_is_no_coordinate_is_no_place(place: tuple[float | None, float | None]) -> None:
    """It neither counts nor spoils the sum; the poles and the date line are places."""
    assert asked(place_sums, places(place)) == []
    assert asked(place_sums, places((-90.0, 180.0), place, (90.0, -180.0)))[0][1] == 2


def test_the_sums_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few logins an engine is handed at a time, and wherever they stand."""
    logins = Logins(observations(log(300), LOOKUPS))
    whole = {user: sums for user, *sums in asked(place_sums, next(logins.tables()))}
    monkeypatch.setattr(aggregates, "MOST_AT_ONCE", 70)
    added: dict[str, list[int]] = {}
    tables = list(logins.tables())
    assert [len(table) for table in tables] == [70, 70, 70, 70, 20]
    for table in reversed(tables):
        for user, *sums in asked(place_sums, table):
            added[user] = [one + more for one, more in zip(added.get(user, [0] * 4), sums, strict=True)]
    assert added == whole


def test_the_largest_sum_fits_64_bits() -> None:
    """One person at one place, as many logins as are handed over at once."""
    assert aggregates.MOST_AT_ONCE * UNIT < 2**63
