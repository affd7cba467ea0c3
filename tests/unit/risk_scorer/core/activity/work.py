"""People at invented work, seeded, and the memories that an engine keeps of them, for tests of activity."""

import copy
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.engine import Engine, Judged
from risk_scorer.core.activity.memory import Around, Memory
from risk_scorer.core.activity.scale import SHIPPED
from risk_scorer.core.activity.seen import Seen, action_of

MONDAY = 1_757_318_400.0
"""2025-09-08, 8:00 UTC."""
HOUR, DAY = 3_600.0, 86_400.0
WAY = ("/home", "/orders", "/orders/{id}", "/orders/{id}/notes", "/orders", "/orders/{id}", "/reports")
"""What a clerk does, in this order, over and over."""


def done(ts: float, endpoint: str = "/home", *, user: str = "ada", session: str = "s", **facts: object) -> Seen:
    """One event; what is not said is as a clerk has it."""
    told = {"latency_ms": 50.0, "bytes_out": 5_000, "service": "shop", "peers": "clerk", "status": 200, **facts}
    return Seen(
        ts=ts, event_id=f"{user}-{ts}", user_id=user, session_id=session, endpoint=endpoint,
        action=action_of("GET", endpoint), **told,  # type: ignore[arg-type]
    )  # fmt: skip


class House:
    """An engine with its memories, each by its key."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        self.engine = Engine(detectors, SHIPPED)
        self.people: dict[str, Memory] = defaultdict(dict)
        self.sessions: dict[str, Memory] = defaultdict(dict)
        self.peers: dict[str, Memory] = defaultdict(dict)
        self.services: dict[str, Memory] = defaultdict(dict)
        self.traces: dict[str, Memory] = defaultdict(dict)
        self.world: Memory = {}

    def around(self, seen: Seen) -> Around:
        return Around(
            self.people[seen.user_id], self.sessions[seen.session_id], self.peers[seen.peers],
            self.services[seen.service], self.world, self.traces[seen.trace_id],
        )  # fmt: skip

    def sees(self, events: Sequence[Seen]) -> Judged:
        """How it stands after the last of them."""
        for seen in events:
            judged = self.engine.assess(seen, self.around(seen))
        return judged

    def worst(self, events: Sequence[Seen]) -> float:
        """The highest score on the way."""
        return max(self.engine.assess(seen, self.around(seen)).total_score for seen in events)


def session(start: float, *, user: str, name: str, events: int, chance: random.Random) -> list[Seen]:
    """One sitting: the clerk's way with a third of its steps skipped, uneven pauses, sizes and answers."""
    made, ts, place = [], start, chance.randrange(len(WAY))
    for _ in range(events):
        place = (place + (1 if chance.random() < 0.7 else 2)) % len(WAY)
        facts = {
            "latency_ms": 50.0 * chance.lognormvariate(0.0, 0.25),
            "bytes_out": int(chance.lognormvariate(8.5, 0.6)),
        }
        made.append(done(ts, WAY[place], user=user, session=name, **facts))
        ts += chance.lognormvariate(2.3, 1.0)
    return made


@cache
def weeks(*, user: str = "ada", days: int = 21, seed: int = 1) -> list[Seen]:
    """Two sittings on each working day, between 8 and 17 o'clock."""
    chance, made = random.Random(f"{seed}/{user}"), list[Seen]()
    for day in range(days):
        if day % 7 < 5:
            for turn, hour in enumerate((chance.uniform(0, 3), chance.uniform(5, 8))):
                start = MONDAY + day * DAY + hour * HOUR
                made += session(start, user=user, name=f"{user}-{day}-{turn}", events=25, chance=chance)
    return made


def settled(detectors: Sequence[Detector], *, users: tuple[str, ...] = ("ada", "bo", "cy", "di")) -> House:
    """A house of its own that knows these people's last three weeks."""
    return copy.deepcopy(_settled(tuple(detectors), users))


@cache
def _settled(detectors: tuple[Detector, ...], users: tuple[str, ...]) -> House:
    house = House(detectors)
    everything = [seen for user in users for seen in weeks(user=user)]
    house.sees(sorted(everything, key=lambda each: each.ts))
    return house


LATER = MONDAY + 21 * DAY
"""The Monday after the weeks."""


def sitting(events: int, *, start: float = LATER, seed: int = 5, pause: float = 0.0, **facts: object) -> list[Seen]:
    """Ada's session on that Monday: her usual way at her usual pace, save for what is said."""
    chance, made, ts = random.Random(seed), list[Seen](), start
    for place in range(events):
        usual = {
            "latency_ms": 50.0 * chance.lognormvariate(0.0, 0.25),
            "bytes_out": int(chance.lognormvariate(8.5, 0.6)),
        }
        made.append(done(ts, WAY[place % len(WAY)], session="later", **{**usual, **facts}))
        ts += pause or chance.lognormvariate(2.3, 1.0)
    return made


def without(detectors: Iterable[Detector], name: str) -> tuple[Detector, ...]:
    """All but one."""
    return tuple(each for each in detectors if each.name != name)
