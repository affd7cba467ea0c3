"""What a person's own logins look like, bounded in size. It learns from finished outcomes; scoring never learns.

Every attribute keeps at most `MOST_VALUES` values, the least recently seen leaves first. Dictionary order is recency.
"""

import math
from typing import Literal

from msgspec import Struct, msgpack

from risk_scorer.core.observation import Observation

OutcomeKind = Literal["success", "mfa_passed", "mfa_failed", "failure"]
Seen = dict[str, int]
"""value → logins with it and when it was last seen, packed into one integer (see `logins_with`, `last_seen_at`).

A dictionary of texts and integers is small, and the garbage collector need not visit it.
"""
SECONDS_BITS = 32  # epoch seconds until 2106
_ONE_LOGIN = 1 << SECONDS_BITS
_SECONDS = _ONE_LOGIN - 1

MOST_VALUES = 32
BAD_REPUTATION = 50.0  # of 100; from here on a rule speaks against the network
NO_HOURS = (0,) * 24
OWN: frozenset[str] = frozenset({"success", "mfa_passed"})


class UserHistory(Struct, frozen=True, array_like=True, gc=False):
    """One person's past. Frozen by convention too: `learn` returns a new one and shares nothing that changes.

    `east`, `north`, `up` add up unit vectors of the places seen (`placed` of them), so that their mean survives the
    date line.
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
    past = history or EMPTY
    return _own(past, observation) if outcome in OWN else _failed(past, int(observation.ts))


def _failed(past: UserHistory, second: int) -> UserHistory:
    return UserHistory(
        past.logins,
        past.failures + 1,
        past.failures_since_success + 1,
        past.first_seen,
        past.last_seen,
        max(past.last_failure, second),
        past.hours,
        past.placed,
        past.east,
        past.north,
        past.up,
        past.device,
        past.ip,
        past.prefix,
        past.asn,
        past.country,
        past.device_type,
        past.os,
        past.browser,
        past.browser_version,
        past.ja4,
        past.ja4h,
        past.ja4s,
        past.place,
    )


def _own(past: UserHistory, seen: Observation) -> UserHistory:
    second = int(seen.ts)
    network = _with if is_somebodys(seen) else _as_before
    east, north, up, placed = _placed(past, seen)
    return UserHistory(
        past.logins + 1,
        past.failures,
        0,
        min(past.first_seen or second, second),
        max(past.last_seen, second),
        past.last_failure,
        _counted_hour(past.hours, second // 3600 % 24),
        placed,
        east,
        north,
        up,
        _with(past.device, seen.device_id, second),
        network(past.ip, seen.ip, second),
        network(past.prefix, seen.prefix, second),
        network(past.asn, seen.asn_key, second),
        _with(past.country, seen.country, second),
        _with(past.device_type, seen.device_type, second),
        _with(past.os, seen.os, second),
        _with(past.browser, seen.browser, second),
        _with(past.browser_version, seen.browser_version, second),
        _with(past.ja4, seen.ja4, second),
        _with(past.ja4h, seen.ja4h, second),
        _with(past.ja4s, seen.ja4s, second),
        past.place if placed == past.placed else _with(past.place, _place_key(seen), second),
    )


def is_somebodys(seen: Observation) -> bool:
    """Whether the network says anything about the person: a Tor exit or a listed network is anybody's.

    Learned from, it would make the next stranger behind it look like the one who passed a second factor there once.
    """
    return not (seen.network.kind == "tor" or seen.network.is_listed or seen.ip_rep >= BAD_REPUTATION)


def _as_before(seen: Seen, _value: str, _second: int) -> Seen:
    return seen


def _with(seen: Seen, value: str, second: int) -> Seen:
    if not seen:
        return {value: _ONE_LOGIN | second}
    after = dict(seen)
    known = after.pop(value, 0)
    after[value] = ((known >> SECONDS_BITS) + 1) << SECONDS_BITS | max(known & _SECONDS, second)
    if len(after) > MOST_VALUES:
        del after[next(iter(after))]
    return after


def logins_with(seen: Seen, value: str) -> int:
    """How many of the person's logins had this value."""
    return seen.get(value, 0) >> SECONDS_BITS


def last_seen_at(seen: Seen, value: str) -> int:
    """When the value was last seen, epoch seconds; 0 for never."""
    return seen.get(value, 0) & _SECONDS


def _counted_hour(hours: tuple[int, ...], hour: int) -> tuple[int, ...]:
    return (*hours[:hour], hours[hour] + 1, *hours[hour + 1 :])


def _placed(past: UserHistory, seen: Observation) -> tuple[float, float, float, int]:
    latitude, longitude = seen.network.latitude, seen.network.longitude
    if latitude is None or longitude is None:
        return past.east, past.north, past.up, past.placed
    phi, lam = math.radians(latitude), math.radians(longitude)
    level = math.cos(phi)
    return (
        past.east + level * math.cos(lam),
        past.north + level * math.sin(lam),
        past.up + math.sin(phi),
        past.placed + 1,
    )


def _place_key(seen: Observation) -> str:
    """The half-degree cell of a place: about a city."""
    return f"{round((seen.network.latitude or 0.0) * 2) / 2:g},{round((seen.network.longitude or 0.0) * 2) / 2:g}"


def usual_place(history: UserHistory) -> tuple[float, float] | None:
    """Latitude and longitude of the middle of the places seen, None when none is known or they cancel out."""
    length = math.sqrt(history.east**2 + history.north**2 + history.up**2)
    if history.placed == 0 or length < 1e-6 * history.placed:
        return None
    return (
        math.degrees(math.asin(max(-1.0, min(1.0, history.up / length)))),
        math.degrees(math.atan2(history.north, history.east)),
    )
