"""Which endpoints a session goes to, against those that this person and their peers use.

For each event: how much likelier the endpoint is for somebody who looks around than for this person, whose share backs
off to their peers' and everyone's (Freeman et al. 2016, "Who Are You?"). The session's sum is Page's (1954,
"Continuous Inspection Schemes"): usual events bring it down, and many slightly unusual ones up.
"""

import math
from typing import ClassVar

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm, length_nats
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled, keep, part_in
from risk_scorer.core.activity.seen import Seen

OWN_MOST, GROUP_MOST, SESSION_MOST = 48, 256, 32
"""Endpoints remembered of a person, of a group or everyone, of a session."""
OWN_ENOUGH, GROUP_ENOUGH = 30, 200
OWN_STRENGTH, GROUP_STRENGTH, WORLD_STRENGTH = 20.0, 20.0, 20.0
"""Events' worth of back-off: after so many, one's own share counts half."""
HALVED_AT = 1_000
"""Events at which counts are halved, so that habits of last year give way."""
LOOKING_AROUND = 0.5
"""Share of attackers who take any endpoint there is; the others go where everybody goes."""
AT_HOME, HOME_NATS = 10, -0.5
"""Where somebody spends more than a tenth of their steps they are at home; that speaks for them a little."""
LOWEST, HIGHEST = -1.5, 3.0
START_NATS = 2.5
"""What the sum of an ordinary session reaches by chance."""


class Endpoints(Part):
    """Endpoint → events, of a person; the one used least leaves first."""

    most_bytes: ClassVar[int] = OWN_MOST * (4 * 80 + 6) + 16
    events: int = 0
    used: dict[str, int] = {}


class GroupEndpoints(Part):
    """The same of a group, or of everyone."""

    most_bytes: ClassVar[int] = GROUP_MOST * (4 * 80 + 6) + 16
    events: int = 0
    used: dict[str, int] = {}


class Visited(Part):
    """The session's sum, and how often it has been where."""

    most_bytes: ClassVar[int] = SESSION_MOST * (4 * 80 + 6) + 24
    sum: float = 0.0
    used: dict[str, int] = {}


class EndpointSkew(Detector):
    """Endpoints that are not this person's."""

    name = "endpoint_skew"
    family = "path"
    warm_up = "30 events of the person, or 200 of people with the same roles"
    texts = {"endpoint_skew": "This session goes to endpoints that this person and their peers do not use, or seldom."}
    parts = {"person": Endpoints, "peers": GroupEndpoints, "world": GroupEndpoints, "session": Visited}

    def __init__(self) -> None:
        self._found: tuple[Seen | None, float] = (None, 0.0)  # what `look` made of it spares `note` the same again

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        own: Endpoints | None = around.person.get("endpoint_skew")
        peers: GroupEndpoints | None = around.peers.get("endpoint_skew")
        if (own is None or own.events < OWN_ENOUGH) and (peers is None or peers.events < GROUP_ENOUGH):
            self._found = (seen, 0.0)
            return UNKNOWN
        after = _after(seen.endpoint, around, own)
        self._found = (seen, after)
        if after <= START_NATS:
            return None
        nats = after - START_NATS - length_nats(around.session)
        if nats <= 0.0:
            return None
        most = max(own.used, key=own.used.__getitem__) if own is not None and own.used else ""
        return Finding("endpoint_skew", nats, seen.endpoint, most)

    def learn(self, seen: Seen, around: Around) -> None:
        _add(part_in(around.person, "endpoint_skew", Endpoints), seen.endpoint, OWN_MOST)
        if not is_calm(around.session):
            return
        peers = part_in(around.peers, "endpoint_skew", GroupEndpoints)
        sampled = is_sampled(seen.ts)
        if sampled or peers.events < GROUP_ENOUGH:
            _add(peers, seen.endpoint, GROUP_MOST)
        if sampled:
            _add(part_in(around.world, "endpoint_skew", GroupEndpoints), seen.endpoint, GROUP_MOST)

    def note(self, seen: Seen, around: Around) -> None:
        visited = part_in(around.session, "endpoint_skew", Visited)
        known, after = self._found
        visited.sum = after if known is seen else _after(seen.endpoint, around, around.person.get("endpoint_skew"))
        keep(visited.used, seen.endpoint, visited.used.get(seen.endpoint, 0) + 1, SESSION_MOST)


def _after(endpoint: str, around: Around, own: Endpoints | None) -> float:
    """The session's sum with this event; being again where it has been says less each time."""
    visited: Visited | None = around.session.get("endpoint_skew")
    if own is not None and own.used.get(endpoint, 0) * AT_HOME > own.events:
        return 0.0 if visited is None else max(0.0, visited.sum + HOME_NATS)
    nats = _ratio(endpoint, around, own)
    if visited is None:
        return max(0.0, nats)
    if nats > 0.0:
        nats /= 1.0 + visited.used.get(endpoint, 0)
    return max(0.0, visited.sum + nats)


def _ratio(endpoint: str, around: Around, own: Endpoints | None) -> float:
    """Nats for somebody who looks around and against this person."""
    everyone: GroupEndpoints | None = around.world.get("endpoint_skew")
    peers: GroupEndpoints | None = around.peers.get("endpoint_skew")
    any_one = 1.0 / (2.0 if everyone is None else len(everyone.used) + 2.0)
    world = _share(everyone, endpoint, any_one, WORLD_STRENGTH)
    mine = _share(own, endpoint, _share(peers, endpoint, world, GROUP_STRENGTH), OWN_STRENGTH)
    nats = math.log((LOOKING_AROUND * any_one + (1.0 - LOOKING_AROUND) * world) / mine)
    return LOWEST if nats < LOWEST else HIGHEST if nats > HIGHEST else nats


def _share(endpoints: Endpoints | GroupEndpoints | None, endpoint: str, others: float, strength: float) -> float:
    if endpoints is None:
        return others
    return (endpoints.used.get(endpoint, 0) + strength * others) / (endpoints.events + strength)


def _add(endpoints: Endpoints | GroupEndpoints, endpoint: str, most: int) -> None:
    used = endpoints.used
    count = used.get(endpoint, 0)
    if not count and len(used) >= most:
        del used[min(used, key=used.__getitem__)]
    used[endpoint] = count + 1
    endpoints.events += 1
    if endpoints.events >= HALVED_AT:
        for name in list(used):
            used[name] = (used[name] + 1) // 2
        endpoints.events = sum(used.values())
