"""What a person's own logins look like, bounded in size. It learns from finished outcomes; scoring never learns.

Every attribute keeps at most `MOST_VALUES` values, the least recently seen leaves first. Dictionary order is recency.
"""

import math

from msgspec import Struct, msgpack
from msgspec.structs import replace

from risk_scorer.core.clusters import Cluster, Vector, unit_vector, with_place
from risk_scorer.core.lessons import OWN as OWN
from risk_scorer.core.lessons import OutcomeKind as OutcomeKind
from risk_scorer.core.lessons import Taught, taught_by
from risk_scorer.core.lessons import is_somebodys as is_somebodys
from risk_scorer.core.observation import Observation

Seen = dict[str, int]
"""value → logins with it and when it was last seen, packed into one integer (see `logins_with`, `last_seen_at`).

A dictionary of texts and integers is small, and the garbage collector need not visit it.
"""
SECONDS_BITS = 32  # epoch seconds until 2106
_ONE_LOGIN = 1 << SECONDS_BITS
_SECONDS = _ONE_LOGIN - 1

MOST_VALUES = 32
NO_HOURS = (0,) * 24
ENOUGH_HOURS = 400
"""Logins in `hours` at which all are halved, so that habits of years ago give way to new ones."""
ENOUGH_GAPS = 50
"""Gaps after which the mean follows the newer ones."""
HEAT_HALF_LIFE_SECONDS = 3600
_COOLING = -math.log(2.0) / HEAT_HALF_LIFE_SECONDS

LastPlace = tuple[float, float, float, int, bool]
"""Latitude, longitude, accuracy in km, epoch seconds, and whether it is a relay's place and not surely the person's."""


class UserHistory(Struct, frozen=True, array_like=True, gc=False):
    """One person's past. Frozen by convention too: `learn` returns a new one and shares nothing that changes.

    `east`, `north`, `up` add up unit vectors of the places seen (`placed` of them), so that their mean survives the
    date line. `hours` are local ones of the zone `home` (UTC where that is ""), which was `home_offset_s` ahead of UTC
    at the last login in it. `gap_log` is the mean logarithm of the seconds between logins, over `gaps` of them.
    `heat` counts failures, halved each hour, as of `heat_at`. What operators said of a context is in `pardoned` and
    `condemned`, by keys such as "device:…" (see `verdicts`). New fields stand at the end and have defaults, so that
    what was stored before them can be read.
    """

    logins: int = 0
    failures: int = 0
    failures_since_success: int = 0
    first_seen: int = 0
    last_seen: int = 0
    last_failure: int = 0
    hours: tuple[int, ...] = NO_HOURS
    placed: int = 0
    east: float = 0.0
    north: float = 0.0
    up: float = 0.0
    device: Seen = {}
    ip: Seen = {}
    prefix: Seen = {}
    asn: Seen = {}
    country: Seen = {}
    device_type: Seen = {}
    os: Seen = {}
    browser: Seen = {}
    browser_version: Seen = {}
    ja4: Seen = {}
    ja4h: Seen = {}
    ja4s: Seen = {}
    place: Seen = {}
    zone: Seen = {}
    home: str = ""
    home_offset_s: int = 0
    clusters: tuple[Cluster, ...] = ()
    last_place: LastPlace | None = None
    gap_log: float = 0.0
    gaps: int = 0
    heat: float = 0.0
    heat_at: int = 0
    pardoned: Seen = {}
    condemned: Seen = {}


EMPTY = UserHistory()
_encoder = msgpack.Encoder()
_decoder = msgpack.Decoder(UserHistory)


def encode(history: UserHistory) -> bytes:
    """The history as MessagePack."""
    return _encoder.encode(history)


def decode(stored: bytes) -> UserHistory:
    """The inverse of `encode`. Raises msgspec.DecodeError for what it did not write."""
    return _decoder.decode(stored)


def learn(history: UserHistory | None, observation: Observation, outcome: OutcomeKind) -> UserHistory:
    """The history after this outcome. Only a finished success is the person's own; anything else counts as a failure.

    A failed login leaves every known value as it was: an attacker who guesses passwords teaches nothing.
    """
    return learn_taught(history, taught_by(observation, outcome))


def learn_taught(history: UserHistory | None, taught: Taught) -> UserHistory:
    """`learn` from the lesson that `taught_by` made of the same login."""
    past = history or EMPTY
    return _own(past, taught) if taught.outcome in OWN else _failed(past, int(taught.ts))


def _failed(past: UserHistory, second: int) -> UserHistory:
    at = max(past.heat_at, second)
    return replace(
        past,
        failures=past.failures + 1,
        failures_since_success=past.failures_since_success + 1,
        last_failure=max(past.last_failure, second),
        heat=heat_at(past, at) + math.exp(_COOLING * (at - second)),
        heat_at=at,
    )


def _own(past: UserHistory, taught: Taught) -> UserHistory:
    second = int(taught.ts)
    is_somebodys = taught.taught_network
    network = with_value if is_somebodys else _as_before
    zones = with_value(past.zone, taught.zone, second) if is_somebodys and taught.zone else past.zone
    home, home_offset_s, hours = _at_home(past, zones, taught)
    clusters, last_place, place = past.clusters, past.last_place, past.place
    east, north, up, placed = past.east, past.north, past.up, past.placed
    vector = vector_of(taught)
    if vector is not None:
        east, north, up, placed = east + vector[0], north + vector[1], up + vector[2], placed + 1
        place = with_value(place, place_key(taught), second)
        if is_somebodys:
            clusters, last_place = with_place(clusters, vector, second), _last_place(last_place, taught)
    gap_log, gaps = _gap(past, second)
    return UserHistory(
        past.logins + 1, past.failures, 0, min(past.first_seen or second, second), max(past.last_seen, second),
        past.last_failure, _counted(hours, int(second + home_offset_s) // 3600 % 24), placed, east, north, up,
        with_value(past.device, taught.device_id, second), network(past.ip, taught.ip, second),
        network(past.prefix, taught.prefix, second), network(past.asn, taught.asn_key, second),
        with_value(past.country, taught.country, second), with_value(past.device_type, taught.device_type, second),
        with_value(past.os, taught.os, second), with_value(past.browser, taught.browser, second),
        with_value(past.browser_version, taught.browser_version, second), with_value(past.ja4, taught.ja4, second),
        with_value(past.ja4h, taught.ja4h, second), with_value(past.ja4s, taught.ja4s, second), place,
        zones, home, home_offset_s, clusters, last_place, gap_log, gaps, past.heat, past.heat_at,
        past.pardoned, past.condemned,
    )  # fmt: skip


def _as_before(seen: Seen, _value: str, _second: int) -> Seen:
    return seen


def with_value(seen: Seen, value: str, second: int) -> Seen:
    """The values with one more login that had this one, which is now the most recent."""
    if not seen:
        return {value: _ONE_LOGIN | second}
    after = seen.copy()
    known = after.pop(value, 0)
    last = known & _SECONDS
    after[value] = known + _ONE_LOGIN + (second - last if second > last else 0)
    if len(after) > MOST_VALUES:
        del after[next(iter(after))]
    return after


def logins_with(seen: Seen, value: str) -> int:
    """How many of the person's logins had this value."""
    return seen.get(value, 0) >> SECONDS_BITS


def last_seen_at(seen: Seen, value: str) -> int:
    """When the value was last seen, epoch seconds; 0 for never."""
    return seen.get(value, 0) & _SECONDS


def heat_at(history: UserHistory, second: float) -> float:
    """The failures that have not faded by then."""
    return history.heat * math.exp(_COOLING * max(0.0, second - history.heat_at)) if history.heat else 0.0


def _at_home(past: UserHistory, zones: Seen, taught: Taught) -> tuple[str, int, tuple[int, ...]]:
    """The zone with most logins, what it is ahead of UTC, and the hours as its clocks tell them."""
    zone, offset = taught.zone, taught.utc_offset_s
    if zone == past.home:
        return zone, offset if zone else 0, past.hours
    if logins_with(zones, zone) <= logins_with(zones, past.home):
        return past.home, past.home_offset_s, past.hours
    return zone, offset, turned(past.hours, offset - past.home_offset_s)


def turned(hours: tuple[int, ...], ahead_s: int) -> tuple[int, ...]:
    """The hours as told by clocks that are so far ahead, to the whole hour."""
    turn = round(-ahead_s / 3600) % 24
    return hours[turn:] + hours[:turn]


def _counted(hours: tuple[int, ...], hour: int) -> tuple[int, ...]:
    counted = (*hours[:hour], hours[hour] + 1, *hours[hour + 1 :])
    return counted if sum(counted) <= ENOUGH_HOURS else tuple([(logins + 1) // 2 for logins in counted])


def _gap(past: UserHistory, second: int) -> tuple[float, int]:
    """The mean with the seconds since the last login; one that is reported late tells nothing."""
    if not past.logins or second < past.last_seen:
        return past.gap_log, past.gaps
    log = math.log(max(1, second - past.last_seen))
    return past.gap_log + (log - past.gap_log) / min(past.gaps + 1, ENOUGH_GAPS), past.gaps + 1


def vector_of(taught: Taught) -> Vector | None:
    """Where the login came from as a unit vector, None when unknown."""
    if taught.latitude is None or taught.longitude is None:
        return None
    return unit_vector(taught.latitude, taught.longitude)


def _last_place(last: LastPlace | None, taught: Taught) -> LastPlace | None:
    """The newest place; a relay's never hides where the person was seen to be."""
    second = int(taught.ts)
    if last is not None and (second < last[3] or (taught.is_shared and not last[4])):
        return last
    return taught.latitude or 0.0, taught.longitude or 0.0, taught.accuracy_km, second, taught.is_shared


def place_key(taught: Taught) -> str:
    """The half-degree cell of a place: about a city."""
    return f"{round((taught.latitude or 0.0) * 2) / 2:g},{round((taught.longitude or 0.0) * 2) / 2:g}"


def usual_place(history: UserHistory) -> tuple[float, float] | None:
    """Latitude and longitude of the middle of the places seen, None when none is known or they cancel out."""
    length = math.sqrt(history.east**2 + history.north**2 + history.up**2)
    if history.placed == 0 or length < 1e-6 * history.placed:
        return None
    return (
        math.degrees(math.asin(max(-1.0, min(1.0, history.up / length)))),
        math.degrees(math.atan2(history.north, history.east)),
    )
