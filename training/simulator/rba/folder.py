"""The invented log as a folder of Parquet files, a month a folder: `month=2020-02/part-000.parquet`."""

import collections
import contextlib
import datetime
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import compute, parquet

from training.simulator.rba.draws import Draws, Whole
from training.simulator.rba.logins import day_of_logins
from training.simulator.rba.places import MOBILE, load_places
from training.simulator.rba.population import Population
from training.simulator.rba.rows import Logins, together
from training.simulator.rba.schedule import FIRST_DAY, SPAN_DAYS, schedule
from training.simulator.rba.software import load_software

FILE_ROWS = 1_000_000
GROUP_ROWS = 200_000
SYNTHETIC = "synthetic: people, addresses and logins are invented"
_RTT_SHARE = 0.05
Counts = collections.Counter[str]
"""Rows by what they are: honest, stuffing, takeover."""


@dataclass(frozen=True)
class Plan:
    """What is to be invented."""

    rows: int
    people: int
    seed: int


@dataclass(frozen=True)
class Part:
    """One file: its path below the folder, and its days, 0 being the first one."""

    path: str
    days: range
    rows: int


def parts(plan: Plan) -> list[Part]:
    """Every file of the log; together they have exactly the rows that are planned."""
    return _parts(schedule(plan.rows, plan.people, Draws(plan.seed)).rows)


def _parts(rows: Whole) -> list[Part]:
    found: list[Part] = []
    months = itertools.groupby(range(SPAN_DAYS), key=lambda day: _date(day)[:7])
    for month, days in months:
        begins, total, number = None, 0, 0
        every = list(days)
        for day in every:
            begins = day if begins is None else begins
            total += int(rows[day])
            if total >= FILE_ROWS or day == every[-1]:
                found.append(Part(f"month={month}/part-{number:03}.parquet", range(begins, day + 1), total))
                begins, total, number = None, 0, number + 1
    return [part for part in found if part.rows]


def _date(day: int) -> str:
    return (FIRST_DAY + datetime.timedelta(days=day)).isoformat()


class Writer:
    """Writes files of one log; each process has its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        draws = Draws(plan.seed)
        self._schedule = schedule(plan.rows, plan.people, draws)
        self._population = Population.of(plan.people, draws, self._schedule.joined_by)

    def write(self, part: Part, folder: Path) -> Counts:
        """Write the file below `folder`; how many rows of each kind it has. Raises: OSError."""
        path = folder / part.path
        path.parent.mkdir(parents=True, exist_ok=True)
        counts: Counts = collections.Counter()
        with contextlib.ExitStack() as open_files:
            file = None
            for logins in self._groups(part):
                table = self._table(logins)
                if file is None:
                    file = open_files.enter_context(_opened(path, table.schema))
                    file.add_key_value_metadata({"note": SYNTHETIC, "riskgate": self._told()})
                file.write_table(table, row_group_size=len(table))
                counts["takeover"] += int(logins.is_takeover.sum())
                counts["stuffing"] += int((logins.is_attack_address & ~logins.is_takeover).sum())
        counts["honest"] = part.rows - sum(counts.values())
        return counts

    def _groups(self, part: Part) -> Iterator[Logins]:
        """Some days at a time, so that memory does not grow with the file."""
        waiting: list[Logins] = []
        for day in part.days:
            waiting.append(day_of_logins(day, self._schedule, self._population))
            if sum(map(len, waiting)) >= GROUP_ROWS or day == part.days[-1]:
                yield together(waiting)
                waiting = []

    def _table(self, logins: Logins) -> Any:
        places, software = load_places(), load_software()
        is_vague = logins.role == MOBILE
        where = logins.place + np.where(is_vague, len(places), 0)
        vague = ("-",) * len(places)
        rtt, has_rtt = self._round_trips(logins)
        columns = {
            "Login Timestamp": pyarrow.array(logins.moment, pyarrow.timestamp("ms")),
            "User ID": pyarrow.array(self._population.user_ids(logins.person)),
            "Round-Trip Time [ms]": pyarrow.array(rtt, pyarrow.int32(), mask=~has_rtt),
            "IP Address": _addresses(logins.address),
            "Country": _coded(logins.place, places.country),
            "Region": _coded(where, places.region + vague),
            "City": _coded(where, places.city + vague),
            "ASN": pyarrow.array(places.asn[logins.place, logins.role], pyarrow.int32()),
            "User Agent String": _coded(logins.software, software.agent),
            "Browser Name and Version": _coded(logins.software, software.browser),
            "OS Name and Version": _coded(logins.software, software.system),
            "Device Type": _coded(logins.software, software.device_type),
            "Login Successful": pyarrow.array(logins.success),
            "Is Attack IP": pyarrow.array(logins.is_attack_address),
            "Is Account Takeover": pyarrow.array(logins.is_takeover),
        }
        return pyarrow.table(columns)

    def _told(self) -> str:
        """What each file says of itself, as JSON."""
        plan = self._plan
        return json.dumps({"synthetic": SYNTHETIC, "rows": plan.rows, "people": plan.people, "seed": plan.seed})

    def _round_trips(self, logins: Logins) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Milliseconds of those few logins that it was measured of: a line's own, and what the moment adds."""
        draws = self._population.draws
        line = 12 + draws.below(180, "line's round trip", logins.address)
        measured = draws.happens(_RTT_SHARE, "measured", logins.person, logins.moment)
        return line + draws.below(60, "round trip", logins.moment, logins.person), measured


def _opened(path: Path, schema: Any) -> Any:
    # Without Arrow's own notes on the schema a reader finds plain texts, not our codes.
    return parquet.ParquetWriter(path, schema, compression="zstd", compression_level=1, store_schema=False)


def _coded(codes: Whole, texts: Sequence[str]) -> Any:
    """The texts of these codes, each one that occurs kept once."""
    first, places = _distinct(tuple(texts))
    codes = places[codes]
    used = np.flatnonzero(np.bincount(codes, minlength=len(first)))
    new = np.zeros(len(first), np.int32)
    new[used] = np.arange(len(used))
    return pyarrow.DictionaryArray.from_arrays(new[codes], [first[code] for code in used.tolist()])


@cache
def _distinct(texts: tuple[str, ...]) -> tuple[tuple[str, ...], Whole]:
    """The texts without repetitions, and the place of each among them."""
    known = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return tuple(known), np.array([known[text] for text in texts], np.int64)


def _addresses(numbers: Whole) -> Any:
    first, last = _address_texts()
    return compute.binary_join_element_wise(first.take(numbers >> 8), last.take(numbers & 255), "")


@cache
def _address_texts() -> tuple[Any, Any]:
    """Every "10.x.y." and every last number."""
    return (
        pyarrow.array([f"10.{number >> 8}.{number & 255}." for number in range(1 << 16)]),
        pyarrow.array([str(number) for number in range(256)]),
    )
