"""A person's few usual places: each a middle, a weight that fades, and when it was last used.

A place is a unit vector, so that means survive the date line. What being elsewhere means is not judged here.
"""

import math

from risk_scorer.core.places import EARTH_RADIUS_KM

Vector = tuple[float, float, float]
"""east, north, up"""
Cluster = tuple[float, float, float, float, int]
"""east, north, up; weight in logins, as of when it was last seen; that moment in epoch seconds."""

MOST_CLUSTERS = 6
REACH_KM = 100.0
"""Places closer than this are one: a city and its suburbs, or two guesses at the place of one network."""
HALF_LIFE_SECONDS = 90 * 86_400
_FADE = -math.log(2.0) / HALF_LIFE_SECONDS
_REACH = math.cos(REACH_KM / EARTH_RADIUS_KM)


def unit_vector(latitude: float, longitude: float) -> Vector:
    """The place, in degrees, as a point on the unit sphere."""
    phi, lam = math.radians(latitude), math.radians(longitude)
    level = math.cos(phi)
    return level * math.cos(lam), level * math.sin(lam), math.sin(phi)


def with_place(clusters: tuple[Cluster, ...], place: Vector, second: int) -> tuple[Cluster, ...]:
    """One more login there: the cluster within reach moves and grows, or a new one takes the room of the lightest."""
    at, cosine = _nearest(clusters, place)
    if cosine < _REACH:
        kept = clusters if len(clusters) < MOST_CLUSTERS else _without_lightest(clusters)
        return (*kept, (*place, 1.0, second))
    east, north, up, weight, last = clusters[at]
    newest = second if second > last else last
    old, new = weight * math.exp(_FADE * (newest - last)), math.exp(_FADE * (newest - second))
    moved = _mean((east, north, up), old, place, new)
    return (*clusters[:at], *clusters[at + 1 :], (*moved, old + new, newest))


def without_place(clusters: tuple[Cluster, ...], place: Vector, second: int) -> tuple[Cluster, ...]:
    """One login there taken out again; a cluster of which nothing is left goes."""
    at, cosine = _nearest(clusters, place)
    if cosine < _REACH:
        return clusters
    east, north, up, weight, last = clusters[at]
    gone = math.exp(_FADE * max(0, last - second))
    left = weight - gone
    if left <= 1e-6 * weight:
        return (*clusters[:at], *clusters[at + 1 :])
    moved = _mean((east, north, up), weight, place, -gone)
    return (*clusters[:at], (*moved, left, last), *clusters[at + 1 :])


def standing(clusters: tuple[Cluster, ...], place: Vector, reach_km: float) -> tuple[float, float]:
    """(share of the faded weight that lies within reach, kilometres to the nearest middle). `clusters` is not empty."""
    x, y, z = place
    within = _REACH if reach_km == REACH_KM else math.cos(min(math.pi, reach_km / EARTH_RADIUS_KM))
    now = clusters[-1][4]
    near = total = 0.0
    nearest = -1.0
    for east, north, up, weight, last in clusters:
        faded = weight if last == now else weight * math.exp(_FADE * (now - last))
        total += faded
        cosine = east * x + north * y + up * z
        if cosine >= within:
            near += faded
        if cosine > nearest:
            nearest = cosine
    half_chord = math.sqrt(max(0.0, 0.5 - 0.5 * nearest))  # good to a decimetre, where the angle's cosine would not be
    return near / total, 2.0 * EARTH_RADIUS_KM * math.asin(min(1.0, half_chord))


def _nearest(clusters: tuple[Cluster, ...], place: Vector) -> tuple[int, float]:
    """Which cluster is nearest and the cosine of its angle, less than any where there is none."""
    at, most = -1, -math.inf
    x, y, z = place
    for number, (east, north, up, _weight, _last) in enumerate(clusters):
        cosine = east * x + north * y + up * z
        if cosine > most:
            at, most = number, cosine
    return at, most


def _without_lightest(clusters: tuple[Cluster, ...]) -> tuple[Cluster, ...]:
    lightest = min(range(len(clusters)), key=lambda at: math.log(clusters[at][3]) - _FADE * clusters[at][4])
    return (*clusters[:lightest], *clusters[lightest + 1 :])


def _mean(first: Vector, first_weight: float, second: Vector, second_weight: float) -> Vector:
    east = first[0] * first_weight + second[0] * second_weight
    north = first[1] * first_weight + second[1] * second_weight
    up = first[2] * first_weight + second[2] * second_weight
    length = math.sqrt(east * east + north * north + up * up)
    return (east / length, north / length, up / length) if length > 0.0 else first
