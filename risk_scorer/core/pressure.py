"""What is being tried around a login: from its address, its network and its device, by whomever.

Everything halves every half hour of the events' own time, so pressure is told in decayed numbers: 8.0 failures are
eight just now or sixteen half an hour ago. It is learned from finished outcomes alone. The state is that of one
process, which is told what others learn a moment later.

What an attacker can do with it:
- He cannot lower anybody's pressure. Finished logins are a number of their own and are never taken off, and signing in
  to an account of his own a thousand times is one login to whoever asks for the share that fails; failing again for the
  same person keeps that person fresh; looking (scoring) changes nothing; no stamp from the future makes the present
  fade. To have a key forgotten he must bring `MOST_KEYS` others that ended later, while each of his own attempts keeps
  his network among the latest. With more than `MOST_PEOPLE` accounts of his own he can add logins: who weighs failures
  by their share must leave a floor.
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
"""Told apart at one key, on either side; the one whose last time is longest ago leaves first, to count anew."""
MOST_PEOPLE_IN_ALL = 500_000
"""Over all keys. With 100,000 keys of one person each 60 MB were measured, 75 MB with as many people as may be."""
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
    """The sums of one key as they are at `at`, and for whom it failed and whom it let in: when last, oldest first."""

    at: float
    failures: float = 0.0
    people: float = 0.0
    logins: float = 0.0
    failed_for: dict[int, float] | None = None
    let_in: dict[int, float] | None = None


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
        person, is_own = _digest(seen.user_id), outcome in OWN
        if seen.ip:
            self._count(seen.ip, person, ts, is_own)
        if seen.prefix:
            self._count(seen.prefix, person, ts, is_own)
        if seen.device_id:
            # A device is named by whoever has it; the word before it keeps it from being the address of another.
            self._count(f"device:{seen.device_id}", person, ts, is_own)
        tried = self._tried
        while len(tried) > self._most_keys or self._people > self._most_people_in_all:
            gone = tried.popitem(last=False)[1]
            self._people -= len(gone.failed_for or ()) + len(gone.let_in or ())

    def _count(self, key: str, person: int, ts: float, is_own: bool) -> None:
        tried = self._tried.get(key)
        if tried is None:
            tried = self._tried[key] = _Tried(ts)
        else:
            self._tried.move_to_end(key)
        at, weight = tried.at, 1.0
        if ts > at:
            left = exp2((at - ts) / HALF_LIFE_SECONDS)
            tried.failures *= left
            tried.people *= left
            tried.logins *= left
            tried.at = at = ts
        elif ts < at:
            weight = exp2((ts - at) / HALF_LIFE_SECONDS)
        if is_own:
            if tried.let_in is None:
                tried.let_in = {}
            tried.logins += self._news(tried.let_in, person, ts, at, weight)
        else:
            if tried.failed_for is None:
                tried.failed_for = {}
            tried.failures += weight
            tried.people += self._news(tried.failed_for, person, ts, at, weight)

    def _news(self, people: dict[int, float], person: int, ts: float, at: float, weight: float) -> float:
        """What this adds at `at`, where each person counts once: as of the latest. Never negative."""
        before = people.get(person)
        if before is None:
            self._people += 1
        elif ts > before:
            del people[person]
            weight -= exp2((before - at) / HALF_LIFE_SECONDS)  # what is still left of the time before
        else:
            return 0.0
        people[person] = ts
        if ts < at:  # came late: put in its place, or what is old would push out what is fresh
            in_order = sorted(people.items(), key=itemgetter(1))
            people.clear()
            people.update(in_order)
        if len(people) > MOST_PEOPLE:
            del people[next(iter(people))]
            self._people -= 1
        return weight


def _digest(user_id: str) -> int:
    """A number for a person, the same in every process."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=_DIGEST_BYTES).digest())


def _faded(tried: _Tried | None, ts: float) -> tuple[float, float, float]:
    """People, failures and logins as they are at `ts`."""
    if tried is None:
        return 0.0, 0.0, 0.0
    if ts <= tried.at:
        return tried.people, tried.failures, tried.logins
    left = exp2((tried.at - ts) / HALF_LIFE_SECONDS)
    return tried.people * left, tried.failures * left, tried.logins * left
