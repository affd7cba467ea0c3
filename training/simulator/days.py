"""A person's ordinary logins over the span: when, from where, with what, and with how many typing mistakes."""

from dataclasses import dataclass

from training.simulator import known_people
from training.simulator.browsers import Signature, signature
from training.simulator.chance import Chance
from training.simulator.people import WEEKEND_HOURS, Device, Line, Person, Trip, fresh_id
from training.simulator.world import DAY_SECONDS, SPAN_DAYS, SPAN_ENDS, SPAN_STARTS, City, Network, World

_FIRST_WEEKDAY = 3  # 2025-05-01 is a Thursday; Monday is 0.
_EGRESS_ADDRESSES = 24  # A mobile operator hides thousands of people behind few addresses of each block.
_ODD_PLACE_SHARE = 0.004  # a friend's home, a café
_BORROWED_SHARE = 0.002
_GIVES_UP_SHARE = 0.08
_ROLES = {
    "office": {"work": 85, "home": 4, "phone": 11},
    "home": {"work": 22, "home": 45, "phone": 28, "tablet": 12},
    "mobile": {"phone": 95, "tablet": 4, "work": 1},
    "hotel": {"phone": 50, "work": 35, "home": 10, "tablet": 5},
}


@dataclass(frozen=True)
class Login:
    """One row of the log, before it is written: `moment` in whole epoch seconds, label "" for an honest person."""

    moment: int
    user_id: str
    ip: str
    network: Network
    software: Signature
    device_id: str
    success: bool = True
    label: str = ""


@dataclass(frozen=True)
class Visit:
    """Where a login happens: the kind of place, its network, and the trip if there is one."""

    place: str
    network: Network
    ip: str


def logins(person: Person, count: int, *, world: World, chance: Chance) -> list[Login]:
    """Exactly `count` rows of a person's life, in order of time; failures are among them."""
    days = [day for day in range(int(SPAN_DAYS) + 1) if person.days[0] <= day + 1 and day <= person.days[1]]
    weights = [person.weekend_share if _is_weekend(day) else 1.0 for day in days]
    weights[-1] /= 2  # The last day ends at noon.
    rows: list[Login] = []
    for number in range(count):
        if len(rows) >= count:
            break
        turn = chance.of(number)
        moment = _moment(person, turn.weighted(days, weights), turn)
        rows.extend(_visit_rows(person, moment, count - len(rows), world=world, chance=turn))
    return sorted(rows, key=lambda row: row.moment)


def _is_weekend(day: int) -> bool:
    return (day + _FIRST_WEEKDAY) % 7 >= 5


def _moment(person: Person, day: int, chance: Chance) -> int:
    """A moment of that UTC day that suits the hour of the place where the person is."""
    trip = _trip(person, day)
    city = trip.city if trip is not None else person.city
    hours = WEEKEND_HOURS if _is_weekend(day) and person.user_id != "alice" else person.weekday_hours
    local = chance.weighted(range(24), hours) + chance.fraction()
    utc_hour = (local - city.utc_offset_hours) % 24
    moment = SPAN_STARTS + day * DAY_SECONDS + int(utc_hour * 3600)
    return moment if moment < SPAN_ENDS else moment - DAY_SECONDS


def _trip(person: Person, day: float) -> Trip | None:
    return next((trip for trip in person.trips if trip.days[0] <= day < trip.days[1]), None)


def _visit_rows(person: Person, moment: int, limit: int, *, world: World, chance: Chance) -> list[Login]:
    """The rows of one visit: now and then wrong passwords first, and now and then no success after them."""
    day = (moment - SPAN_STARTS) / DAY_SECONDS
    visit = _visit(person, moment, day, world=world, chance=chance)
    device = _device(person, visit, day, chance)
    software = known_people.signature(person.user_id) or _software(person, device, day)
    mistakes = 1 + chance.below(2) if limit > 1 and chance.happens(person.typo_share) else 0
    mistakes = min(mistakes, limit - 1)
    outcomes = [False] * mistakes + ([] if mistakes and chance.happens(_GIVES_UP_SHARE) else [True])
    rows = []
    for success in outcomes:
        rows.append(
            Login(moment, person.user_id, visit.ip, visit.network, software, device.id_on(day), success=success)
        )
        moment += 4 + chance.below(30)
    return rows


def _visit(person: Person, moment: int, day: float, *, world: World, chance: Chance) -> Visit:
    usual = known_people.address(person.user_id, chance)
    if usual is not None:
        return Visit("home", person.home[0].network, usual)
    if person.tunnels and chance.happens(person.tunnel_share):
        exit_ = chance.pick(person.tunnels)
        return Visit("home", exit_, exit_.address(chance.below(4)))
    trip = _trip(person, day)
    if trip is not None:
        return _away(trip, world, chance)
    hour = (moment / 3600 + person.city.utc_offset_hours) % 24
    at_work = person.office is not None and not _is_weekend(int(day)) and 9 <= hour < 18
    if at_work and person.office is not None and chance.happens(0.75):
        return Visit("office", person.office.network, person.office.network.address(1 + chance.below(2)))
    if chance.happens(0.18):
        return _mobile(person.city, world, chance)
    if chance.happens(_ODD_PLACE_SHARE):
        elsewhere = chance.pick(world.of("home", person.city.name))
        return Visit("home", elsewhere, elsewhere.address(chance.below(1000)))
    line = next(line for line in person.home if line.days[0] <= day < line.days[1])
    return Visit("home", line.network, _leased(person.user_id, line, day))


def _away(trip: Trip, world: World, chance: Chance) -> Visit:
    if chance.happens(0.35):
        return _mobile(trip.city, world, chance)
    return Visit("hotel", trip.hotel, trip.hotel.address(chance.below(8)))


def _mobile(city: City, world: World, chance: Chance) -> Visit:
    network = chance.pick(world.of("mobile", city.name))
    block = chance.below(3) * 256
    return Visit("mobile", network, network.address(block + chance.below(_EGRESS_ADDRESSES)))


def _leased(user_id: str, line: Line, day: float) -> str:
    """The address of a home line on a day: most leases stay within one /24 of the provider's block."""
    lease = Chance(f"{user_id}/{line.network.prefix}/{int(day // line.lease_days)}")
    usual_block = Chance(f"{user_id}/{line.network.prefix}").below(4)
    block = usual_block if lease.happens(0.8) else lease.below(4)
    return line.network.address(block * 256 + lease.below(250))


def _device(person: Person, visit: Visit, day: float, chance: Chance) -> Device:
    """A device in use that day and usual in that place; very rarely somebody else's."""
    if chance.happens(_BORROWED_SHARE) and person.user_id not in ("alice", "bob"):
        return Device(fresh_id(person.user_id, "borrowed", int(day)), "home", "chrome_windows", 10.0)
    owned = [device for device in person.devices if device.days[0] <= day < device.days[1]]
    weights = [_ROLES[visit.place].get(device.role, 0) + 0.001 for device in owned]
    return chance.weighted(owned, weights)


def _software(person: Person, device: Device, day: float) -> Signature:
    shown = signature(
        device.browser, day=day, lag_days=device.lag_days, language=person.language, on_trial=device.on_trial
    )
    return shown if person.has_fingerprints else Signature(shown.user_agent, "", "", "")
