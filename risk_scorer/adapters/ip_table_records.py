"""What one record of a published database says, whatever its publisher calls the fields.

Known spellings: MaxMind and DB-IP (nested, names by language), ip-location-db (flat), IPinfo (flat, texts).
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from risk_scorer.adapters.ip_table_format import BadIpTable

Range = tuple[int, int, int, Any]
"""version, first address, last address (included), what the source says of them"""

DEGREE_STEPS = 100
"""Coordinates are kept to 0.01 degree, about 1 km: far finer than a geolocation by address can be."""
NO_DEGREES = -32_768
MOST_ACCURACY_KM = 1_000
HIGHEST_ASN = 2**32 - 1
LONGEST_NAME = 128


class Place(NamedTuple):
    """A place as it is stored: degrees in hundredths, accuracy_km 0 where the source gives none."""

    country: str
    region: str
    city: str
    latitude: int
    longitude: int
    accuracy_km: int


class Operator(NamedTuple):
    """Who announces an address."""

    number: int
    name: str


NOWHERE = Place("", "", "", NO_DEGREES, NO_DEGREES, 0)
NOBODY = Operator(0, "")


def mmdb_ranges(paths: Iterable[Path]) -> Iterator[Range]:
    """Every network of the databases with its record. Raises BadIpTable."""
    for path in paths:
        try:
            with maxminddb.open_database(path) as reader:
                for network, record in reader:
                    first = int(network.network_address)
                    size = 1 << (network.max_prefixlen - network.prefixlen)
                    yield network.version, first, first + size - 1, record
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise BadIpTable("ip_table_source", f"{path.name} is not a readable .mmdb file") from error


def csv_ranges(paths: Iterable[Path]) -> Iterator[Range]:
    """Every line `first,last,number,name` of the lists. Raises BadIpTable with the line."""
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            for line, row in enumerate(csv.reader(file), start=1):
                try:
                    first, last = ip_address(row[0]), ip_address(row[1])
                    record = {"asn": row[2], "name": row[3]}
                except (ValueError, IndexError) as error:
                    raise BadIpTable("ip_table_source", f"{path.name}, line {line}: no address range") from error
                yield first.version, int(first), int(last), record


def place_of(record: Any) -> Place:
    """The place in a record; what it lacks stays unknown."""
    if not isinstance(record, Mapping):
        return NOWHERE
    location = record.get("location")
    spot: Mapping[str, Any] = location if isinstance(location, Mapping) else record
    latitude, longitude = _degrees(_first(spot, "latitude", "lat"), 90), _degrees(_first(spot, "longitude", "lng"), 180)
    if NO_DEGREES in (latitude, longitude):
        latitude = longitude = NO_DEGREES
    accuracy = spot.get("accuracy_radius")
    return Place(
        country=_country(record),
        region=_region(record),
        city=_text(record.get("city")),
        latitude=latitude,
        longitude=longitude,
        accuracy_km=max(1, min(int(accuracy), MOST_ACCURACY_KM)) if isinstance(accuracy, int | float) else 0,
    )


def operator_of(record: Any) -> Operator:
    """The operator in a record; number 0 when there is none."""
    if not isinstance(record, Mapping):
        return NOBODY
    number = _first(record, "autonomous_system_number", "asn")
    text = str(number or "").removeprefix("AS")
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= HIGHEST_ASN:
        return NOBODY
    return Operator(int(text), _text(_first(record, "autonomous_system_organization", "as_name", "name")))


def _first(record: Mapping[str, Any], *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _country(record: Mapping[str, Any]) -> str:
    found = _first(record, "country_code", "country", "registered_country")
    code = found.get("iso_code") if isinstance(found, Mapping) else found
    return code.upper() if isinstance(code, str) and len(code) == 2 and code.isascii() else ""


def _region(record: Mapping[str, Any]) -> str:
    parts = record.get("subdivisions")
    if isinstance(parts, list) and parts:
        return _text(parts[0])
    return _text(_first(record, "state1", "region", "region_name"))


def _text(value: Any) -> str:
    """A name, in English where several languages are given, without the characters that separate names in the table."""
    if isinstance(value, Mapping):
        names = value.get("names")
        value = names.get("en") if isinstance(names, Mapping) else None
    return " ".join(value.split())[:LONGEST_NAME] if isinstance(value, str) else ""


def _degrees(value: Any, limit: int) -> int:
    try:
        degrees = float(value)
    except (TypeError, ValueError):
        return NO_DEGREES
    return round(degrees * DEGREE_STEPS) if -limit <= degrees <= limit else NO_DEGREES
