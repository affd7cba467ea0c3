"""Who there is and what is theirs: people by their numbers, from 0 in the order in which they join."""

from dataclasses import dataclass

import numpy as np

from training.simulator.rba.draws import Draws, Whole, Words
from training.simulator.rba.places import HOME_PROVIDERS, load_places
from training.simulator.rba.schedule import SPAN_DAYS

_REGULAR_SHARE = 0.45
_VISITOR_WEIGHT, _REGULAR_WEIGHT, _HEAVIEST = 20, 600, 40_000
_WEIGHT_STEPS = 4096
UNKNOWN_ACCOUNT = -1
"""The number that failed logins to accounts nobody has go by, all of them alike, as in the RBA data set."""
LEASES_DAYS = np.array([1, 7, 30, 120, 400])
_LEASE_WEIGHTS = (8, 14, 24, 30, 24)


@dataclass(frozen=True)
class Population:
    """So many people; everything about one is a function of the seed and of the number."""

    people: int
    draws: Draws
    joined_by: Whole
    """(days,): how many have joined by the end of each day; the others come later."""
    active: Whole
    """(people + 1,): what all before each number weigh together; who weighs twice as much logs in twice as often."""

    @classmethod
    def of(cls, people: int, draws: Draws, joined_by: Whole) -> "Population":
        """The people of a seed. Most of them come seldom, a few several times a day."""
        steps = (np.arange(_WEIGHT_STEPS) + 0.5) / _WEIGHT_STEPS
        by_step = np.minimum(_REGULAR_WEIGHT * steps**-0.6, _HEAVIEST).astype(np.int64)
        numbers = np.arange(people)
        weights = by_step[draws.below(_WEIGHT_STEPS, "activity", numbers)]
        weights[~draws.happens(_REGULAR_SHARE, "regular", numbers)] = _VISITOR_WEIGHT
        return cls(people, draws, joined_by, np.concatenate([[0], np.cumsum(weights)]))

    def coming(self, day: int, count: int) -> Whole:
        """So many of those who are there on that day, each as often as their activity says, in order."""
        marks = self.draws.below(int(self.active[self.joined_by[day]]), "who", day, np.arange(count))
        marks.sort()
        return np.searchsorted(self.active, marks, side="right").astype(np.int64) - 1

    def newcomers(self, day: int) -> Whole:
        """Those who join on that day."""
        return np.arange(0 if day == 0 else self.joined_by[day - 1], self.joined_by[day])

    def anybody(self, day: int, count: int, name: str) -> Whole:
        """So many of those who are there, each as likely as any other."""
        return self.draws.below(int(self.joined_by[day]), name, day, np.arange(count))

    def user_ids(self, person: Whole) -> Whole:
        """Signed 64-bit ids, one for each person, as the RBA data set has them."""
        return self.draws.words("user", person).view(np.int64)

    def home(self, person: Whole) -> Whole:
        """Places that people live in."""
        return self.draws.weighted(load_places().people, "home", person)

    def provider(self, person: Whole, day: int) -> Whole:
        """The role of the network at home; some change it once within the span."""
        moves = self.draws.below(SPAN_DAYS * 8, "moves", person)
        return self.draws.below(HOME_PROVIDERS, "provider", person, (day >= moves).astype(np.int64))

    def lease(self, person: Whole, day: int) -> Whole:
        """Which of a home's addresses in turn it is: a new one when the provider's lease is over."""
        length = LEASES_DAYS[self.draws.weighted(_LEASE_WEIGHTS, "lease", person)]
        turn: Whole = (day + person % length) // length
        return turn

    def journey(self, person: Whole, day: int) -> Words:
        """Somebody's journey of that fortnight, 0 where the person is at home on that day."""
        fortnight = day // 14
        journey = self.draws.words("journey", person, fortnight)
        starts = (journey % np.uint64(10)).astype(np.int64)
        days = 2 + (journey >> np.uint64(8)) % np.uint64(4)
        is_away = self.draws.happens(0.06, "travels", person, fortnight) & (day % 14 >= starts)
        is_away &= day % 14 < starts + days.astype(np.int64)
        return np.where(is_away, journey, np.uint64(0))
