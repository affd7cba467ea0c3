"""Rights that grow slowly: one more every week or two, each unremarkable, and more than peers ever gather.

Days with a gain are events of a Poisson process, held against the rate of the peers: a reorganisation, in which all
gain together, raises theirs. Only a session in which something was gained lately is told, not every later one.
"""

import math
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors.privilege_escalation import key_held
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of

_NAME = "privilege_creep"
DAY = 86_400.0
WINDOW_DAYS = 90.0
"""A quarter: how often rights are usually reviewed (PCI DSS 4.0, 7.2.4: at least every six months)."""
KNOWN_DAYS = 7.0
"""In the first week somebody is given what the work takes."""
FEWEST_GAINS = 3
"""Two are a new task and its correction."""
CREEPING_PER_DAY = 0.1
"""One gain in ten days: quicker shows as an escalation, slower gathers nothing within a quarter."""
USUAL_PER_DAY, STRENGTH_DAYS = 0.5 / 90.0, 900.0
"""Half a gain in a quarter, believed as much as ten people watched for a quarter."""
TOLD_SECONDS = DAY
MOST_GAINS, MOST_RIGHTS = 32, 320
MOST_DAYS = 1_000_000.0
FEWEST_NATS = 1.0


class Gathered(Part):
    """What one person was seen to hold (digests), since when the person is known, and the days of gains.

    `key` stands for what is held now, `gained` for what was held after the last gain; days are those of the epoch.
    """

    most_bytes: ClassVar[int] = 72 + 9 * MOST_RIGHTS + 5 * MOST_GAINS
    since: float
    key: int = 0
    day: int = 0
    rights: list[int] = field(default_factory=list)
    gains: list[int] = field(default_factory=list)
    gained: int = 0
    gained_at: float = 0.0


class Gaining(Part):
    """Days on which people were there, and how many of them had a gain."""

    most_bytes: ClassVar[int] = 24
    days: float = 0.0
    gains: float = 0.0


class PrivilegeCreep(Detector):
    """Days with a new right within a quarter, against the rate of peers."""

    name = _NAME
    family = "privileges"
    warm_up = f"{KNOWN_DAYS:.0f} days since the person was first seen"
    texts = {"rights_creep": "The person gathers rights step by step, far more than peers do."}
    parts = {"person": Gathered, "peers": Gaining}
    is_taken_back = False

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """How unlike the peers' rate the person's is, if something was gained within a day."""
        own: Gathered | None = around.person.get(_NAME)
        if own is None or seen.ts - own.since < KNOWN_DAYS * DAY:
            return UNKNOWN
        today = int(seen.ts // DAY)
        key = key_held(seen)
        is_gain = own.key != key and bool(_fresh(own, seen))
        if not is_gain and (own.gained != key or abs(seen.ts - own.gained_at) > TOLD_SECONDS):
            return None
        first = today - WINDOW_DAYS
        gains = sum([first < day <= today for day in own.gains]) + (is_gain and today not in own.gains)
        if gains < FEWEST_GAINS:
            return None
        span = min(WINDOW_DAYS, (seen.ts - own.since) / DAY)
        usual = _rate(around) * span
        if usual >= CREEPING_PER_DAY * span:
            return None
        nats = gains * math.log(CREEPING_PER_DAY * span / usual) - (CREEPING_PER_DAY * span - usual)
        if nats < FEWEST_NATS:
            return None
        return Finding("rights_creep", nats, f"{gains} gains in {span:.0f} days", f"{usual:.1f} among peers")

    def learn(self, seen: Seen, around: Around) -> None:
        """How often peers gain something."""
        own: Gathered | None = around.person.get(_NAME)
        today = int(seen.ts // DAY)
        is_same = own is not None and own.key == key_held(seen)
        if own is None or (own.day == today and is_same):
            return
        peers: Gaining | None = around.peers.get(_NAME)
        if peers is None:
            peers = around.peers[_NAME] = Gaining()
        if own.day != today:
            own.day = today
            peers.days += 1.0
            if peers.days > MOST_DAYS:
                peers.days, peers.gains = peers.days / 2, peers.gains / 2
        if not is_same and _is_counted(own, seen, today) and _fresh(own, seen):
            peers.gains += 1.0

    def note(self, seen: Seen, around: Around) -> None:
        """What the person holds, and on which days that grew."""
        own: Gathered | None = around.person.get(_NAME)
        key = key_held(seen)
        if own is None:
            own = around.person[_NAME] = Gathered(seen.ts)
        elif own.key == key:
            return
        own.key = key
        fresh = _fresh(own, seen)
        today = int(seen.ts // DAY)
        if fresh and _is_counted(own, seen, today):
            own.gains = [*own.gains, today][-MOST_GAINS:]
            own.gained, own.gained_at = key, seen.ts
        own.rights = (own.rights + fresh)[-MOST_RIGHTS:]


def _is_counted(own: Gathered, seen: Seen, today: int) -> bool:
    """Whether a gain now is one: past the first days, and the first of its day."""
    return seen.ts - own.since >= KNOWN_DAYS * DAY and today not in own.gains


def _fresh(own: Gathered, seen: Seen) -> list[int]:
    """What the person was never seen to hold."""
    names = [f"role {role}" for role in seen.roles] + [f"privilege {name}" for name in seen.privileges]
    return [digest for digest in map(digest_of, names) if digest not in own.rights]


def _rate(around: Around) -> float:
    peers: Gaining | None = around.peers.get(_NAME)
    if peers is None:
        return USUAL_PER_DAY
    return (peers.gains + STRENGTH_DAYS * USUAL_PER_DAY) / (peers.days + STRENGTH_DAYS)
