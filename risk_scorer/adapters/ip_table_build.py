"""From published databases to the columns of our tables: which place and which network operator every address has.

Where the files come from is not decided here, nor how the columns are stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from risk_scorer.adapters.ip_table_format import BadIpTable, Numbers
from risk_scorer.adapters.ip_table_ranges import Gathered, Values
from risk_scorer.adapters.ip_table_records import (
    DEGREE_STEPS,
    MOST_ACCURACY_KM,
    NO_DEGREES,
    NOBODY,
    NOWHERE,
    Operator,
    Place,
    Range,
    csv_ranges,
    mmdb_ranges,
    operator_of,
    place_of,
)
from risk_scorer.core.places import distances_km

Progress = Callable[[int], None]
"""Called now and then with how many ranges were read since the last call."""
PROGRESS_STEP = 50_000
LEAST_ACCURACY_KM = 20
MOST_POINTS = 2 / 3
"""Where a source gives no accuracy we take 20 km, plus how far two thirds of a city's points lie from its middle."""

Value = TypeVar("Value", bound=tuple[Any, ...])


def city_columns(paths: Sequence[Path], progress: Progress) -> dict[str, Numbers]:
    """The place columns of one or more city databases. Raises BadIpTable."""
    gathered, places = _gathered(mmdb_ranges(paths), place_of, NOWHERE, progress)
    ordered = sorted(places)
    regions = sorted({place[:2] for place in ordered})
    cities = sorted({place.city for place in ordered})
    region_row, city_row = _rows(regions), _rows(cities)
    return {
        **_range_columns("city", gathered, _renamed(places, _rows(ordered))),
        "place_region": np.array([region_row[place[:2]] for place in ordered], dtype=np.uint32),
        "place_city": np.array([city_row[place.city] for place in ordered], dtype=np.uint32),
        "place_latitude": np.array([place.latitude for place in ordered], dtype=np.int16),
        "place_longitude": np.array([place.longitude for place in ordered], dtype=np.int16),
        "place_accuracy": _accuracies(ordered),
        **_texts("region", ["\t".join(region) for region in regions]),
        **_texts("city", cities),
    }


def asn_columns(paths: Sequence[Path], progress: Progress) -> dict[str, Numbers]:
    """The operator columns of ASN databases (.mmdb) or lists (.csv). Raises BadIpTable."""
    ranges = csv_ranges(paths) if all(path.suffix == ".csv" for path in paths) else mmdb_ranges(paths)
    gathered, operators = _gathered(ranges, operator_of, NOBODY, progress)
    names: dict[int, str] = {}
    for operator in operators:
        names[operator.number] = names.get(operator.number) or operator.name
    numbers = sorted(names)
    row = _rows(numbers)
    by_operator = {operator: row[operator.number] for operator in operators}
    return {
        **_range_columns("asn", gathered, _renamed(operators, by_operator)),
        "asn_number": np.array(numbers, dtype=np.uint32),
        **_texts("asn", [names[number] for number in numbers]),
    }


def _gathered(
    ranges: Iterator[Range], read: Callable[[Any], Value], unknown: Value, progress: Progress
) -> tuple[dict[int, Gathered], list[Value]]:
    """The ranges by family, their values numbered in order of appearance, `unknown` first."""
    gathered = {4: Gathered(4), 6: Gathered(6)}
    number: dict[Value, int] = {unknown: 0}
    known: dict[tuple[Any, ...], int] = {}
    for count, (version, first, last, record) in enumerate(ranges, start=1):
        key = _key(record)
        found = known.get(key)
        if found is None:
            found = known[key] = number.setdefault(read(record), len(number))
        gathered[version].add(first, last, found)
        if count % PROGRESS_STEP == 0:
            progress(PROGRESS_STEP)
    if len(number) == 1:
        raise BadIpTable("ip_table_source", "the source has no record that we can read")
    return gathered, list(number)


def _key(record: Any) -> tuple[Any, ...]:
    """What tells two records apart, cheaply: most of the millions repeat one that was read before."""
    if not isinstance(record, dict):
        return (repr(record),)
    values = tuple(record.items())
    try:
        hash(values)
    except TypeError:
        return (repr(record),)
    return values


def _range_columns(name: str, gathered: dict[int, Gathered], renamed: Values) -> dict[str, Numbers]:
    columns: dict[str, Numbers] = {}
    for version, ranges in gathered.items():
        starts, values = ranges.flattened(renamed)
        columns[f"{name}{version}_starts"] = starts
        columns[f"{name}{version}_values"] = values
    return columns


def _rows(keys: Iterable[Any]) -> dict[Any, int]:
    return {key: row for row, key in enumerate(keys)}


def _renamed(values: Sequence[Operator] | Sequence[Place], row: dict[Any, int]) -> Values:
    return np.array([row[value] for value in values], dtype=np.uint32)


def _texts(name: str, texts: Sequence[str]) -> dict[str, Numbers]:
    """Texts as their bytes in one row, and where each ends."""
    encoded = [text.encode() for text in texts]
    return {
        f"{name}_text": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        f"{name}_text_ends": np.cumsum([len(text) for text in encoded], dtype=np.uint32),
    }


def _accuracies(ordered: Sequence[Place]) -> Numbers:
    """Kilometres for each place, 0 without coordinates: the source's, else our estimate from its city's points."""
    given = np.array([place.accuracy_km for place in ordered], dtype=np.float64)
    latitude = _degrees([place.latitude for place in ordered])
    longitude = _degrees([place.longitude for place in ordered])
    cities = _rows(dict.fromkeys(place[:3] for place in ordered))
    city = np.array([cities[place[:3]] for place in ordered], dtype=np.int64)
    sizes = np.bincount(city)
    first = np.cumsum(sizes) - sizes
    middle = (first + sizes // 2)[city]
    apart = distances_km(latitude, longitude, latitude[middle], longitude[middle])
    placed = np.isfinite(apart)
    nearest_first = np.lexsort((apart, city))
    estimate = LEAST_ACCURACY_KM + apart[nearest_first][first + (sizes * MOST_POINTS).astype(np.int64)][city]
    accuracy = np.where(given > 0, given, np.fmin(np.round(estimate), MOST_ACCURACY_KM))
    return np.where(placed, accuracy, 0.0).astype(np.uint16)


def _degrees(hundredths: Sequence[int]) -> NDArray[np.float64]:
    steps = np.array(hundredths, dtype=np.float64)
    return np.where(steps == NO_DEGREES, np.nan, steps / DEGREE_STEPS)
