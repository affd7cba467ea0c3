"""Which zone each login's place is in and what its clocks said then, asked once for each zone and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.observation import LocalTime
from training.columns.facts import AT_ONCE, Facts, Rows
from training.columns.texts import Codes, Texts

Where = tuple[str, float | None, float | None]
QUARTER_SECONDS = 900
"""Clocks are put forward and back on whole quarters of an hour (see `adapters.time_zones`)."""
A_DAY = 96


@dataclass(frozen=True)
class Clocks:
    """`keys` are the sorted (country, place) pairs of the log, `zone_of` their zones; `offsets` (zones, quarters)."""

    keys: NDArray[np.int64]
    zone_of: Codes
    offsets: NDArray[np.int32]
    first_quarter: int
    texts: Texts

    def of(self, facts: Facts, rows: Rows) -> tuple[Codes, NDArray[np.int32]]:
        """The number of each row's zone among `texts`, and the seconds it was ahead of UTC."""
        zones = self.zone_of[np.searchsorted(self.keys, _keys(facts, rows))]
        quarters = facts.log.timestamp[rows].astype(np.int64) // QUARTER_SECONDS - self.first_quarter
        return zones, self.offsets[zones, quarters]


def clocks_of(facts: Facts, local_time: LocalTime) -> Clocks:
    """The clocks of every place in the log, over the log's span."""
    pieces = [np.unique(_keys(facts, slice(start, start + AT_ONCE))) for start in range(0, len(facts.log), AT_ONCE)]
    keys, texts = np.unique(np.concatenate(pieces)), Texts()
    asked: dict[int, Where] = {}
    times = facts.log.timestamp
    first, last = int(times[0]) // QUARTER_SECONDS, int(times[-1]) // QUARTER_SECONDS
    zone_of = np.empty(len(keys), np.int32)
    countries, width = facts.texts["country"], len(facts.places.latitude) + 1
    for number, key in enumerate(keys.tolist()):
        code, place = divmod(key, width)
        where: Where = (countries.text(code), *_degrees(facts, place - 1))
        zone, _ = local_time(*where, float(times[0]))
        zone_of[number] = texts.code(zone)
        asked.setdefault(int(zone_of[number]), where)
    offsets = np.zeros((len(texts), last - first + 1), np.int32)
    for zone_code, where in asked.items():
        _fill(offsets[zone_code], partial(_ahead, local_time, where, first))
    return Clocks(keys, zone_of, offsets, first, texts)


def _keys(facts: Facts, rows: Rows | slice) -> NDArray[np.int64]:
    country = facts.codes("country", rows).astype(np.int64)
    place = facts.networks.place[facts.log.codes["ip"][rows]].astype(np.int64)
    return country * (len(facts.places.latitude) + 1) + place + 1


def _degrees(facts: Facts, place: int) -> tuple[float | None, float | None]:
    if place < 0:
        return None, None
    return float(facts.places.latitude[place]), float(facts.places.longitude[place])


def _ahead(local_time: LocalTime, where: Where, first_quarter: int, at: int) -> int:
    return local_time(*where, float((first_quarter + at) * QUARTER_SECONDS))[1]


def _fill(offsets: NDArray[np.int32], ask: Callable[[int], int]) -> None:
    """Asks day by day, and closer where a day ends with another offset than it began with."""
    for start in range(0, len(offsets), A_DAY):
        stop = min(start + A_DAY, len(offsets)) - 1
        begin = ask(start)
        offsets[start : stop + 1] = begin
        if begin != ask(stop):
            offsets[start : stop + 1] = [ask(at) for at in range(start, stop + 1)]
