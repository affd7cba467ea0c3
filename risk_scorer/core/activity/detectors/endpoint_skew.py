"""Which endpoints a session goes to, against those that this person and their peers use.

For each event: how much likelier the endpoint is for somebody who looks around than for this person, whose share backs
off to their peers' and everyone's (Freeman et al. 2016, "Who Are You?"). The session's sum is Page's (1954,
"Continuous Inspection Schemes"): usual events bring it down, and many slightly unusual ones up.
"""

import math
from typing import ClassVar

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm, is_calm_but_for, length_nats
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled, keep, part_in
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of

OWN_MOST, GROUP_MOST, SESSION_MOST = 48, 256, 32
"""Endpoints remembered of a person, of a group or everyone, of a session."""
OWN_ENOUGH, GROUP_ENOUGH = 30, 200
OWN_STRENGTH, GROUP_STRENGTH, WORLD_STRENGTH = 20.0, 20.0, 20.0
"""Events' worth of back-off: after so many, one's own share counts half."""
HALVED_AT = 1_000
"""Events at which counts are halved, so that habits of last year give way."""
LOOKING_AROUND = 0.5
"""Share of attackers who take any endpoint there is; the others go where everybody goes."""
LIKE_PEERS = 0.3
"""Share of anybody's steps that are any of their peers': whoever never read the handbook opens it one day."""
IN_NEW_ROLE = 0.5
"""The same share of somebody whose roles have changed, until something is learned in the new ones."""
OF_PATHS = frozenset(("endpoint_skew", "sequence", "new_service"))
"""Detectors that see one unusual way from several sides."""
AT_HOME, HOME_NATS = 10, -0.5
"""Where somebody spends more than a tenth of their steps they are at home; that speaks for them a little."""
LOWEST, HIGHEST = -1.5, 3.0
START_NATS = 2.5
"""What the sum of an ordinary session reaches by chance."""


class Endpoints(Part):
    """Endpoint → events, of a person; the one used least leaves first. `peers` is a digest of whose peer they were."""

    most_bytes: ClassVar[int] = OWN_MOST * (4 * 80 + 6) + 25
    events: int = 0
    used: dict[str, int] = {}
    peers: int = 0


class GroupEndpoints(Part):
    """The same of a group, or of everyone; and which person in which session taught it last though suspicious."""

    most_bytes: ClassVar[int] = GROUP_MOST * (4 * 80 + 6) + 34
    events: int = 0
    used: dict[str, int] = {}
    taught_by: int = 0
    taught_in: int = 0


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
        after = _after(seen, around, own)
        self._found = (seen, after)
        if after <= START_NATS:
            return None
        nats = after - START_NATS - length_nats(around.session)
        if nats <= 0.0:
            return None
        most = max(own.used, key=own.used.__getitem__) if own is not None and own.used else ""
        return Finding("endpoint_skew", nats, seen.endpoint, most)

    def learn(self, seen: Seen, around: Around) -> None:
        own = part_in(around.person, "endpoint_skew", Endpoints)
        _know_role(own, digest_of(seen.peers))
        _add(own, seen.endpoint, OWN_MOST)
        if not is_calm(around.session):
            return
        peers = part_in(around.peers, "endpoint_skew", GroupEndpoints)
        sampled = is_sampled(seen.ts)
        if sampled or peers.events < GROUP_ENOUGH or seen.endpoint not in peers.used:
            _add(peers, seen.endpoint, GROUP_MOST)
        if sampled:
            _add(part_in(around.world, "endpoint_skew", GroupEndpoints), seen.endpoint, GROUP_MOST)

    def note(self, seen: Seen, around: Around) -> None:
        visited = part_in(around.session, "endpoint_skew", Visited)
        known, after = self._found
        visited.sum = after if known is seen else _after(seen, around, around.person.get("endpoint_skew"))
        times = visited.used.get(seen.endpoint, 0)
        keep(visited.used, seen.endpoint, times + 1, SESSION_MOST)
        if not times and is_sampled(seen.ts) and not is_calm(around.session):
            _teach_group(seen, around)


def _teach_group(seen: Seen, around: Around) -> None:
    """The group learns where its established people go, once a session, though this very detector speaks against it.

    Else what is seldom used would stay suspicious because it is suspicious. Nothing else may speak against the session,
    and nobody teaches twice before somebody else has: what one person alone does is not what peers do.
    """
    own: Endpoints | None = around.person.get("endpoint_skew")
    peers: GroupEndpoints | None = around.peers.get("endpoint_skew")
    if peers is None or own is None or own.events < OWN_ENOUGH or not is_calm_but_for(around.session, OF_PATHS):
        return
    person, session = digest_of(seen.user_id), digest_of(seen.session_id)
    if person == peers.taught_by and session != peers.taught_in:
        return
    peers.taught_by, peers.taught_in = person, session
    _add(peers, seen.endpoint, GROUP_MOST)


def _know_role(own: Endpoints, peers: int) -> None:
    """Habits of roles that somebody had before fade at once."""
    if own.peers != peers:
        if own.peers:
            kept = min(1.0, OWN_STRENGTH / max(1, own.events))
            own.used = {name: max(1, round(kept * count)) for name, count in own.used.items()}
            own.events = sum(own.used.values())
        own.peers = peers


def _after(seen: Seen, around: Around, own: Endpoints | None) -> float:
    """The session's sum with this event; being again where it has been says less each time."""
    endpoint = seen.endpoint
    visited: Visited | None = around.session.get("endpoint_skew")
    if own is not None and own.used.get(endpoint, 0) * AT_HOME > own.events:
        return 0.0 if visited is None else max(0.0, visited.sum + HOME_NATS)
    nats = _ratio(seen, around, own)
    if visited is None:
        return max(0.0, nats)
    if nats > 0.0:
        nats /= 1.0 + visited.used.get(endpoint, 0)
    return max(0.0, visited.sum + nats)


def _ratio(seen: Seen, around: Around, own: Endpoints | None) -> float:
    """Nats for somebody who looks around and against this person."""
    endpoint = seen.endpoint
    everyone: GroupEndpoints | None = around.world.get("endpoint_skew")
    peers: GroupEndpoints | None = around.peers.get("endpoint_skew")
    any_one = 1.0 / (2.0 if everyone is None else len(everyone.used) + 2.0)
    world = _share(everyone, endpoint, any_one, WORLD_STRENGTH)
    theirs = _share(peers, endpoint, world, GROUP_STRENGTH)
    has_moved = own is not None and own.peers and own.peers != digest_of(seen.peers)
    like_peers = IN_NEW_ROLE if has_moved and peers is not None and peers.events >= GROUP_ENOUGH else LIKE_PEERS
    mine = max(like_peers * theirs, _share(own, endpoint, theirs, OWN_STRENGTH))
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
