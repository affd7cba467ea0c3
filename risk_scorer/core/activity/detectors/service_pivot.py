"""A chain of services within one trace that the peers' requests never take: somebody goes from one to the next.

Source: Ho, Dhiman, Akhawe, Paxson, Savage, Voelker, Wagner 2021, "Hopper: Modeling and Detecting Lateral Movement",
section 4: a chain of steps that are each new says more than one of them. What several people begin to do within a
day is a deployment.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of

_NAME = "service_pivot"
IF_PIVOTING = 0.2
"""Share of an attacker's hops that go to just this service: any of the few that can be reached."""
STRENGTH = 5.0
"""Steps' worth of back-off to how often the service is gone to from anywhere."""
MOST_HOP_NATS = 2.5
"""One hop that was never seen: 12 to 1, since one call in a new release is that too."""
FEWEST_STEPS = 100.0
TOGETHER = 5
"""So many different people make a new hop usual at once."""
MOST_PAIRS, MOST_SERVICES, MOST_FRESH, MOST_CHAIN = 1024, 256, 64, 8
MOST_STEPS = 100_000.0
FEWEST_NATS = 1.0
DAY = 86_400.0


class Chain(Part):
    """Which services one trace went through, the last last, and what its hops say together."""

    most_bytes: ClassVar[int] = 16 + MOST_CHAIN * (128 * 4 + 5)
    nats: float = 0.0
    services: list[str] = field(default_factory=list)


class Fresh(Part):
    """Who made a hop that is not usual (digests of people), since when."""

    most_bytes: ClassVar[int] = 16 + 9 * TOGETHER
    since: float
    people: list[int]


class Hops(Part):
    """How often peers' traces go from one service to another (a digest of both), and how many steps begin and end in
    each, staying ones too.
    """

    most_bytes: ClassVar[int] = 32 + 19 * (MOST_PAIRS + 2 * MOST_SERVICES) + MOST_FRESH * (10 + Fresh.most_bytes)
    steps: float = 0.0
    pairs: dict[int, float] = field(default_factory=dict)
    starts: dict[int, float] = field(default_factory=dict)
    ends: dict[int, float] = field(default_factory=dict)
    fresh: dict[int, Fresh] = field(default_factory=dict)


class ServicePivot(Detector):
    """Hops between services, each by how seldom peers make it, added up over the trace."""

    name = _NAME
    family = "services"
    warm_up = f"{FEWEST_STEPS:.0f} steps within traces of peers"
    texts = {"service_pivot": "One trace goes through services in a chain that people with these roles never cause."}
    parts = {"trace": Chain, "peers": Hops}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """What the trace says up to this hop."""
        if not (seen.trace_id and seen.service):
            return None
        chain: Chain | None = around.trace.get(_NAME)
        if chain is None or chain.services[-1] == seen.service:
            return None
        peers: Hops | None = around.peers.get(_NAME)
        if peers is None or peers.steps < FEWEST_STEPS:
            return UNKNOWN
        nats = chain.nats + _hop_nats(chain.services[-1], seen, peers)
        if nats < FEWEST_NATS:
            return None
        return Finding("service_pivot", nats, " > ".join([*chain.services[-3:], seen.service])[:90], "other ways")

    def learn(self, seen: Seen, around: Around) -> None:
        """How often peers' traces go from one service to the other, or stay."""
        if not (seen.trace_id and seen.service):
            return
        chain: Chain | None = around.trace.get(_NAME)
        if chain is None or not is_calm(around.session):
            return
        peers: Hops | None = around.peers.get(_NAME)
        if peers is None:
            peers = around.peers[_NAME] = Hops()
        last = chain.services[-1]
        peers.steps += 1.0
        _count(peers.starts, digest_of(last), MOST_SERVICES)
        _count(peers.ends, digest_of(seen.service), MOST_SERVICES)
        if last != seen.service:
            _count(peers.pairs, digest_of(f"{last}\n{seen.service}"), MOST_PAIRS)
        if peers.steps > MOST_STEPS:
            peers.steps /= 2
            for counts in (peers.pairs, peers.starts, peers.ends):
                for key in counts:
                    counts[key] /= 2

    def note(self, seen: Seen, around: Around) -> None:
        """Where the trace is, and who made a hop that is not usual."""
        if not (seen.trace_id and seen.service):
            return
        chain: Chain | None = around.trace.get(_NAME)
        if chain is None:
            around.trace[_NAME] = Chain(0.0, [seen.service])
            return
        last = chain.services[-1]
        if last == seen.service:
            return
        peers: Hops | None = around.peers.get(_NAME)
        if peers is not None and peers.steps >= FEWEST_STEPS:
            nats = _hop_nats(last, seen, peers)
            if nats:
                chain.nats += nats
                _note_fresh(peers, digest_of(f"{last}\n{seen.service}"), seen)
        chain.services.append(seen.service)
        del chain.services[:-MOST_CHAIN]


def _hop_nats(last: str, seen: Seen, peers: Hops) -> float:
    """What one hop says, from 0 to `MOST_HOP_NATS`."""
    pair = digest_of(f"{last}\n{seen.service}")
    fresh = peers.fresh.get(pair)
    if fresh is not None and len(fresh.people) >= TOGETHER:
        return 0.0
    end = (peers.ends.get(digest_of(seen.service), 0.0) + 0.5) / (peers.steps + 1.0)
    start = peers.starts.get(digest_of(last), 0.0)
    share = (peers.pairs.get(pair, 0.0) + STRENGTH * end) / (start + STRENGTH)
    return min(MOST_HOP_NATS, max(0.0, math.log(IF_PIVOTING / share)))


def _note_fresh(peers: Hops, pair: int, seen: Seen) -> None:
    fresh = peers.fresh.get(pair)
    person = digest_of(seen.user_id)
    if fresh is None or (abs(seen.ts - fresh.since) > DAY and len(fresh.people) < TOGETHER):
        peers.fresh.pop(pair, None)
        peers.fresh[pair] = Fresh(seen.ts, [person])
        if len(peers.fresh) > MOST_FRESH:
            del peers.fresh[next(iter(peers.fresh))]
    elif len(fresh.people) < TOGETHER and person not in fresh.people:
        fresh.people.append(person)


def _count(counts: dict[int, float], key: int, most: int) -> None:
    """One more; beyond `most` the rarest leave, a tenth at a time."""
    counts[key] = counts.get(key, 0.0) + 1.0
    if len(counts) > most:
        for rare in sorted(counts, key=counts.__getitem__)[: most // 10]:
            del counts[rare]
