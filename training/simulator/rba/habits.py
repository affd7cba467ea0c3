"""What people usually do, and what they do now and then: hours, devices, networks."""

import numpy as np

from training.simulator.rba.draws import Draws, Whole
from training.simulator.rba.places import HOTEL, MOBILE, OFFICE, VPN, load_places
from training.simulator.rba.population import Population
from training.simulator.rba.schedule import DAY_MS, SPAN_DAYS
from training.simulator.rba.software import COMPUTERS, LONGEST_LAG, PHONES, TABLETS, load_software

HOUR_MS = 3_600_000
COMPUTER, PHONE, TABLET = 0, 1, 2

_HOURS = (3, 2, 1, 1, 2, 6, 18, 42, 60, 62, 58, 55, 56, 54, 50, 46, 44, 42, 44, 46, 44, 36, 22, 10)
_HABIT_SHARE = 0.75
_HABIT_WIDTH_MS = 2 * HOUR_MS
_PHONE_SHARES = np.array([0.1, 0.3, 0.5, 0.7, 0.95])
_TABLET_SHARE, _BORROWED_SHARE, _STALE_SHARE = 0.02, 0.003, 0.04
_MOBILE_SHARE, _OFFICE_PEOPLE, _TUNNEL_PEOPLE, _TUNNEL_SHARE, _ELSEWHERE_SHARE = 0.45, 0.55, 0.05, 0.4, 0.006
_OFFICE_HOURS = (8 * HOUR_MS, 16 * HOUR_MS)
_ADDRESSES_OF_AN_OFFICE = 3
_KINDS = {COMPUTER: COMPUTERS, PHONE: PHONES, TABLET: TABLETS}


def times_of_day(person: Whole, day: int, draws: Draws) -> Whole:
    """Local milliseconds of the day: around one of the person's two hours mostly, else when everybody is awake."""
    number = np.arange(len(person))
    habit = draws.weighted(_HOURS, "habit", person, draws.below(2, "which", day, number)) * HOUR_MS
    habit += draws.below(HOUR_MS, "habit minute", person)
    words = draws.words("spread", day, number)
    wander = sum(((words >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.int64) for part in range(3))
    usual = habit + (wander - 98_304) * _HABIT_WIDTH_MS // 65_536
    seldom = draws.weighted(_HOURS, "hour", day, number) * HOUR_MS + draws.below(HOUR_MS, "minute", day, number)
    times: Whole = np.where(draws.happens(_HABIT_SHARE, "usual", day, number), usual, seldom) % DAY_MS
    return times


def devices(person: Whole, day: int, draws: Draws) -> tuple[Whole, Whole]:
    """For each login whether it is the computer, the phone or the tablet, and the code of the software on it."""
    number = np.arange(len(person))
    likes_phones = _PHONE_SHARES[draws.below(len(_PHONE_SHARES), "likes phones", person)]
    slot = draws.happens(likes_phones, "phone", day, number).astype(np.int64)
    slot[draws.happens(_TABLET_SHARE, "tablet", day, number)] = TABLET
    is_borrowed = draws.happens(_BORROWED_SHARE, "borrows", day, number)
    owner = np.where(is_borrowed, draws.below(1 << 40, "lender", day, number), person)
    replaced = draws.below(3 * SPAN_DAYS, "replaced", owner, slot)
    device = slot * 2 + (day >= replaced)
    family = np.empty(len(person), np.int64)
    for kind, families in _KINDS.items():
        rows = np.flatnonzero(slot == kind)
        names = np.array(list(families))
        family[rows] = names[draws.weighted(tuple(families.values()), "family", owner[rows], device[rows])]
    lag = draws.below(25, "lag", owner, device) * draws.below(2, "late", owner, device)
    lag[draws.happens(_STALE_SHARE, "stale", owner, device)] = LONGEST_LAG
    variant = draws.below(1 << 20, "variant", owner, device)
    return slot, load_software().codes(family, variant, day - lag)


def networks(
    person: Whole, home: Whole, local: Whole, slot: Whole, day: int, population: Population
) -> tuple[Whole, Whole, Whole]:
    """The place and the role of the network of each login, and its address there."""
    draws, number = population.draws, np.arange(len(person))
    place, role = home.copy(), population.provider(person, day)
    near, host = (
        draws.below(1 << 30, "line", person, role),
        draws.below(1 << 30, "host", person, population.lease(person, day)),
    )

    def through(rows: Whole, new_role: int, block: Whole, address: Whole) -> None:
        role[rows], near[rows], host[rows] = new_role, block, address

    is_phone = slot == PHONE
    out = np.flatnonzero(is_phone & draws.happens(_MOBILE_SHARE, "out", day, number))
    through(out, MOBILE, draws.below(1 << 30, "cell", day, out), draws.below(1 << 30, "egress", day, out))
    in_hours = ~is_phone & (local >= _OFFICE_HOURS[0]) & (local < _OFFICE_HOURS[1]) & (day % 7 < 5)
    at_work = np.flatnonzero(in_hours & draws.happens(_OFFICE_PEOPLE, "employed", person))
    desk = draws.below(_ADDRESSES_OF_AN_OFFICE, "egress of the office", day, at_work)
    through(at_work, OFFICE, draws.below(1 << 30, "office", person[at_work]), desk)
    is_hidden = draws.happens(_TUNNEL_PEOPLE, "tunnels", person) & draws.happens(_TUNNEL_SHARE, "tunnel", day, number)
    tunnel = np.flatnonzero(is_hidden)
    through(tunnel, VPN, draws.below(4, "exit", day, tunnel), draws.below(40, "exit host", day, tunnel))
    journey = population.journey(person, day)
    strange = np.flatnonzero((journey > 0) | draws.happens(_ELSEWHERE_SHARE, "elsewhere", day, number))
    place[strange] = np.where(
        journey[strange] > 0,
        draws.weighted(load_places().people, "destination", journey[strange].view(np.int64)),
        place[strange],
    )
    is_hotel = draws.happens(0.6, "hotel", day, strange)
    room = draws.below(1 << 30, "room", person[strange], day // 3)
    through(strange, 0, room, room >> 8)
    role[strange] = np.where(is_hotel, HOTEL, MOBILE)
    return place, role, load_places().addresses(place, role, near, host)
