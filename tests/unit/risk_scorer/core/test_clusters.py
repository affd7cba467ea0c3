"""A person's few usual places: they grow, fade and give way."""

import math

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.core.clusters import (
    HALF_LIFE_SECONDS,
    MOST_CLUSTERS,
    REACH_KM,
    Cluster,
    standing,
    unit_vector,
    with_place,
    without_place,
)

BERLIN, POTSDAM, SYDNEY = unit_vector(52.52, 13.405), unit_vector(52.4, 13.07), unit_vector(-33.87, 151.21)
SOME_DAY = 1_600_000_000


def clusters_of(*logins: tuple[tuple[float, float, float], int]) -> tuple[Cluster, ...]:
    found: tuple[Cluster, ...] = ()
    for place, second in logins:
        found = with_place(found, place, second)
    return found


def test_a_city_and_its_suburbs_are_one_place() -> None:
    """Two logins 26 km apart make one cluster between them."""
    found = clusters_of((BERLIN, SOME_DAY), (POTSDAM, SOME_DAY))
    [(_, _, up, weight, last)] = found
    assert (weight, last) == (2.0, SOME_DAY)
    assert math.degrees(math.asin(up)) == pytest.approx(52.46, abs=0.01)


def test_places_out_of_reach_are_told_apart() -> None:
    """Home and a holiday."""
    assert len(clusters_of((BERLIN, SOME_DAY), (SYDNEY, SOME_DAY))) == 2


def test_the_reach_is_a_hundred_kilometres() -> None:
    """On both sides of it."""
    degree = REACH_KM / 111.195
    for share, clusters in ((0.99, 1), (1.01, 2)):
        found = clusters_of((unit_vector(0.0, 179.9), SOME_DAY), (unit_vector(0.0, 179.9 + share * degree), SOME_DAY))
        assert len(found) == clusters


def test_a_weight_halves_in_ninety_days() -> None:
    """A login then counts half of one now, reported in either order."""
    later = SOME_DAY + HALF_LIFE_SECONDS
    for order in ((SOME_DAY, later), (later, SOME_DAY)):
        [cluster] = clusters_of(*[(BERLIN, second) for second in order])
        assert (cluster[3], cluster[4]) == (pytest.approx(1.5), later)


def test_a_move_makes_the_old_home_a_lesser_place() -> None:
    """A year later, ten logins at the new home outweigh forty at the old one."""
    old = [(BERLIN, SOME_DAY + day * 86_400) for day in range(40)]
    new = [(SYDNEY, SOME_DAY + (400 + day) * 86_400) for day in range(10)]
    found = clusters_of(*old, *new)
    share, kilometres = standing(found, BERLIN, REACH_KM)
    assert share == pytest.approx(0.171, abs=0.001)
    assert kilometres == pytest.approx(0.0, abs=1e-3)
    assert standing(found, SYDNEY, REACH_KM)[0] == pytest.approx(1.0 - share)


def test_the_seventh_place_takes_the_room_of_the_lightest() -> None:
    """A place used often and lately stays, one used once long ago goes."""
    places = [(unit_vector(10.0 * number, 0.0), SOME_DAY + number * 86_400) for number in range(MOST_CLUSTERS)]
    found = clusters_of(*places, places[0], places[0], (SYDNEY, SOME_DAY + 30 * 86_400))
    assert len(found) == MOST_CLUSTERS
    assert standing(found, places[0][0], REACH_KM)[0] > 0.3
    assert standing(found, places[1][0], REACH_KM)[0] == 0.0


@pytest.mark.parametrize("here", [(52.52, 13.405), (52.0, 13.0), (0.0, -179.99), (89.9, 10.0), (-52.52, -166.6)])
def test_the_distance_is_to_the_nearest_middle(here: tuple[float, float]) -> None:
    """As geopy's great circle has it, antipodes included, to a metre."""
    homes = ((52.52, 13.405), (0.0, 179.99))
    found = clusters_of(*[(unit_vector(*home), SOME_DAY) for home in homes])
    nearest = min(great_circle(here, home).km for home in homes)
    assert standing(found, unit_vector(*here), REACH_KM)[1] == pytest.approx(nearest, abs=1e-3, rel=1e-6)


PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180)).map(lambda at: unit_vector(*at))
SECONDS = st.integers(SOME_DAY, SOME_DAY + 400 * 86_400)


@given(st.lists(st.tuples(PLACES, SECONDS), max_size=20), PLACES, st.floats(0.0, 30_000.0))
def test_clusters_stay_few_finite_and_on_the_earth(
    logins: list[tuple[tuple[float, float, float], int]], here: tuple[float, float, float], reach: float
) -> None:
    """Whatever is learned: unit vectors, positive weights, a share that is one."""
    found = clusters_of(*logins)
    assert len(found) <= MOST_CLUSTERS
    for *vector, weight, _ in found:
        assert math.hypot(*vector) == pytest.approx(1.0)
        assert 0.0 < weight <= len(logins) * 1.0001
    if found:
        share, kilometres = standing(found, here, reach)
        assert 0.0 <= share <= 1.0 + 1e-9
        assert 0.0 <= kilometres <= 20_016.0


@given(st.lists(st.tuples(PLACES, SECONDS), max_size=5, unique_by=lambda login: login[0]), PLACES, SECONDS)
def test_a_place_taken_out_leaves_the_others(
    logins: list[tuple[tuple[float, float, float], int]], wrong: tuple[float, float, float], second: int
) -> None:
    """What was one login alone goes, and weights add up as if it had never been."""
    before = clusters_of(*logins)
    after = without_place(with_place(before, wrong, second), wrong, second)
    assert len(after) == len(before)
    newest = max((cluster[4] for cluster in (*before, *after)), default=0)

    def weight(found: tuple[Cluster, ...]) -> float:
        return sum(cluster[3] * 2.0 ** ((cluster[4] - newest) / HALF_LIFE_SECONDS) for cluster in found)

    assert weight(after) == pytest.approx(weight(before))


def test_a_place_out_of_reach_takes_nothing_out() -> None:
    """It has been forgotten meanwhile."""
    home = clusters_of((BERLIN, SOME_DAY))
    assert without_place(home, SYDNEY, SOME_DAY) == home
    assert without_place((), SYDNEY, SOME_DAY) == ()
