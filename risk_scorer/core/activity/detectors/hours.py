"""When somebody is active, against their own hours and days of the week and those of their peers, in UTC.

An hour counts once however much is done in it, so that one long night is no habit. Peers may live anywhere: what they
have in common is how far from the middle of their own day they are active.
"""

import math
from operator import mul
from typing import ClassVar

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, part_in
from risk_scorer.core.activity.seen import Seen

HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday; Monday is 0."""
OWN_ENOUGH, PEERS_ENOUGH = 24, 100
"""Active hours: a week or two of a person."""
OWN_STRENGTH, PEERS_STRENGTH = 8.0, 24.0
HALVED_AT = 400
CENTRED_FROM, CENTRED = 6, 0.35
"""Active hours that tell the middle of somebody's day, and how close together they must lie: the length of their mean
as points on a circle (Mardia and Jupp 2000, "Directional Statistics", 2.2); ten hours in a row have 0.74."""
MOST_NATS = 3.0
"""People do work at night for once: by itself an hour asks nobody anything, beside something else it decides."""
ATTACKER = 1.0 / 24.0
"""Thieves live anywhere: any hour is as likely."""
ATTACKER_DAY = 1.0 / 7.0
START_NATS = 0.7
"""An hour half as usual as any is within one's habits."""
_COSINES = tuple(math.cos(math.tau * hour / 24) for hour in range(24))
_SINES = tuple(math.sin(math.tau * hour / 24) for hour in range(24))


class Clock(Part):
    """Active hours by hour of the day and by day of the week, and the last one that was counted."""

    most_bytes: ClassVar[int] = 24 * 3 + 7 * 3 + 24
    last: int = 0
    counted: int = 0
    hours: list[int] = []
    days: list[int] = []


class PeersClock(Part):
    """The same of a group, and how many hours each was from the middle of their own day, `placed` altogether."""

    most_bytes: ClassVar[int] = Clock.most_bytes + 24 * 3 + 8
    last: int = 0
    counted: int = 0
    hours: list[int] = []
    days: list[int] = []
    placed: int = 0
    apart: list[int] = []


class Looked(Part):
    """The hour that the session has been judged for: it is the same for all that is done in it."""

    most_bytes: ClassVar[int] = 10
    hour: int = 0


class Hours(Detector):
    """Times at which this person does not work."""

    name = "hours"
    family = "hours"
    warm_up = "24 active hours of the person, or 100 of people with the same roles"
    texts = {"unusual_hour": "This person, and those with the same roles, are seldom active at this hour or day."}
    parts = {"person": Clock, "peers": PeersClock, "session": Looked}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        looked: Looked | None = around.session.get("hours")
        if looked is not None and looked.hour == int(seen.ts) // HOUR_SECONDS:
            return None
        own: Clock | None = around.person.get("hours")
        peers: PeersClock | None = around.peers.get("hours")
        if peers is not None and peers.counted < PEERS_ENOUGH:
            peers = None
        if own is None or (own.counted < OWN_ENOUGH and peers is None):
            return UNKNOWN
        hour, day = hour_and_day(seen.ts)
        ours = _near(own, hour, _theirs(peers, own, hour), OWN_STRENGTH)
        days = _on(own, day, _on(peers, day, ATTACKER_DAY, PEERS_STRENGTH), OWN_STRENGTH)
        if ours * days >= ATTACKER * ATTACKER_DAY * 0.5:
            return None
        nats = min(math.log(ATTACKER * ATTACKER_DAY / (ours * days)) - START_NATS, MOST_NATS)
        most = max(range(24), key=own.hours.__getitem__) if own.hours else hour
        return Finding("unusual_hour", nats, f"{hour:02}:00 UTC, {DAYS[day]}", f"{most:02}:00")

    def learn(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "hours", Clock)
        now = int(seen.ts) // HOUR_SECONDS
        if now <= own.last:
            return
        own.last = now
        hour, day = hour_and_day(seen.ts)
        if is_calm(around.session):
            peers, centre = part_in(around.peers, "hours", PeersClock), _centre(own)
            _add(peers, hour, day)
            if centre is not None:
                _place(peers, (hour - centre) % 24)
        _add(own, hour, day)

    def note(self, seen: Seen, around: Around) -> None:
        part_in(around.session, "hours", Looked).hour = int(seen.ts) // HOUR_SECONDS


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hour_and_day(ts: float) -> tuple[int, int]:
    """Hour of the day (0-23) and day of the week (Monday 0), UTC."""
    return int(ts) // HOUR_SECONDS % 24, (int(ts) // DAY_SECONDS + EPOCH_WEEKDAY) % 7


def _theirs(peers: PeersClock | None, own: Clock, hour: int) -> float:
    """The share of an hour among peers: from the middle of one's own day where it is known, else by the clock."""
    centre = None if peers is None or peers.placed < PEERS_ENOUGH else _centre(own)
    if peers is None or centre is None:
        return _near(peers, hour, ATTACKER, PEERS_STRENGTH)
    return (_beside(peers.apart, (hour - centre) % 24) + PEERS_STRENGTH * ATTACKER) / (peers.placed + PEERS_STRENGTH)


def _centre(clock: Clock) -> int | None:
    """The middle of somebody's day, None where it is not known or they have none."""
    if clock.counted < CENTRED_FROM:
        return None
    east = sum(map(mul, clock.hours, _COSINES))
    north = sum(map(mul, clock.hours, _SINES))
    if math.hypot(east, north) < CENTRED * clock.counted:
        return None
    return round(math.atan2(north, east) / math.tau * 24.0) % 24


def _near(clock: Clock | PeersClock | None, hour: int, others: float, strength: float) -> float:
    """The share of an hour of the day."""
    if clock is None or not clock.hours:
        return others
    return (_beside(clock.hours, hour) + strength * others) / (clock.counted + strength)


def _beside(hours: list[int], hour: int) -> float:
    """How much there is at an hour, in which those beside it count half: habits have no sharp edges."""
    return 0.25 * hours[hour - 1] + 0.5 * hours[hour] + 0.25 * hours[hour - 23]


def _on(clock: Clock | PeersClock | None, day: int, others: float, strength: float) -> float:
    if clock is None or not clock.days:
        return others
    return (clock.days[day] + strength * others) / (clock.counted + strength)


def _place(peers: PeersClock, apart: int) -> None:
    if not peers.apart:
        peers.apart = [0] * 24
    peers.apart[apart] += 1
    peers.placed += 1
    if peers.placed >= HALVED_AT:
        peers.apart = [(count + 1) // 2 for count in peers.apart]
        peers.placed = sum(peers.apart)


def _add(clock: Clock | PeersClock, hour: int, day: int) -> None:
    if not clock.hours:
        clock.hours, clock.days = [0] * 24, [0] * 7
    clock.hours[hour] += 1
    clock.days[day] += 1
    clock.counted += 1
    if clock.counted >= HALVED_AT:
        clock.hours = [(count + 1) // 2 for count in clock.hours]
        clock.days = [(count + 1) // 2 for count in clock.days]
        clock.counted = sum(clock.hours)
