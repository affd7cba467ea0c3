"""The whole invented log in order of time, a few minutes of the calendar in memory at once."""

import collections
import heapq
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from training.activity.attacks import SESSIONS_A_CASE, SHARES, Case, Setting, sessions_of
from training.activity.calendar import DAY_SECONDS
from training.activity.event import Event, Session
from training.activity.people import STARTS
from training.activity.sessions import EVENTS_A_SESSION, Start, session, starts
from training.refusals import WrongInputError

SYNTHETIC = "synthetic: invented people, invented attacks, nobody's data"
ATTACK_SHARE = 0.02
"""Of all sessions."""
MIN_PEOPLE, MAX_PEOPLE, MOST_DAYS, MIN_ROWS, MAX_ROWS = 20, 10_000_000, 366, 500, 200_000_000
ROWS_A_SLICE = 20_000
Tell = Callable[[Session], None]


@dataclass(frozen=True)
class Plan:
    """About `rows` events of so many people over so many days, from 2025-05-19 on."""

    rows: int = 70_000
    people: int = 500
    days: int = 21
    seed: int = 7

    @property
    def sessions(self) -> float:
        return self.rows / EVENTS_A_SESSION

    @property
    def setting(self) -> Setting:
        return Setting(self.seed, self.people, self.days)


def planned(rows: int, people: int | None, days: int, seed: int) -> Plan:
    """The plan, with a person for every 140 events where nobody says how many. Raises WrongInputError."""
    people = max(MIN_PEOPLE, rows // 140) if people is None else people
    if not MIN_ROWS <= rows <= MAX_ROWS:
        raise WrongInputError("bad_row_count", f"rows must be between {MIN_ROWS} and {MAX_ROWS}, not {rows}")
    if not MIN_PEOPLE <= people <= MAX_PEOPLE:
        raise WrongInputError("bad_people_count", f"people must be between {MIN_PEOPLE} and {MAX_PEOPLE}")
    if not 1 <= days <= MOST_DAYS:
        raise WrongInputError("bad_day_count", f"days must be between 1 and {MOST_DAYS}, not {days}")
    return Plan(rows, people, days, seed)


def cases(plan: Plan) -> list[Case]:
    """Every attack of the plan: each kind at least once, together about two in a hundred sessions."""
    budget = ATTACK_SHARE * plan.sessions
    found: list[Case] = []
    for kind, share in SHARES.items():
        many = max(1, round(share * budget / SESSIONS_A_CASE.get(kind, 1)))
        found.extend(Case(kind, number) for number in range(many))
    return found


def events(plan: Plan, tell: Tell = lambda session: None) -> Iterator[Event]:
    """Every event in order of time. `tell` is given each session once, whole, before its first event comes."""
    waiting: list[Event] = []
    attacks = _attacks_by_day(plan)
    for day in range(plan.days):
        begun = _begun(plan, day, attacks.pop(day, []))
        slices = max(1, round(plan.rows / plan.days / ROWS_A_SLICE))
        opening = next(begun, None)
        for part in range(slices):
            until = STARTS + (day + (part + 1) / slices) * DAY_SECONDS
            while opening is not None and opening[0] < until:
                made = opening[2]()
                tell(made)
                waiting.extend(made.events)
                opening = next(begun, None)
            waiting.sort(key=_order)
            ready = _before(waiting, until)
            yield from waiting[:ready]
            del waiting[:ready]
    yield from waiting


def sessions(plan: Plan) -> Iterator[Session]:
    """Every session whole, in the order in which they begin within a day."""
    attacks = _attacks_by_day(plan)
    for day in range(plan.days):
        yield from (write() for _, _, write in _begun(plan, day, attacks.pop(day, [])))


_Opening = tuple[float, int, Callable[[], Session]]


def _attacks_by_day(plan: Plan) -> dict[int, list[_Opening]]:
    found: dict[int, list[_Opening]] = collections.defaultdict(list)
    for case in cases(plan):
        for moment, write in sessions_of(case, plan.setting):
            day = min(plan.days - 1, int((moment - STARTS) // DAY_SECONDS))
            found[day].append((moment, len(found[day]), write))
    return found


def _begun(plan: Plan, day: int, attacks: list[_Opening]) -> Iterator[_Opening]:
    ordinary = (
        (start.moment, -1, lambda start=start: session(start, seed=plan.seed, days=plan.days))
        for start in _ordinary(plan, day)
    )
    yield from heapq.merge(ordinary, sorted(attacks, key=lambda each: each[:2]), key=lambda each: each[:2])


def _ordinary(plan: Plan, day: int) -> Iterator[Start]:
    """The beginnings of the day in order; as plain arrays, since there may be millions."""
    moments, numbers, turns = array("d"), array("q"), array("q")
    a_day = (1 - ATTACK_SHARE) * plan.sessions / plan.people / plan.days
    for number in range(plan.people):
        for start in starts(number, day, a_day=a_day, seed=plan.seed, days=plan.days):
            moments.append(start.moment)
            numbers.append(number)
            turns.append(start.turn)
    for place in np.argsort(np.asarray(moments), kind="stable").tolist():
        yield Start(moments[place], numbers[place], day, turns[place])


def _order(event: Event) -> tuple[float, str, int]:
    return event[0], event[1], event[2]


def _before(waiting: list[Event], until: float) -> int:
    low, high = 0, len(waiting)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if waiting[middle].moment < until else (low, middle)
    return low
