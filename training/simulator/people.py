"""Who lives in the world: homes, devices, habits, journeys. What they do with them day by day is in `days`."""

import hashlib
from dataclasses import dataclass

from training.simulator.browsers import STALE_LAG_DAYS
from training.simulator.chance import Chance
from training.simulator.world import SPAN_DAYS, City, Network, World

WORKER_HOURS = (0, 0, 0, 0, 0, 1, 4, 8, 14, 13, 11, 9, 7, 9, 10, 9, 8, 7, 5, 4, 4, 3, 2, 1)
EVENING_HOURS = (2, 1, 0, 0, 0, 0, 1, 3, 5, 4, 3, 3, 4, 4, 3, 4, 5, 7, 9, 12, 13, 11, 8, 4)
NIGHT_HOURS = (11, 10, 9, 9, 8, 6, 4, 2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 7, 9, 11)
WEEKEND_HOURS = (2, 1, 0, 0, 0, 0, 1, 2, 4, 7, 9, 9, 8, 8, 8, 7, 7, 7, 7, 8, 8, 7, 5, 3)
"""How often a login falls into each hour of the local day, relative to the other hours."""

ALWAYS = (-1.0, SPAN_DAYS + 1)


@dataclass(frozen=True)
class Device:
    """One browser on one machine. `role` is work, home, phone or tablet; it is in use within `days`."""

    device_id: str
    role: str
    browser: str
    lag_days: float
    on_trial: bool = False
    days: tuple[float, float] = ALWAYS
    reset_day: float = SPAN_DAYS + 1
    """From this day on the device has a new id, because its cookies were cleared."""

    def id_on(self, day: float) -> str:
        return self.device_id if day < self.reset_day or not self.device_id else fresh_id(self.device_id, "reset")


@dataclass(frozen=True)
class Line:
    """Addresses a person gets from a network: a new one every `lease_days`."""

    network: Network
    lease_days: float
    days: tuple[float, float] = ALWAYS


@dataclass(frozen=True)
class Trip:
    """Days away, with the hotel's network and the mobile networks of the place."""

    city: City
    days: tuple[float, float]
    hotel: Network


@dataclass(frozen=True)
class Person:
    user_id: str
    city: City
    activity: float
    days: tuple[float, float]
    weekday_hours: tuple[int, ...]
    weekend_share: float
    home: tuple[Line, ...]
    office: Line | None
    tunnels: tuple[Network, ...]
    """VPN exits, used for `tunnel_share` of the logins."""
    tunnel_share: float
    trips: tuple[Trip, ...]
    devices: tuple[Device, ...]
    language: str
    has_fingerprints: bool = True
    """False behind an old edge that does not compute JA4."""
    typo_share: float = 0.05


_LANGUAGES = {"DE": "dede", "FR": "frfr", "ES": "eses", "IT": "itit", "PL": "plpl", "JP": "jajp", "BR": "ptbr"}
_COMPUTERS = {
    "chrome_windows": 44,
    "edge_windows": 13,
    "firefox_windows": 8,
    "safari_mac": 14,
    "chrome_mac": 14,
    "firefox_linux": 4,
    "chrome_linux": 3,
}
_PHONES = {"safari_iphone": 48, "chrome_android": 40, "samsung_android": 8, "app_iphone": 4}


def person(number: int, *, world: World, chance: Chance) -> Person:
    """The person with this number; the same one whoever else is in the world."""
    city = chance.weighted(world.cities, [city.people for city in world.cities])
    joined = chance.between(5, SPAN_DAYS - 10) if chance.happens(0.10) else -1.0
    tunnels = chance.some(_tunnels(world, city), 1 + chance.below(3)) if chance.happens(0.08) else []
    return Person(
        user_id=f"u{number}",
        city=city,
        activity=0.25 + 2.2 * chance.fraction() ** 3 + 0.8 * chance.fraction(),
        days=(joined, SPAN_DAYS + 1),
        weekday_hours=chance.weighted((WORKER_HOURS, EVENING_HOURS, NIGHT_HOURS), (72, 25, 3)),
        weekend_share=chance.between(0.1, 0.8),
        home=_home(world, city, chance.of("home")),
        office=_office(world, city, chance.of("office")) if chance.happens(0.6) else None,
        tunnels=tuple(tunnels),
        tunnel_share=chance.between(0.1, 0.9),
        trips=_trips(world, city, chance.of("trips")),
        devices=_devices(number, chance.of("devices")),
        language=_LANGUAGES.get(city.country, "enus"),
        has_fingerprints=not chance.happens(0.04),
        typo_share=chance.between(0.01, 0.09),
    )


def fresh_id(*names: object) -> str:
    """An opaque id, the same for the same names."""
    return "dev-" + hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()[:10]


def _tunnels(world: World, city: City) -> list[Network]:
    """VPN exits of the country, and one rented server, as some people run their own tunnel."""
    near = [network for network in world.of("vpn") if network.country == city.country]
    return [*(near or world.of("vpn")[:4]), world.of("hosting")[len(city.name) % len(world.of("hosting"))]]


def _home(world: World, city: City, chance: Chance) -> tuple[Line, ...]:
    """One line, or two when the person changes provider within the span."""
    lines = chance.some(world.of("home", city.name), 2)
    lease = chance.weighted((400.0, 45.0, 14.0, 3.0), (40, 25, 20, 15))
    moved = chance.between(15, SPAN_DAYS - 5) if chance.happens(0.05) else SPAN_DAYS + 1
    first = Line(lines[0], lease, (-1.0, moved))
    return (first, Line(lines[-1], lease, (moved, SPAN_DAYS + 1))) if moved < SPAN_DAYS else (first,)


def _office(world: World, city: City, chance: Chance) -> Line:
    return Line(chance.pick(world.of("office", city.name)), 400.0)


def _trips(world: World, home: City, chance: Chance) -> tuple[Trip, ...]:
    """None for most people; near places are visited more often than far ones."""
    others = [city for city in world.cities if city.name != home.name]
    nearness = [1 / (400 + home.distance_km(city)) for city in others]
    trips = []
    for _ in range(chance.weighted((0, 1, 2, 4), (62, 24, 11, 3))):
        away = chance.between(2, SPAN_DAYS - 3)
        city = chance.weighted(others, nearness)
        hotel = chance.pick(world.of("hotel", city.name))
        trips.append(Trip(city, (away, away + chance.between(1.5, 9)), hotel))
    return tuple(trips)


def _devices(number: int, chance: Chance) -> tuple[Device, ...]:
    """One to four devices, some replaced, reset or new within the span."""
    roles = chance.weighted(
        (("phone",), ("home",), ("home", "phone"), ("work", "phone"), ("work", "home", "phone")),
        (8, 10, 32, 22, 28),
    )
    if chance.happens(0.12):
        roles = (*roles, "tablet")
    devices: list[Device] = []
    for role in roles:
        devices.extend(_device_line(f"u{number}", role, chance.of(role)))
    return tuple(devices)


def _device_line(user_id: str, role: str, chance: Chance) -> list[Device]:
    """The device of a role, and its successor when it is replaced."""
    replaced = chance.between(10, SPAN_DAYS - 3) if chance.happens(0.13 if role == "phone" else 0.04) else None
    keeps_no_cookies = chance.happens(0.03)
    first = Device(
        device_id="" if keeps_no_cookies else fresh_id(user_id, role),
        role=role,
        browser=_browser(role, chance),
        lag_days=STALE_LAG_DAYS if chance.happens(0.03) else 1 + 24 * chance.fraction() ** 2,
        on_trial=chance.happens(0.08),
        days=(-1.0, replaced or SPAN_DAYS + 1),
        reset_day=chance.between(5, SPAN_DAYS) if chance.happens(0.07) else SPAN_DAYS + 1,
    )
    if replaced is None:
        return [first]
    successor = Device(
        device_id="" if keeps_no_cookies else fresh_id(user_id, role, "next"),
        role=role,
        browser=first.browser if chance.happens(0.7) else _browser(role, chance),
        lag_days=1 + 10 * chance.fraction(),
        days=(replaced, SPAN_DAYS + 1),
    )
    return [first, successor]


def _browser(role: str, chance: Chance) -> str:
    if role == "tablet":
        return "safari_ipad"
    kinds = _PHONES if role == "phone" else _COMPUTERS
    return chance.weighted(tuple(kinds), tuple(kinds.values()))
