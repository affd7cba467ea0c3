"""How much likelier this login is from somebody else than from this person, in nats, one term for each level.

Source: Freeman, Jain, Dürmuth, Biggio, Giacinto 2016, "Who Are You? A Statistical Approach to Measuring User
Authenticity", with back-off along two chains (world → country → ASN → prefix → address; world → device type → OS →
browser → version → TLS fingerprint), so that what follows from a new country is not counted again as a new network.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.signals import LEVELS, PLACE

Vector = NDArray[np.float64]

PARENT = {
    "country": "", "asn": "country", "prefix": "asn", "ip": "prefix",
    "device_type": "", "os": "device_type", "browser": "os", "browser_version": "browser",
    "device": "", "ja4": "browser_version", "ja4h": "ja4", "ja4s": "ja4h",
}  # fmt: skip
"""The level that must be known before a new value at this one says something by itself; "" is any login."""

MIMICRY = {
    "country": 0.5, "asn": 0.1, "prefix": 0.05, "ip": 0.05,
    "device_type": 0.5, "os": 0.4, "browser": 0.4, "browser_version": 0.3,
    "device": 0.05, "ja4": 0.3, "ja4h": 0.5, "ja4s": 0.5,
}  # fmt: skip
"""Share of attackers who come with the victim's own value: a VPN exit in the country, a popular browser.

It bounds how much a familiar value can excuse: never less than log of it.
"""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Numbers for each of `LEVELS`, (12,) each, measured at training.

    `strength` logins' worth of back-off and `discount` (0-1) logins taken from each known value for the ones not yet
    seen (Pitman-Yor); `scale` and `unseen` from `encoders.uniform_ratios`, 0 where rarity is not evidence;
    `used` 1 where the log has the column. `most` bounds a term, so that one novelty alone never decides.
    """

    strength: Vector
    discount: Vector
    scale: Vector
    unseen: Vector
    used: Vector
    most: float


def terms(signals: Vector, likelihood: Likelihood, *, total: float, kinds: Vector) -> Vector:
    """(n, 12) nats: positive speaks against the person. A person without history gets the rarity of the value alone."""
    out = np.empty((len(signals), len(LEVELS)))
    _fill(
        signals,
        likelihood.strength,
        likelihood.discount,
        likelihood.scale,
        likelihood.unseen,
        likelihood.used,
        likelihood.most,
        total,
        kinds,
        _COLUMNS,
        _MIMICRY,
        _BELOW,
        out,
    )
    return out


def world_share(count: Any, parent: Any, values: Any) -> Any:
    """Among everyone, the share of a value given its parent; half a login for each value there could be."""
    return np.minimum(1.0, (count + 0.5) / (parent + 0.5 * (values + 1.0)))


def own_share(seen: Any, logins: Any, spread: Any, world: Any, strength: Any, discount: Any) -> Any:
    """Among one person's `logins` with the parent, the share of a value `seen` so often, backing off to the world's.

    `spread` is how many values the person has had: whoever often has a new one surprises less with the next.
    """
    taken = discount * np.minimum(spread, logins)
    kept = np.maximum(np.minimum(seen, logins) - discount, 0.0)
    return (kept + (strength + taken) * world) / (logins + strength)


_world = njit(cache=True, nogil=True)(world_share)
_own = njit(cache=True, nogil=True)(own_share)

_LOGINS = PLACE["logins"]
_SEEN = np.array([PLACE[f"seen_{name}"] for name in LEVELS])
_SPREAD = np.array([PLACE[f"spread_{name}"] for name in LEVELS])
_COUNT = np.array([PLACE[f"count_{name}"] for name in LEVELS])
_KIND = np.array([COUNTED.index(name) for name in LEVELS])
_PARENT_SEEN = np.array([PLACE[f"seen_{PARENT[name]}"] if PARENT[name] else _LOGINS for name in LEVELS])
_PARENT_COUNT = np.array([PLACE[f"count_{PARENT[name]}"] if PARENT[name] else -1 for name in LEVELS])
_PARENT = np.array([LEVELS.index(PARENT[name]) if PARENT[name] else -1 for name in LEVELS])
_COLUMNS = np.stack([_SEEN, _SPREAD, _COUNT, _KIND, _PARENT_SEEN, _PARENT_COUNT, _PARENT], axis=1)
# Given to the kernel as an argument: see `features`.
_MIMICRY = np.array([MIMICRY[name] for name in LEVELS])
_FAMILIAR = np.log(_MIMICRY)


def _stands_below(level: str, other: str) -> bool:
    above = PARENT[other]
    return bool(above) and (above == level or _stands_below(level, above))


FINGERPRINTS = ("ja4", "ja4h", "ja4s")
_BELOW = np.array([[other in FINGERPRINTS and _stands_below(level, other) for other in LEVELS] for level in LEVELS])


def familiar(signals: Vector, likelihood: Likelihood) -> Vector:
    """(n, 12) what a value that the person's history lacks costs them: its term had it been their own; else 0."""
    is_new = (signals[:, _SEEN] == 0.0) & (signals[:, _LOGINS] > 0.0)[:, None]
    lost: Vector = is_new * (likelihood.used * _FAMILIAR)
    return lost


@njit(cache=True, nogil=True)
def _rarity(count: float, scale: float, unseen: float) -> float:
    """How much rarer than usual a value is among everyone; 1 where rarity is no evidence."""
    if scale == 0.0:
        return 1.0
    return scale / count if count > 0.0 else unseen


@njit(cache=True, nogil=True)
def _term(ratio: float, rarity: float, share: float, most: float) -> float:
    return min(most, math.log(share + (1.0 - share) * ratio * rarity))


@njit(cache=True, nogil=True)
def _silenced(
    row: Any,
    logins: float,
    level: int,
    strength: Any,
    discount: Any,
    scale: Any,
    unseen: Any,
    used: Any,
    most: float,
    columns: Any,
    mimicry: Any,
    below: Any,
) -> float:
    """The most that a fingerprint below this new value would have said, had the value not been new as well.

    Below a new value it says nothing by itself, so the new value says at least as much: a stranger must not look
    better for getting more wrong.
    """
    found = -math.inf
    for other in range(level + 1, below.shape[1]):
        if below[level, other] and used[other] > 0.0:
            spread = min(row[columns[other, 1]], logins)
            ratio = (logins + strength[other]) / (strength[other] + discount[other] * spread)
            rarity = _rarity(row[columns[other, 2]], scale[other], unseen[other])
            found = max(found, _term(ratio, rarity, mimicry[other], most))
    return found


@njit(cache=True, nogil=True)
def _fill(
    signals: Any,
    strength: Any,
    discount: Any,
    scale: Any,
    unseen: Any,
    used: Any,
    most: float,
    total: float,
    kinds: Any,
    columns: Any,
    mimicry: Any,
    below: Any,
    out: Any,
) -> None:
    is_known = np.empty(out.shape[1], np.bool_)
    for row in range(signals.shape[0]):
        for level in range(out.shape[1]):
            own_seen, own_spread, everyone, kind, parent_seen, parent_count, above = columns[level]
            # known is what the person has had before, under a value that is known itself
            has_known_parent = above < 0 or is_known[above]
            is_known[level] = has_known_parent and (used[level] == 0.0 or signals[row, own_seen] > 0.0)
            if used[level] == 0.0:
                out[row, level] = 0.0
                continue
            count = signals[row, everyone]
            parent = total if parent_count < 0 else signals[row, parent_count]
            world = _world(count, parent, kinds[kind])
            seen, spread = signals[row, own_seen], signals[row, own_spread]
            logins = signals[row, parent_seen] if has_known_parent else 0.0
            ratio = world / _own(seen, logins, spread, world, strength[level], discount[level])
            rarity = _rarity(count, scale[level], unseen[level])
            if seen > 0.0:  # what is the person's own may be as rare as it likes
                rarity = min(1.0, rarity)
            term = _term(ratio, rarity, mimicry[level], most)
            if seen == 0.0 and logins > 0.0:
                term = max(term, _silenced(signals[row], logins, level, strength, discount, scale, unseen, used, most,
                                           columns, mimicry, below))  # fmt: skip
            out[row, level] = term
