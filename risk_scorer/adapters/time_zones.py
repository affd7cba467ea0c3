"""Which time zone a place is in, and what its clocks say: from the tables that the tzdata package carries.

The zone is that of the nearest city of the same country which the table names, which near a border of zones may be an
hour off, and always the same hour. Zones of one country whose clocks go alike go by the name of the first: Büsingen's
are Berlin's. The package is read and never the system's tables, so that every machine tells the
same time. Source: IANA Time Zone Database, zone.tab.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from risk_scorer.core.clusters import Vector, unit_vector

QUARTER_HOUR_SECONDS = 900
"""Clocks are put forward and back on whole quarters of an hour of UTC."""
Cities = list[tuple[str, Vector]]
_DEGREES = re.compile(r"([+-]\d{2})(\d{2})(\d{2})?([+-]\d{3})(\d{2})(\d{2})?")


class TimeZones:
    """Zones and their clocks, with a bounded memory. Safe to share between threads.

    Raises: OSError or ModuleNotFoundError when opened without the tzdata package or its tables.
    """

    def __init__(self) -> None:
        self._tables = files("tzdata.zoneinfo")
        self._cities = self._named(_cities(self._tables.joinpath("zone.tab").read_text(encoding="utf-8")))
        self._zone = lru_cache(maxsize=65_536)(self._looked_up)
        self._offset = lru_cache(maxsize=131_072)(self._told)
        self._clocks = lru_cache(maxsize=None)(self._opened)  # as many as the table has names

    def local(self, country: str, latitude: float | None, longitude: float | None, moment: float) -> tuple[str, int]:
        """The zone of a place (IANA name) and the seconds it is ahead of UTC at that epoch second.

        `country` is its ISO 3166 code; without a place it is the country's first zone. ("", 0) for an unknown country.
        """
        zone = self._zone(country, latitude, longitude)
        return zone, self._offset(zone, int(moment) // QUARTER_HOUR_SECONDS) if zone else 0

    def _looked_up(self, country: str, latitude: float | None, longitude: float | None) -> str:
        cities = self._cities.get(country)
        if cities is None:
            return ""
        if latitude is None or longitude is None:
            return cities[0][0]
        east, north, up = unit_vector(latitude, longitude)
        return max(cities, key=lambda city: city[1][0] * east + city[1][1] * north + city[1][2] * up)[0]

    def _named(self, cities: dict[str, Cities]) -> dict[str, Cities]:
        """The same with one name for all zones of a country that follow the same rules from now on."""
        found = {}
        for country, own in cities.items():
            first = {self._rules(zone): zone for zone, _ in reversed(own)} if len(own) > 1 else {}
            found[country] = [(first[self._rules(zone)], place) for zone, place in own] if first else own
        return found

    def _rules(self, zone: str) -> bytes:
        """What ends a zone's table. Source: RFC 9636, section 3.3, "TZif Footer"."""
        return self._tables.joinpath(zone).read_bytes().rstrip(b"\n").rpartition(b"\n")[2]

    def _told(self, zone: str, quarter: int) -> int:
        moment = datetime.fromtimestamp(quarter * QUARTER_HOUR_SECONDS, UTC)
        offset = moment.astimezone(self._clocks(zone)).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    def _opened(self, zone: str) -> ZoneInfo:
        with self._tables.joinpath(zone).open("rb") as table:
            return ZoneInfo.from_file(table, key=zone)


def _cities(table: str) -> dict[str, Cities]:
    """The zones of each country with their cities: those said to be of most areas first, then in the table's order."""
    lines = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    found: dict[str, Cities] = {}
    for country, place, zone, *_ in sorted(lines, key=lambda line: "most areas" not in line[-1]):
        found.setdefault(country, []).append((zone, unit_vector(*_degrees(place))))
    return found


def _degrees(place: str) -> tuple[float, float]:
    """Latitude and longitude of ±DDMM±DDDMM or ±DDMMSS±DDDMMSS. Raises ValueError."""
    found = _DEGREES.fullmatch(place)
    if found is None:
        raise ValueError("zone.tab has a place of another form")
    parts = found.groups(default="0")
    return _angle(*parts[:3]), _angle(*parts[3:])


def _angle(degrees: str, minutes: str, seconds: str) -> float:
    size = abs(int(degrees)) + int(minutes) / 60 + int(seconds) / 3600
    return -size if degrees.startswith("-") else size
