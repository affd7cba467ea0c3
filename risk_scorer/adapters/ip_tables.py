"""The address tables at work: unpacked once into a cache directory, then memory-mapped by every process.

Unpacking takes seconds and happens once for each table file; later starts map the same files in milliseconds. What the
addresses mean beyond place and operator (who lists them, what an operator overrides) is `ip_claims`.
"""

import fcntl
import os
import re
import shutil
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec import structs

from risk_scorer.adapters.ip_table_format import (
    FILE_NAME,
    BadIpTable,
    Header,
    Numbers,
    read_header,
    unpack,
)
from risk_scorer.adapters.ip_table_records import DEGREE_STEPS, NO_DEGREES

PACKAGED = Path(__file__).resolve().parent.parent / "data"
OWN_FOLDER = "tables"
CACHE_NAME_LENGTH = 32
OURS = re.compile(r"[0-9a-f]{32}|\.draft-.+")
ROWS_TOLD = ("city4_starts", "city6_starts", "asn4_starts", "asn6_starts", "place_region", "asn_number")
SECONDS_A_DAY = 86_400.0


def tables_in_use(state_dir: Path) -> Path:
    """The directory of the tables that an operator built or replaced in this state, else of the packaged ones."""
    own = state_dir / OWN_FOLDER
    return own if (own / FILE_NAME).is_file() else PACKAGED


class Spot(NamedTuple):
    """Where an address is; "" and None are unknown."""

    country: str
    region: str
    city: str
    latitude: float | None
    longitude: float | None
    accuracy_km: float | None


NOWHERE = Spot("", "", "", None, None, None)
NOBODY = (0, "")


def view(numbers: Any) -> memoryview:
    """The column as a buffer that hands out Python integers, six times faster than numpy makes its scalars."""
    return memoryview(numbers)


class Lookup:
    """The value of the range that holds an address, by binary search over mapped columns."""

    def __init__(self, starts: Numbers, values: Numbers) -> None:
        self._starts, self._values = view(starts), view(values)

    def at(self, address: int) -> int:
        """The value at an address (IPv4) or a /64 (IPv6, its upper 64 bits)."""
        value: int = self._values[bisect_right(self._starts, address) - 1]
        return value


class Texts:
    """Texts stored end to end; row numbers in, texts out."""

    def __init__(self, text: Numbers, ends: Numbers) -> None:
        self._text, self._ends = view(text), view(ends)

    def __getitem__(self, row: int) -> str:
        first = self._ends[row - 1] if row else 0
        return str(self._text[first : self._ends[row]], "utf-8")


class IpTables:
    """Place and operator of any address, read only and safe to share between threads."""

    def __init__(self, header: Header, columns: dict[str, Numbers]) -> None:
        self.header = header
        self.rows = {name: numbers.shape[0] for name, numbers in columns.items()}
        self._city = {v: Lookup(columns[f"city{v}_starts"], columns[f"city{v}_values"]) for v in (4, 6)}
        self._asn = {v: Lookup(columns[f"asn{v}_starts"], columns[f"asn{v}_values"]) for v in (4, 6)}
        self._place = tuple(
            view(columns[f"place_{name}"]) for name in ("region", "city", "latitude", "longitude", "accuracy")
        )
        self._regions = Texts(columns["region_text"], columns["region_text_ends"])
        self._cities = Texts(columns["city_text"], columns["city_text_ends"])
        self._numbers = view(columns["asn_number"])
        self._operators = Texts(columns["asn_text"], columns["asn_text_ends"])

    @classmethod
    def open(cls, tables_dir: Path, cache_dir: Path) -> "IpTables":
        """The tables in a directory, unpacked below the cache directory unless they already are. Raises BadIpTable."""
        path = tables_dir / FILE_NAME
        header, name = read_header(path)
        try:
            cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone_in(cache_dir):
                columns = _unpacked(path, header, cache_dir / name[:CACHE_NAME_LENGTH])
        except OSError as error:
            raise BadIpTable("ip_table_unwritable", f"cannot unpack into {cache_dir}: {error.strerror}") from error
        return cls(header, columns)

    def spot(self, version: int, address: int) -> Spot:
        """Where an address is."""
        place = self._city[version].at(address)
        if place == 0:
            return NOWHERE
        region, city, latitude, longitude, accuracy = self._place
        country, _, region_name = self._regions[region[place]].partition("\t")
        if latitude[place] == NO_DEGREES:
            return Spot(country, region_name, self._cities[city[place]], None, None, None)
        return Spot(
            country,
            region_name,
            self._cities[city[place]],
            latitude[place] / DEGREE_STEPS,
            longitude[place] / DEGREE_STEPS,
            float(accuracy[place]) or None,
        )

    def operator(self, version: int, address: int) -> tuple[int, str]:
        """The autonomous system that announces an address: number and name, (0, "") when nobody does."""
        row = self._asn[version].at(address)
        return (self._numbers[row], self._operators[row]) if row else NOBODY

    def operator_name(self, number: int) -> str:
        """The name of an autonomous system, "" when unknown."""
        row = bisect_right(self._numbers, number) - 1
        return self._operators[row] if self._numbers[row] == number else ""

    def cities(self) -> list[tuple[float, float]]:
        """Where there are places: latitude and longitude to half a degree, each once."""
        latitude, longitude = (np.asarray(self._place[at]) for at in (2, 3))
        known = (latitude != NO_DEGREES) & (longitude != NO_DEGREES)
        halves = [np.rint(2.0 * each[known] / DEGREE_STEPS).astype(np.int64) for each in (latitude, longitude)]
        cells = np.unique(1_000 * (halves[0] + 180) + halves[1] + 360)  # numbers sort much sooner than pairs
        return [(cell // 1_000 / 2.0 - 90.0, cell % 1_000 / 2.0 - 180.0) for cell in cells.tolist()]

    def describe(self) -> dict[str, Any]:
        """Sources with their dates and attribution, and how many ranges and places there are."""
        header, rows = self.header, self.rows
        return {
            "city": structs.asdict(header.city),
            "asn": structs.asdict(header.asn),
            "rows": {name: rows[name] for name in ROWS_TOLD},
        }


def age_days(header: Header, now: float) -> float:
    """How old the older of the two sources is at epoch second `now`, in days."""
    days = (date.fromisoformat(source.date) for source in (header.city, header.asn))
    oldest = min(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
    return (now - oldest.timestamp()) / SECONDS_A_DAY


def _unpacked(path: Path, header: Header, directory: Path) -> dict[str, Numbers]:
    columns = _mapped(header, directory)
    if columns is None:
        _unpack_into(path, header, directory)
        columns = _mapped(header, directory)
    if columns is None:
        raise BadIpTable("ip_table_corrupt", f"what was unpacked into {directory.name} cannot be read back")
    return columns


def _mapped(header: Header, directory: Path) -> dict[str, Numbers] | None:
    """The columns in a cache directory, or None when any is missing or not what the header says."""
    columns = {}
    for column in header.columns:
        try:
            numbers = np.load(directory / f"{column.name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        if numbers.dtype.name != column.dtype or numbers.shape != (column.rows,):
            return None
        columns[column.name] = numbers
    return columns


def _unpack_into(path: Path, header: Header, directory: Path) -> None:
    """Make the cache directory, whole or not at all; drop those of tables that were replaced.

    A process that still maps a dropped one keeps its files until it ends.
    """
    draft = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".draft-"))
    try:
        columns: dict[str, Numbers] = {}
        unpack(path, header, lambda name, numbers: _save(draft, name, numbers, columns))
        _check(columns)
        for old in directory.parent.iterdir():
            if old != draft and OURS.fullmatch(old.name):
                shutil.rmtree(old)
        draft.rename(directory)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _save(directory: Path, name: str, numbers: Numbers, columns: dict[str, Numbers]) -> None:
    with (directory / f"{name}.npy").open("wb") as file:
        np.save(file, numbers, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    columns[name] = numbers


def _check(columns: dict[str, Numbers]) -> None:
    """No row may point outside another column, and every search must find a row. Raises BadIpTable."""
    places, numbers = columns["place_region"].shape[0], columns["asn_number"].shape[0]
    limits = {
        "city4_values": places,
        "city6_values": places,
        "asn4_values": numbers,
        "asn6_values": numbers,
        "place_region": columns["region_text_ends"].shape[0],
        "place_city": columns["city_text_ends"].shape[0],
    }
    sound = all(columns[name].max(initial=0) < limit for name, limit in limits.items())
    for name, starts in columns.items():
        if name.endswith("_starts"):
            sound &= starts.shape[0] > 0 and starts[0] == 0 and bool((starts[1:] > starts[:-1]).all())
            sound &= starts.shape == columns[name.replace("_starts", "_values")].shape
    if not sound:
        raise BadIpTable("ip_table_corrupt", "the columns do not fit each other")


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One process at a time unpacks into the directory; the lock ends with its holder, however it ends."""
    handle = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
