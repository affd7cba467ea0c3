"""What is being tried around a login: from its address, its network and its device, by whomever.

Everything halves every half hour of the events' own time, so pressure is told in decayed numbers: 8.0 failures are
eight just now or sixteen half an hour ago. It is learned from finished outcomes alone. The state is that of one
process: what another one learns is not seen here.

What an attacker can do with it:
- He cannot lower anybody's pressure. Finished logins are a number of their own and are never taken off; failing again
  for the same person keeps that person fresh; looking (scoring) changes nothing; no stamp from the future makes the
  present fade. To have a key forgotten he must bring `MOST_KEYS` others that finished later, while each of his own
  attempts keeps his network among the latest.
- He can raise it, for everybody behind the same address: that is what it says. What it may cost the people who live
  there is for the rules, which weigh it by how strange a login is for its person.
"""

from collections import OrderedDict
from hashlib import blake2b
from math import exp2, inf
from operator import itemgetter
from typing import Protocol

from msgspec import Struct

from risk_scorer.core.facts import NO_PRESSURE, Pressure
from risk_scorer.core.lessons import OWN, OutcomeKind

HALF_LIFE_SECONDS = 1800.0
REMEMBERED_SECONDS = 86_400.0
"""After a day 2^-48 is left of anything: a state made from the newest day alone says the same."""
MOST_KEYS = 100_000
"""Addresses, networks and devices, the least recently learned of leaves first."""
MOST_PEOPLE = 64
"""People told apart at one key, the one failed for longest ago leaves first; more than these is as bad as many."""
MOST_PEOPLE_IN_ALL = 500_000
"""Over all keys. With 100,000 keys, 40 MB were measured in peace and 75 MB when each fails for several people."""
_DIGEST_BYTES = 7  # two of half a million people are taken for one with a chance of 2 in a million


class Attempt(Protocol):
    """What is asked of a login here: an observation has it, and so has a stored lesson."""

    @property
    def ts(self) -> float: ...
    @property
    def user_id(self) -> str: ...
    @property
    def ip(self) -> str: ...
    @property
    def prefix(self) -> str: ...
    @property
    def device_id(self) -> str: ...


class _Tried(Struct, gc=False):
    """The sums of one key as they are at `at`; `fresh` adds up what is left of each person in `people`.

    `people` has a number for each person failed for and when last, the oldest first.
    """

    at: float
    failures: float = 0.0
    fresh: float = 0.0
    logins: float = 0.0
    people: dict[int, float] | None = None


class Crowd:
    """Decayed sums by address, network and device, bounded in number. Deterministic; every moment is an argument.

    `now` is the latest moment there can be: a stamp beyond it counts as now. Without it stamps are believed, as those
    of a finished log. What comes late is weighed by its own age, and a question about the past is answered with the
    newest numbers: too much rather than too little.
    """

    def __init__(self, *, most_keys: int = MOST_KEYS, most_people_in_all: int = MOST_PEOPLE_IN_ALL) -> None:
        self._most_keys = most_keys
        self._most_people_in_all = most_people_in_all
        self._people = 0
        self._tried: OrderedDict[str, _Tried] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tried)

    def around(self, seen: Attempt, *, now: float = inf) -> Pressure:
        """The pressure on this login as far as it was learned; of its address and network the one with more people."""
        find = self._tried.get
        address, network = find(seen.ip), find(seen.prefix)
        device = find(f"device:{seen.device_id}") if seen.device_id else None
        if address is None and network is None and device is None:
            return NO_PRESSURE
        ts = min(seen.ts, now)
        near, wide, held = _faded(address, ts), _faded(network, ts), _faded(device, ts)
        people, failures, logins = near if near > wide else wide
        return Pressure(
            network_failures=failures,
            network_people=people,
            network_logins=logins,
            device_failures=held[1],
            device_people=held[0],
            device_logins=held[2],
        )

    def learn(self, seen: Attempt, outcome: OutcomeKind, *, now: float = inf) -> None:
        """Count how this login ended, at its address, its network and its device as far as they are known."""
        ts = min(seen.ts, now)
        person = None if outcome in OWN else _digest(seen.user_id)
        if seen.ip:
            self._count(seen.ip, ts, person)
        if seen.prefix:
            self._count(seen.prefix, ts, person)
        if seen.device_id:
            # A device is named by whoever has it; the word before it keeps it from being the address of another.
            self._count(f"device:{seen.device_id}", ts, person)
        tried = self._tried
        while len(tried) > self._most_keys or self._people > self._most_people_in_all:
            self._people -= len(tried.popitem(last=False)[1].people or ())

    def _count(self, key: str, ts: float, person: int | None) -> None:
        tried = self._tried.get(key)
        if tried is None:
            tried = self._tried[key] = _Tried(ts)
        else:
            self._tried.move_to_end(key)
        weight = 1.0
        if ts > tried.at:
            left = exp2((tried.at - ts) / HALF_LIFE_SECONDS)
            tried.at = ts
            tried.failures *= left
            tried.fresh *= left
            tried.logins *= left
        elif ts < tried.at:
            weight = exp2((ts - tried.at) / HALF_LIFE_SECONDS)
        if person is None:
            tried.logins += weight
        else:
            tried.failures += weight
            self._meet(tried, person, ts, weight)

    def _meet(self, tried: _Tried, person: int, ts: float, weight: float) -> None:
        """One more failure for a person, who counts once: as of the latest."""
        people = tried.people
        if people is None:
            tried.people, tried.fresh = {person: ts}, weight
            self._people += 1
            return
        before = people.get(person)
        if before is None:
            fresh = tried.fresh + weight
            self._people += 1
        elif ts > before:
            del people[person]
            fresh = tried.fresh + weight - exp2((before - tried.at) / HALF_LIFE_SECONDS)
        else:
            return
        people[person] = ts
        if weight < 1.0:  # came late: put in its place, or what is old would push out what is fresh
            people = tried.people = dict(sorted(people.items(), key=itemgetter(1)))
        if len(people) > MOST_PEOPLE:
            fresh -= exp2((people.pop(next(iter(people))) - tried.at) / HALF_LIFE_SECONDS)
            self._people -= 1
        tried.fresh = max(fresh, 0.0)  # what rounding left of nobody


def _digest(user_id: str) -> int:
    """A number for a person, the same in every process."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=_DIGEST_BYTES).digest())


def _faded(tried: _Tried | None, ts: float) -> tuple[float, float, float]:
    """People, failures and logins as they are at `ts`."""
    if tried is None:
        return 0.0, 0.0, 0.0
    if ts <= tried.at:
        return tried.fresh, tried.failures, tried.logins
    left = exp2((tried.at - ts) / HALF_LIFE_SECONDS)
    return tried.fresh * left, tried.failures * left, tried.logins * left
