"""Where each person usually is, from all logins of a large log, written person by person: `user_geo.json`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from training.aggregates import UNIT
from training.columns.facts import AT_ONCE, Facts


def write_places(facts: Facts, path: Path) -> str:
    """A JSON object from person to latitude and longitude, in the order of ids; its SHA-256. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in _pieces(facts):
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _pieces(facts: Facts) -> Iterator[bytes]:
    people, degrees = _usual(facts)
    texts = facts.texts["user_id"]
    yield b"{"
    for start in range(0, len(people), AT_ONCE):
        some = zip(people[start : start + AT_ONCE].tolist(), degrees[start : start + AT_ONCE].tolist(), strict=True)
        found = {texts.text(code): {"latitude": lat, "longitude": lon} for code, (lat, lon) in some}
        yield (b"," if start else b"") + msgspec.json.encode(found)[1:-1]
    yield b"}"


def _usual(facts: Facts) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Whose usual place is known, and its degrees: the middle of the places of their successful logins."""
    log = facts.log
    users = len(log.texts["user_id"])
    sums, placed = np.zeros((3, users)), np.zeros(users)
    if not len(facts.places.latitude):
        return np.empty(0, np.int64), np.empty((0, 2))
    whole = np.round(facts.places.vector * UNIT)  # sums of whole numbers are the same in any order
    for start in range(0, len(log), AT_ONCE):
        rows = start + np.flatnonzero((log.success & log.learned)[start : start + AT_ONCE])
        place = facts.networks.place[log.codes["ip"][rows]]
        who, where = log.codes["user_id"][rows[place >= 0]], place[place >= 0]
        placed += np.bincount(who, minlength=users)
        for axis in range(3):
            sums[axis] += np.bincount(who, weights=whole[where, axis], minlength=users)
    vector = sums / UNIT
    length = np.sqrt((vector**2).sum(axis=0))
    order = log.texts["user_id"].in_order()
    people = order[(placed[order] > 0) & (length[order] >= 1e-6 * placed[order])]
    latitude = np.degrees(np.arcsin(np.clip(vector[2, people] / length[people], -1.0, 1.0)))
    longitude = np.degrees(np.arctan2(vector[1, people], vector[0, people]))
    return people, np.round(np.stack([latitude, longitude], axis=1), 6)
