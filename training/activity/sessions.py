"""A person's ordinary sessions: when they begin, from where, and the way through the application."""

import math
from dataclasses import dataclass
from functools import cache

from training.activity.acting import Acting, Hand, begun, elsewhere, hand_of
from training.activity.calendar import DAY_SECONDS, is_month_end, slowdown, weekday
from training.activity.event import Change, Session, opaque
from training.activity.people import STARTS, Device, Person, Place, carrier_place, hours_of, person
from training.activity.services import PRIVILEGES, WAYS, Way
from training.simulator.chance import Chance

EVENTS_A_SESSION = 12.4
"""Mean length, attacks and look-alikes among them, so that a log has about as many rows as were asked for."""
_MEAN_WEEKEND_SHARE = 0.225
_MEAN_ACTIVITY = 0.985  # who joins later is not there before
_MOVES_SHARE = 0.3
_OUT_SHARE = 0.18
_NIGHT_WATCH_SHARE = 0.6
_NIGHT_WATCH, _NEW_ROLE = -1, -2
"""Turns of sessions that a person has besides the ordinary ones of the day."""


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of an ordinary session, which follows from `seed` and these numbers alone."""

    moment: float
    number: int
    day: int
    turn: int


def starts(number: int, day: int, *, a_day: float, seed: int, days: int) -> list[Start]:
    """When the person's sessions of that day begin; `a_day` is how many an average person has on an average day."""
    who = person(number, seed, days)
    if day + 1 < who.joined_day:
        return []
    chance = Chance(f"{seed}/activity/day/{number}/{day}")
    epoch_day = STARTS // DAY_SECONDS + day
    weekend = weekday(epoch_day) >= 5
    mean = a_day * who.activity / (_usual_day(days) * _MEAN_ACTIVITY) * (who.weekend_share if weekend else 1.0)
    if who.role_on(day) == "finance" and is_month_end(epoch_day):
        mean *= 2.0
    found = [Start(_moment(who, day, chance), number, day, turn) for turn in range(_poisson(mean, chance))]
    if day in who.on_call_days and chance.happens(_NIGHT_WATCH_SHARE):
        found.append(Start(_local(who, day, chance.between(0, 5)), number, day, _NIGHT_WATCH))
    if who.next_role is not None and day == who.next_role[0]:
        found.append(Start(_local(who, day, chance.between(9, 17)), number, day, _NEW_ROLE))
    return [start for start in found if start.moment >= STARTS + who.joined_day * DAY_SECONDS]


def session(start: Start, *, seed: int, days: int) -> Session:
    """The whole session that begins there."""
    who = person(start.number, seed, days)
    chance = Chance(f"{seed}/activity/session/{start.number}/{start.day}/{start.turn}")
    session_id = opaque(seed, "session", start.number, start.day, start.turn)
    is_new_role = start.turn == _NEW_ROLE
    day = start.day + 1 if is_new_role else start.day
    acting = begun(who, session_id, start.moment, seed=seed, day=day, chance=chance)
    device, place = _whereabouts(who, start, chance)
    hand = hand_of(who, device, place, start.moment)
    acting.go(hand, "POST /login", change=_announced(who) if is_new_role else None)
    kind = _kind(who, start, place)
    moved = act(acting, hand, who, steps=_length(chance, busy=kind == "month_end"))
    acting.session.kind = "wifi_to_mobile" if moved and kind in ("", "office_nat", "carrier_nat") else kind
    if not kind and any(slowdown(seed, each.service, each.moment) > 1 for each in acting.session.events):
        acting.session.kind = "slow_server"
    return acting.session


def whereabouts(who: Person, moment: float, chance: Chance) -> tuple[Device, Place]:
    """The device that suits the place where the person is at that hour."""
    hour = ((moment / 3600) + who.city.utc_offset_hours) % 24
    is_work_day = weekday(int(moment // DAY_SECONDS)) < 5
    if who.office is not None and who.desktop is not None and is_work_day and 7 <= hour < 19 and chance.happens(0.85):
        return who.desktop, who.office
    if who.desktop is None or chance.happens(_OUT_SHARE):
        return who.phone, carrier_place(who, chance) if chance.happens(0.6) else who.home
    return who.desktop, who.home


def act(acting: Acting, hand: Hand, who: Person, *, steps: int) -> bool:
    """Ways of the person's role until about so many requests; whether a telephone moved to the mobile network."""
    ways, weights = _ways_of(who, acting.roles[0])
    chance = acting.chance
    may_move = hand.device_type == "mobile" and hand.place.kind == "home" and chance.happens(_MOVES_SHARE)
    moves_at = 2 + chance.below(max(1, steps - 2)) if may_move else 0
    until = len(acting.session.events) + steps
    moved = False
    while len(acting.session.events) < until:
        way = chance.weighted(ways, weights)
        trace = opaque(acting.session.session_id, len(acting.session.events))[:12] if chance.happens(0.3) else ""
        item = float(1 + chance.below(9_000))
        for name in way:
            if moves_at and not moved and len(acting.session.events) >= moves_at:
                hand, moved = elsewhere(hand, carrier_place(who, chance)), True
            acting.go(hand, name, trace=trace, item=item)
            if chance.happens(0.12):
                break
    if chance.happens(0.35):
        acting.go(hand, "POST /logout")
    return moved


def ordinary_length(chance: Chance) -> int:
    """How many requests a session has besides login and logout."""
    return _length(chance, busy=False)


def _length(chance: Chance, *, busy: bool) -> int:
    return 1 + int(-(18.0 if busy else 8.3) * math.log(1.0 - chance.fraction()))


def _ways_of(who: Person, role: str) -> tuple[tuple[Way, ...], tuple[float, ...]]:
    if role == who.role:
        return who.ways, who.weights
    return tuple(WAYS[role]), tuple(WAYS[role].values())


def _whereabouts(who: Person, start: Start, chance: Chance) -> tuple[Device, Place]:
    if start.turn == _NIGHT_WATCH:
        return who.desktop or who.phone, who.home
    return whereabouts(who, start.moment, chance)


def _kind(who: Person, start: Start, place: Place) -> str:
    """The look-alike that this session is of, "" for none."""
    if start.turn in (_NIGHT_WATCH, _NEW_ROLE):
        return "on_call_night" if start.turn == _NIGHT_WATCH else "role_change"
    if who.role_on(start.day) == "finance" and is_month_end(STARTS // DAY_SECONDS + start.day):
        return "month_end"
    return {"office": "office_nat", "mobile": "carrier_nat"}.get(place.kind, "")


def _announced(who: Person) -> Change:
    after = who.next_role[1] if who.next_role is not None else who.role
    return Change((who.role,), (after,), PRIVILEGES[who.role], PRIVILEGES[after])


def _moment(who: Person, day: int, chance: Chance) -> float:
    hour = chance.weighted(range(24), hours_of(who)) + chance.fraction()
    return _local(who, day, hour)


def _local(who: Person, day: int, hour: float) -> float:
    """The moment of that local hour within the UTC day."""
    return round(STARTS + day * DAY_SECONDS + (hour - who.city.utc_offset_hours) % 24 * 3600, 3)


@cache
def _usual_day(days: int) -> float:
    """How busy an average day of the log is, where a working day is 1."""
    first = STARTS // DAY_SECONDS
    busy = [_MEAN_WEEKEND_SHARE if weekday(first + day) >= 5 else 1.0 for day in range(days)]
    return sum(busy) / days


def _poisson(mean: float, chance: Chance) -> int:
    """Source: Knuth, The Art of Computer Programming, volume 2, section 3.4.1."""
    mark, product, count = math.exp(-mean), chance.fraction(), 0
    while product > mark:
        product *= chance.fraction()
        count += 1
    return count
