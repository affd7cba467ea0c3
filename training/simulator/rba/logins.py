"""One day of the invented log as columns, in order of time: what people do, and what is done to them."""

from dataclasses import replace

import numpy as np

from training.simulator.rba.draws import Draws
from training.simulator.rba.habits import devices, networks, times_of_day
from training.simulator.rba.hostile import stuffing, takeovers
from training.simulator.rba.places import load_places
from training.simulator.rba.population import Population
from training.simulator.rba.rows import Logins, epoch_ms, together
from training.simulator.rba.schedule import DAY_MS, Schedule

_SHORTEST_PAUSE_MS, _LONGEST_PAUSE_MS = 6_000, 45_000


def day_of_logins(day: int, plan: Schedule, population: Population) -> Logins:
    """Everything that happens on that day (0 is the first one), in order of time."""
    own, typos = _sessions(day, int(plan.sessions[day]), population), int(plan.typos[day])
    # On a day without a login of anybody a mistyped one is all that is left of it.
    meant = own if len(own) else _sessions(day, typos, population)
    parts = [
        own,
        _typos(day, typos, meant, population.draws),
        stuffing(day, int(plan.stuffing[day]), population),
        takeovers(day, int(plan.takeovers[day]), population),
    ]
    whole = together(parts)
    return whole.at(np.argsort(whole.moment, kind="stable"))


def _sessions(day: int, count: int, population: Population) -> Logins:
    """Each newcomer's first login, and so many of everybody's."""
    draws = population.draws
    person = np.concatenate([population.newcomers(day), population.coming(day, count)])
    home = population.home(person)
    local = times_of_day(person, day, draws)
    moment = (local - load_places().utc_offset_ms[home]) % DAY_MS
    slot, software = devices(person, day, draws)
    place, role, address = networks(person, home, local, slot, day, population)
    no = np.zeros(len(person), bool)
    return Logins(epoch_ms(day, moment), person, address, place, role, software, ~no, no, no)


def _typos(day: int, count: int, own: Logins, draws: Draws) -> Logins:
    """A wrong password a few seconds before the login that it was mistyped for."""
    number = np.arange(count)
    meant = own.at(draws.below(len(own), "typo", day, number))
    pause = _SHORTEST_PAUSE_MS + draws.below(_LONGEST_PAUSE_MS - _SHORTEST_PAUSE_MS, "pause", day, number)
    moment = np.maximum(meant.moment - pause, epoch_ms(day, np.zeros(count, np.int64)))
    return replace(meant, moment=moment, success=np.zeros(count, bool))
