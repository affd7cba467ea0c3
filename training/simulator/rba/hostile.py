"""Logins by people who are not the user, labelled as the RBA data set labels them."""

import numpy as np

from training.simulator.rba.draws import Whole
from training.simulator.rba.places import HOME, HOSTING, VPN, load_places
from training.simulator.rba.population import UNKNOWN_ACCOUNT, Population
from training.simulator.rba.rows import Logins, epoch_ms
from training.simulator.rba.schedule import DAY_MS
from training.simulator.rba.software import PROGRAMS, load_software

STUFFING_SUCCESS = 0.002
UNKNOWN_SHARE = 0.35
_CAMPAIGNS, _ADDRESSES = 3, 60
_HIDEOUTS = np.array([HOSTING, HOSTING, VPN, HOME])
_KNOWN_ATTACKERS = 0.7
_COMMON_BROWSERS = np.array([0, 0, 3, 4, 8])
_ABROAD = 12
"""People's own country has the places before this one; attackers come from any other mostly."""
_FROM_HOME_SHARE = 0.1


def stuffing(day: int, count: int, population: Population) -> Logins:
    """Leaked pairs tried by programs through a few rented addresses; a third of the names is nobody's account.

    The few that succeed are takeovers.
    """
    draws, number = population.draws, np.arange(count)
    campaign = draws.below(_CAMPAIGNS, "campaign of", day, number)
    place = _attackers_place(population, "campaign's place", day // 2, campaign)
    role = np.full(count, HOSTING)
    near = draws.below(8, "campaign's block", day // 2, campaign, draws.below(8, "block", day, number))
    address = load_places().addresses(place, role, near, draws.below(_ADDRESSES, "machine", day, number))
    person = population.anybody(day, count, "tried")
    person[draws.happens(UNKNOWN_SHARE, "unknown", day, number)] = UNKNOWN_ACCOUNT
    program = np.array(PROGRAMS)[draws.below(len(PROGRAMS), "program", day // 2, campaign)]
    software = load_software().codes(program, draws.below(2, "program's machine", day, campaign), np.full(count, day))
    begins = draws.below(DAY_MS * 3 // 4, "begins", day, campaign)
    moment = epoch_ms(day, begins + draws.below(DAY_MS // 4, "tried at", day, number))
    success = draws.happens(STUFFING_SUCCESS, "reused", day, number) & (person != UNKNOWN_ACCOUNT)
    return Logins(moment, person, address, place, role, software, success, np.ones(count, bool), success)


def takeovers(day: int, count: int, population: Population) -> Logins:
    """Somebody with the right password and a common browser, from a network of no particular person."""
    draws, number = population.draws, np.arange(count)
    person = population.coming(day, count)
    place = _attackers_place(population, "hideout", day, number)
    role = _HIDEOUTS[draws.below(len(_HIDEOUTS), "hideout's kind", day, number)]
    near, host = (
        draws.below(1 << 30, "hideout's block", day, number),
        draws.below(1 << 30, "hideout's host", day, number),
    )
    family = _COMMON_BROWSERS[draws.below(len(_COMMON_BROWSERS), "thief's browser", day, number)]
    lag = draws.below(60, "thief's lag", day, number)
    software = load_software().codes(family, draws.below(1 << 20, "thief's machine", day, number), day - lag)
    yes = np.ones(count, bool)
    known = draws.happens(_KNOWN_ATTACKERS, "known attacker", day, number)
    moment = epoch_ms(day, draws.below(DAY_MS, "taken over at", day, number))
    address = load_places().addresses(place, role, near, host)
    return Logins(moment, person, address, place, role, software, yes, known, yes)


def _attackers_place(population: Population, name: str, *parts: Whole | int) -> Whole:
    abroad = _ABROAD + population.draws.below(len(load_places()) - _ABROAD, name, *parts)
    near = population.draws.below(_ABROAD, f"{name}, near", *parts)
    return np.where(population.draws.happens(_FROM_HOME_SHARE, f"{name} is near", *parts), near, abroad)
