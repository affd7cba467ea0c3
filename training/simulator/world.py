"""Cities and the networks found in them: facts from `cities.csv` and `networks.csv`, no people."""

import csv
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

DAY_SECONDS = 86_400
SPAN_STARTS = 1_746_057_600
"""2025-05-01T00:00Z, day 0 of the world. No city of ours changes its clocks before SPAN_ENDS."""
SPAN_ENDS = 1_754_740_800
"""2025-08-09T12:00Z."""
SPAN_DAYS = (SPAN_ENDS - SPAN_STARTS) / DAY_SECONDS
_EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class City:
    """A place people live in or travel to; `people` is its share of the population."""

    name: str
    country: str
    region: str
    utc_offset_hours: float
    latitude: float
    longitude: float
    people: float

    def distance_km(self, other: "City") -> float:
        """Great circle on a sphere, which is close enough to choose a journey by."""
        here, there = math.radians(self.latitude), math.radians(other.latitude)
        turn = math.radians(other.longitude - self.longitude)
        chord = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(turn / 2) ** 2
        return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(chord))


@dataclass(frozen=True)
class Network:
    """A block of addresses with one operator. `city` and `region` are empty where look-ups cannot tell (mobile)."""

    kind: str
    asn: int
    country: str
    region: str
    city: str
    prefix: str
    reputation: float

    def address(self, place: int) -> str:
        """The address at `place`, wrapped into the usable part of the block."""
        block = _block(self.prefix)
        size = block.num_addresses
        offset = place % size if size < 8 else 2 + place % (size - 4)
        return str(block.network_address + offset)


@dataclass(frozen=True, eq=False)
class World:
    """Every city and network; one instance, compared by identity."""

    cities: tuple[City, ...]
    networks: tuple[Network, ...]
    homes: tuple[str, ...]
    """For each network, the city whose people use it ("" for networks of nobody in particular)."""

    def of(self, kind: str, city: str = "") -> Sequence[Network]:
        """The networks of a kind that serve `city`."""
        return _served(self, kind, city)

    def city(self, name: str) -> City:
        return next(city for city in self.cities if city.name == name)


@cache
def load_world() -> World:
    """The one world there is; read once."""
    cities = tuple(
        City(
            name=row["city"],
            country=row["country"],
            region=row["region"],
            utc_offset_hours=float(row["utc_offset_hours"]),
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            people=float(row["people"]),
        )
        for row in _rows("cities.csv")
    )
    regions = {(city.country, city.name): city.region for city in cities}
    rows = _rows("networks.csv")
    networks = tuple(_network(row, regions) for row in rows)
    homes = tuple(row["city"] if row["kind"] in ("home", "office", "hotel", "mobile") else "" for row in rows)
    return World(cities, networks, homes)


def _network(row: dict[str, str], regions: dict[tuple[str, str], str]) -> Network:
    city = "" if row["kind"] == "mobile" else row["city"]
    return Network(
        kind=row["kind"],
        asn=int(row["asn"]),
        country=row["country"],
        region=regions.get((row["country"], city), ""),
        city=city,
        prefix=row["prefix"],
        reputation=float(row["reputation"]),
    )


@cache
def _served(world: World, kind: str, city: str) -> tuple[Network, ...]:
    pairs = zip(world.networks, world.homes, strict=True)
    return tuple(network for network, home in pairs if network.kind == kind and home == city)


@cache
def _block(prefix: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(prefix)


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("training.simulator").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
