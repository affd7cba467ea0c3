"""Services that a person never used, weighed by how often they try new ones and how many of their peers use this one.

How likely the next session has a new service is the share of past sessions that had one; source: Good 1953, "The
Population Frequencies of Species and the Estimation of Population Parameters".
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, keep
from risk_scorer.core.activity.seen import Seen

_NAME = "new_service"
NEW_IF_STOLEN = 0.5
"""Whoever does not know what the person works with looks around in every second session."""
ELSEWHERE_IF_STOLEN = 0.3
"""How likely what an attacker wants is just this one: a few services hold what is worth having."""
MOST_RARITY, LEAST_RARITY = 3.0, -1.5
FEWEST_SESSIONS, FEWEST_PEERS = 5.0, 5.0
YOUNG_SECONDS = 7 * 86_400.0
YOUNG_NATS = 1.5
"""A service that nobody used a week ago was launched: everyone's first visit is new."""
EACH_MORE_NATS = 0.5
"""Further new services in one session: one new task takes several."""
MOST_SERVICES, MOST_AMONG_PEERS, MOST_SESSIONS = 48, 256, 400.0
FEWEST_NATS = 0.5


class News(Part):
    """The services that were new to the person in one session."""

    most_bytes: ClassVar[int] = 16 + 9 * (128 * 4 + 5)
    services: list[str] = field(default_factory=list)


class Used(Part):
    """The services that a person uses, the latest last, and how many of the sessions had a new one."""

    most_bytes: ClassVar[int] = 24 + MOST_SERVICES * (128 * 4 + 6)
    sessions: float = 0.0
    novel: float = 0.0
    services: dict[str, int] = field(default_factory=dict)


class AmongPeers(Part):
    """How many people of these roles there are, and how many of them use each service."""

    most_bytes: ClassVar[int] = 24 + MOST_AMONG_PEERS * (128 * 4 + 10)
    people: float = 0.0
    services: dict[str, float] = field(default_factory=dict)


class Launched(Part):
    """Since when a service is used."""

    most_bytes: ClassVar[int] = 16
    since: float = 0.0


class NewService(Detector):
    """A service that is new to the person and strange to the peers."""

    name = _NAME
    family = "services"
    warm_up = f"{FEWEST_SESSIONS:.0f} sessions of the person"
    texts = {"new_service": "A service is used that the person never used, and that few people with these roles use."}
    parts = {"session": News, "person": Used, "peers": AmongPeers, "service": Launched}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """How unlike the person and the peers this service is."""
        if not seen.service:
            return None
        own: Used | None = around.person.get(_NAME)
        if own is None or own.sessions < FEWEST_SESSIONS:
            return UNKNOWN
        if seen.service in own.services:
            return None
        nats = math.log(NEW_IF_STOLEN * (own.sessions + 1.0) / (own.novel + 1.0))
        peers: AmongPeers | None = around.peers.get(_NAME)
        usual = "peers unknown"
        if peers is not None and peers.people >= FEWEST_PEERS:
            share = (peers.services.get(seen.service, 0.0) + 0.5) / (peers.people + 1.0)
            nats += min(MOST_RARITY, max(LEAST_RARITY, math.log(ELSEWHERE_IF_STOLEN / share)))
            usual = f"{min(1.0, share):.0%} of peers use it"
        launched: Launched | None = around.service.get(_NAME)
        if launched is None or seen.ts - launched.since < YOUNG_SECONDS:
            nats = min(nats, YOUNG_NATS)
        news: News | None = around.session.get(_NAME)
        if news is not None:
            nats += EACH_MORE_NATS * (len(news.services) - (seen.service in news.services))
        return Finding("new_service", nats, seen.service[:64], usual) if nats >= FEWEST_NATS else None

    def learn(self, seen: Seen, around: Around) -> None:
        """Which services are used, by the person and the peers, and in how many sessions there was a new one."""
        if not seen.service:
            return
        own: Used | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Used()
        news: News | None = around.session.get(_NAME)
        if news is None:
            own.sessions += 1.0
            if own.sessions > MOST_SESSIONS:
                own.sessions, own.novel = own.sessions / 2, own.novel / 2
        if seen.service in own.services:
            return
        peers: AmongPeers | None = around.peers.get(_NAME)
        if peers is None:
            peers = around.peers[_NAME] = AmongPeers()
        if not own.services:
            peers.people += 1.0
        elif news is None or not news.services:
            own.novel += 1.0
        keep(own.services, seen.service, 1, MOST_SERVICES)
        if is_calm(around.session):
            keep(peers.services, seen.service, peers.services.get(seen.service, 0.0) + 1.0, MOST_AMONG_PEERS)

    def note(self, seen: Seen, around: Around) -> None:
        """What was new in this session, and since when there is such a service."""
        if not seen.service:
            return
        if _NAME not in around.service:
            around.service[_NAME] = Launched(seen.ts)
        news: News | None = around.session.get(_NAME)
        if news is None:
            news = around.session[_NAME] = News()
        own: Used | None = around.person.get(_NAME)
        if own is None or seen.service in own.services or seen.service in news.services:
            return
        news.services = [*news.services, seen.service][-8:]
