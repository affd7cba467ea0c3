"""Who works with the invented application: role, place, devices, hours and pace. What they do is in `sessions`."""

import ipaddress
import math
from dataclasses import dataclass
from functools import cache, lru_cache

from training.activity.calendar import DAY_SECONDS
from training.activity.services import ROLE_SHARES, WAYS, Way
from training.simulator.browsers import signature
from training.simulator.chance import Chance
from training.simulator.people import EVENING_HOURS, WORKER_HOURS, fresh_id
from training.simulator.world import SPAN_STARTS, City, Network, World, load_world

STARTS_DAY = 18
"""Monday, 2025-05-19: a month ends within the 21 days that follow."""
STARTS = SPAN_STARTS + STARTS_DAY * DAY_SECONDS
OFFICE_OF, OFFICE_PEOPLE = 500, 200
"""Of so many people, the first 200 work in one office, behind one address."""
CARRIER_EXITS = 6
"""So many addresses has a carrier's network for everybody's telephones in a city."""
HOMES = 120_000
"""From about so many people on, homes take addresses of neighbouring blocks, mostly of the same operator."""
_KEPT = 60_000
_COMPUTERS = {"chrome_windows": 48, "edge_windows": 16, "firefox_windows": 8, "safari_mac": 12, "chrome_mac": 16}
_PHONES = {"safari_iphone": 52, "chrome_android": 40, "samsung_android": 8}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request comes from. `kind` is home, office, mobile or what an attacker rents."""

    kind: str
    ip: str
    asn: int
    country: str


@dataclass(frozen=True, slots=True)
class Device:
    """One browser on one machine; `kind` is desktop or mobile."""

    device_id: str
    kind: str
    browser: str
    lag_days: float


@dataclass(frozen=True, slots=True)
class Person:
    """`activity` is sessions relative to the average; `pace_seconds` the median time between two requests."""

    number: int
    user_id: str
    role: str
    next_role: tuple[int, str] | None
    """After this day the person has another role, as was announced."""
    city: City
    home: Place
    office: Place | None
    carrier: Network
    desktop: Device | None
    phone: Device
    activity: float
    weekend_share: float
    shift_hours: int
    evening: bool
    pace_seconds: float
    slowness: float
    joined_day: float
    on_call_days: tuple[int, ...]
    ways: tuple[Way, ...]
    weights: tuple[float, ...]

    def role_on(self, day: int) -> str:
        return self.next_role[1] if self.next_role is not None and day > self.next_role[0] else self.role


@lru_cache(_KEPT)
def person(number: int, seed: int, days: int) -> Person:
    """The person with this number; the same one whoever else is there."""
    chance = Chance(f"{seed}/activity/person/{number}")
    world = load_world()
    office_number, seat = divmod(number, OFFICE_OF)
    in_office = seat < OFFICE_PEOPLE
    city = _city(world, Chance(f"{seed}/activity/office/{office_number}") if in_office else chance)
    role = chance.weighted(tuple(ROLE_SHARES), tuple(ROLE_SHARES.values()))
    ways = WAYS[role]
    has_desktop = in_office or chance.happens(0.8)
    engineer_on_call = role == "engineer" and chance.happens(0.3)
    first = chance.below(max(1, days - 6)) if engineer_on_call else 0
    return Person(
        number=number,
        user_id=f"u{number}",
        role=role,
        next_role=_next_role(role, days, chance) if chance.happens(0.02) else None,
        city=city,
        home=_home(world, city, number, chance),
        office=_office(world, city, office_number) if in_office else None,
        carrier=world.of("mobile", city.name)[chance.below(2)],
        desktop=_device(number, "desktop", _COMPUTERS, chance) if has_desktop else None,
        phone=_device(number, "mobile", _PHONES, chance),
        activity=0.3 + 1.4 * chance.fraction(),
        weekend_share=0.05 + 0.35 * chance.fraction(),
        shift_hours=chance.below(4) - 1,
        evening=chance.happens(0.12),
        pace_seconds=5.0 * math.exp(1.2 * chance.fraction()),
        slowness=0.9 + 0.5 * chance.fraction(),
        joined_day=chance.between(1, days - 1) if days > 2 and chance.happens(0.06) else -1.0,
        on_call_days=tuple(range(first, first + 7)) if engineer_on_call else (),
        ways=tuple(ways),
        weights=tuple(weight * math.exp(2.0 * chance.fraction() - 1.0) for weight in ways.values()),
    )


def carrier_place(person: Person, chance: Chance) -> Place:
    """One of the few addresses behind which a carrier has its telephones."""
    network = person.carrier
    return Place("mobile", network.address(chance.below(CARRIER_EXITS)), network.asn, network.country)


def place_in(network: Network, chance: Chance) -> Place:
    """Some address of a network."""
    return Place(network.kind, network.address(chance.below(1000)), network.asn, network.country)


@cache
def software(browser: str, lag_days: int, day: int) -> tuple[str, str]:
    """User agent and JA4 of a browser that updates so many days late, on a day of the log."""
    shown = signature(browser, day=STARTS_DAY + day, lag_days=lag_days, language="enus")
    return shown.user_agent, shown.ja4


def hours_of(person: Person) -> tuple[int, ...]:
    """How often each local hour is used."""
    usual = EVENING_HOURS if person.evening else WORKER_HOURS
    return usual[-person.shift_hours :] + usual[: -person.shift_hours]


def _city(world: World, chance: Chance) -> City:
    return chance.weighted(world.cities, [city.people for city in world.cities])


def _office(world: World, city: City, office_number: int) -> Place:
    networks = world.of("office", city.name)
    network = networks[office_number % len(networks)]
    return Place("office", network.address(7 + office_number // len(networks)), network.asn, network.country)


def _home(world: World, city: City, number: int, chance: Chance) -> Place:
    network = chance.pick(world.of("home", city.name))
    base = ipaddress.IPv4Address(network.address(chance.below(1000)))
    return Place("home", str(base + 1024 * (number // HOMES)), network.asn, network.country)


def _device(number: int, kind: str, browsers: dict[str, int], chance: Chance) -> Device:
    browser = chance.weighted(tuple(browsers), tuple(browsers.values()))
    return Device(fresh_id("activity", number, kind), kind, browser, 1 + chance.below(20))


def _next_role(role: str, days: int, chance: Chance) -> tuple[int, str]:
    others = [name for name in ROLE_SHARES if name not in (role, "admin")]
    return days // 2 + chance.below(max(1, days // 3)), chance.pick(others)
