"""Great-circle distances, against geopy as an independent judge."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from geopy.distance import geodesic, great_circle

from risk_scorer.core.places import distance_km, distances_km

BERLIN, SAN_JOSE = (52.52, 13.405), (37.3382, -121.8863)


def anywhere(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)


def pairs(*columns: np.ndarray) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    for lat, lon, other_lat, other_lon in zip(*columns, strict=True):
        yield (lat, lon), (other_lat, other_lon)


def test_distances_equal_geopys_great_circle() -> None:
    """Two thousand pairs anywhere on Earth differ from geopy's sphere by less than a millionth."""
    (lat, lon), (other_lat, other_lon) = anywhere(2_000, 1), anywhere(2_000, 2)
    ours = distances_km(lat, lon, other_lat, other_lon)
    theirs = [great_circle(a, b).km for a, b in pairs(lat, lon, other_lat, other_lon)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_distances_are_near_the_ellipsoids() -> None:
    """The Earth is not a sphere; that costs less than 0.6 %."""
    (lat, lon), (other_lat, other_lon) = anywhere(300, 3), anywhere(300, 4)
    ours = distances_km(lat, lon, other_lat, other_lon)
    theirs = [geodesic(a, b).km for a, b in pairs(lat, lon, other_lat, other_lon)]
    np.testing.assert_allclose(ours, theirs, rtol=6e-3)


@pytest.mark.parametrize(
    ("here", "there", "kilometres"),
    [
        (BERLIN, BERLIN, 0.0),
        ((0.0, 179.5), (0.0, -179.5), 111.195),
        ((90.0, 0.0), (90.0, 137.0), 0.0),
        ((90.0, 0.0), (-90.0, 0.0), math.pi * 6371.009),
        ((0.0, 0.0), (0.0, 180.0), math.pi * 6371.009),
        ((37.0, 13.0), (-37.0, -167.0), math.pi * 6371.009),
    ],
)
def test_poles_antipodes_and_the_date_line_are_places_like_others(
    here: tuple[float, float], there: tuple[float, float], kilometres: float
) -> None:
    """No rounding makes a NaN and no seam adds a lap."""
    assert distance_km(here, there) == pytest.approx(kilometres, abs=1e-3)


def test_metres_are_not_lost() -> None:
    """Two doors of one street are metres apart, not zero."""
    assert distance_km((52.52, 13.405), (52.52, 13.40501)) == pytest.approx(0.000677, rel=1e-2)


def test_a_missing_coordinate_makes_a_missing_distance() -> None:
    """Unknown is NaN in a column and None alone, never 0."""
    known, missing = np.array([52.5, 52.5, 52.5]), np.array([np.nan, 1.0, 1.0])
    found = distances_km(known, missing, np.array([1.0, np.nan, 1.0]), np.array([1.0, 1.0, 1.0]))
    assert np.isnan(found).tolist() == [True, True, False]
    assert distance_km(None, BERLIN) is None
    assert distance_km(BERLIN, (math.nan, 0.0)) is None


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """Bulk and single agree to the bit."""
    (lat, lon), (other_lat, other_lon) = anywhere(50, 5), anywhere(50, 6)
    whole = distances_km(lat, lon, other_lat, other_lon)
    alone = [distance_km((lat[row], lon[row]), (other_lat[row], other_lon[row])) for row in range(50)]
    assert whole.tolist() == alone


def test_distance_is_the_same_both_ways() -> None:
    """From San Jose to Berlin is as far as back."""
    assert distance_km(BERLIN, SAN_JOSE) == pytest.approx(distance_km(SAN_JOSE, BERLIN), rel=1e-12)
