"""The pressure around some logins of a large log, from all of its logins: what `core.pressure.Crowd` would have said.

Asked for all logins at once and key by key. A crowd in the scorer forgets the keys that were idle longest once there
are 100,000; here none is forgotten: what differs has halved dozens of times by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.facts import NO_PRESSURE, Pressure
from risk_scorer.core.lessons import OutcomeKind
from risk_scorer.core.pressure import HALF_LIFE_SECONDS, MOST_PEOPLE, Attempt, Crowd
from risk_scorer.core.signals import PLACE
from training.columns.facts import Facts

Matrix = NDArray[np.float64]

_COLUMNS = [PLACE[f"{where}_{what}"] for where in ("network", "device") for what in ("failures", "people", "logins")]


class AskedCrowd(Crowd):
    """Says nothing yet and remembers who asked: observations whose `event_id` is a place in a table."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = Asked()

    def around(self, seen: Attempt, *, now: float = inf) -> Pressure:
        """No pressure, for now."""
        asked = self.asked
        asked.place.append(int(getattr(seen, "event_id")))  # noqa: B009 an attempt has one where it is an observation
        asked.ts.append(min(seen.ts, now))
        asked.ip.append(seen.ip)
        asked.prefix.append(seen.prefix)
        asked.device.append(seen.device_id)
        return NO_PRESSURE

    def learn(self, seen: Attempt, outcome: OutcomeKind, *, now: float = inf) -> None:
        """Nothing: the whole log is asked later."""


@dataclass
class Asked:
    """One entry for each question, in the order they were asked; `place` is that of the login it was asked about."""

    place: list[int] = field(default_factory=list)
    ts: list[float] = field(default_factory=list)
    ip: list[str] = field(default_factory=list)
    prefix: list[str] = field(default_factory=list)
    device: list[str] = field(default_factory=list)

    def own(self) -> NDArray[np.bool_]:
        """(n,) which questions were about the login itself: the last one at its place, after those about strangers."""
        place = np.array(self.place, np.int64)
        return np.append(place[1:] != place[:-1], True) if len(place) else np.zeros(0, bool)


def put_in(signals: Matrix, pressures: Matrix) -> None:
    """Write (n, 6) pressures where (n, columns) signals have them."""
    signals[:, _COLUMNS] = pressures


def pressures(facts: Facts, asked: Asked, rows: NDArray[np.int64]) -> Matrix:
    """(n, 6) the numbers of `Pressure` in its order; `rows` are the log's rows at the places that were asked about."""
    at = rows[np.array(asked.place, np.int64)]
    ts = np.array(asked.ts)
    texts = facts.texts
    near = _of(facts, "ip", texts["ip"].coded_all(asked.ip), at, ts)
    wide = _of(facts, "prefix", texts["prefix"].coded_all(asked.prefix), at, ts)
    held = _of(facts, "device", texts["device_id"].coded_all(asked.device), at, ts)
    is_near = np.zeros(len(ts), bool)
    for column in (2, 1, 0):  # the last comparison that differs decides: people, then failures, then logins
        is_near = np.where(near[:, column] == wide[:, column], is_near, near[:, column] > wide[:, column])
    return np.concatenate([np.where(is_near[:, None], near, wide)[:, [1, 0, 2]], held[:, [1, 0, 2]]], axis=1)


def _of(facts: Facts, name: str, keys: NDArray[np.int32], at: NDArray[np.int64], ts: Matrix) -> Matrix:
    """(n, 3) people, failures and logins at these keys, as of before these rows of the log; 0 for the text ""."""
    log, found = facts.log, np.zeros((len(keys), 3))
    codes = facts.codes(name, slice(None))
    wanted = np.zeros(int(max(codes.max(initial=0), keys.max(initial=0))) + 1, bool)
    wanted[keys] = True
    wanted[0] = False
    rows = np.flatnonzero(log.learned & wanted[codes])
    rows = rows[np.argsort(codes[rows], kind="stable")]
    questions = np.lexsort((at, keys))
    own = log.codes["user_id"][rows], log.timestamp[rows], log.success[rows]
    _walk((codes[rows], rows, *own), (keys, at, ts), questions, HALF_LIFE_SECONDS, MOST_PEOPLE, found)
    return found


@njit(cache=True, nogil=True)
def _walk(logins: Any, asked: Any, questions: Any, half_life: float, most: int, found: Any) -> None:
    keys, rows, users, times, success = logins
    of_key, at_row, at_ts = asked
    failed, let_in = np.empty(most + 1, np.int64), np.empty(most + 1, np.int64)
    failed_at, let_in_at = np.empty(most + 1), np.empty(most + 1)
    sums = np.zeros(3)
    start = 0
    question = 0
    while question < questions.shape[0]:
        key = of_key[questions[question]]
        while start < keys.shape[0] and keys[start] < key:
            start += 1
        sums[:] = 0.0
        at, failures, entries, row = 0.0, 0, 0, start
        while question < questions.shape[0] and of_key[questions[question]] == key:
            asks = questions[question]
            while row < keys.shape[0] and keys[row] == key and rows[row] < at_row[asks]:
                ts = times[row]
                if row > start and ts > at:
                    sums *= np.exp2((at - ts) / half_life)
                at = ts
                if success[row]:
                    entries, news = _news(let_in, let_in_at, entries, users[row], ts, half_life, most)
                    sums[2] += news
                else:
                    failures, news = _news(failed, failed_at, failures, users[row], ts, half_life, most)
                    sums[1] += 1.0
                    sums[0] += news
                row += 1
            if row > start:
                left = np.exp2((at - at_ts[asks]) / half_life) if at_ts[asks] > at else 1.0
                for column in range(3):
                    found[asks, column] = sums[column] * left
            question += 1
        start = row


@njit(cache=True, nogil=True)
def _news(people: Any, times: Any, size: int, person: int, ts: float, half_life: float, most: int) -> Any:
    """The people with this one as the latest, and what that adds where each counts once."""
    weight = 1.0
    for place in range(size):
        if people[place] == person:
            if ts <= times[place]:
                return size, 0.0
            weight -= np.exp2((times[place] - ts) / half_life)
            for later in range(place, size - 1):
                people[later], times[later] = people[later + 1], times[later + 1]
            size -= 1
            break
    people[size], times[size] = person, ts
    size += 1
    if size > most:
        for place in range(size - 1):
            people[place], times[place] = people[place + 1], times[place + 1]
        size -= 1
    return size, weight
