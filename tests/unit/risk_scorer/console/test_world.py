"""The map of places: dots where there are cities, and signs whose shape says as much as their colour."""

import re

import pytest

from risk_scorer.core.console.globe import Place
from risk_scorer.core.console.world import MOST_SIGNS, Came, ground, signs, standing

BERLIN, POTSDAM, LIMA = (52.5, 13.4), (52.4, 13.1), (-12.0, -77.0)


def came(city: str, where: Place | None, count: int = 10, denied: int = 0) -> Came:
    return Came(country="DE", region="", city=city, count=count, denied=denied, where=where)


def test_the_ground_has_a_dot_for_each_cell_with_a_city() -> None:
    """Neighbours are one line of dots, and two cities of a cell one dot."""
    assert ground([]) == ""
    assert ground([(0.5, 0.5), (0.6, 0.4)]) == "M181.25 88.75h0.1"
    assert ground([(0.5, 0.5), (0.5, 3.0), (0.5, 10.0)]) == "M181.25 88.75h2.6M191.25 88.75h0.1"


@pytest.mark.parametrize(
    ("denied", "shape", "level"), [(4, "circle", "low"), (5, "diamond", "medium"), (25, "triangle", "high")]
)
def test_refusals_are_told_by_shape_and_by_colour(denied: int, shape: str, level: str) -> None:
    """Whoever does not see the one sees the other."""
    assert standing(denied / 100) == (shape, level)
    (sign,) = signs([came("Lima", LIMA, 100, denied)])
    assert (sign.shape, sign.level) == (shape, level)
    assert bool(sign.points) == (shape != "circle")


def test_places_near_each_other_are_one_sign() -> None:
    """With what all of them had, under the name of the largest; one of an unknown place is not drawn."""
    found = signs([came("Potsdam", POTSDAM, 5, 5), came("Berlin", BERLIN, 15), came("Lima", LIMA, 2), came("", None)])
    assert len(found) == 2
    assert found[0].words == "Berlin, DE and 1 more places near it: 20 sign-ins, 5 refused"
    assert found[0].radius > found[1].radius


def test_a_map_stays_light() -> None:
    """However many places there are."""
    everywhere = [
        came("x" * 40, (float(lat), float(lon)), 3, 1) for lat in range(-80, 80, 3) for lon in range(-180, 180, 3)
    ]
    found = signs(everywhere)
    assert len(found) == MOST_SIGNS
    assert sum(len(each.words) + len(each.points) for each in found) < 20_000
    path = ground([(lat / 2.0, lon / 2.0) for lat in range(-180, 180) for lon in range(-360, 360)])
    assert len(path) < 20_000
    assert re.fullmatch(r"(M[\d.]+ [\d.]+h[\d.]+)+", path)
