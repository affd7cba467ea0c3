"""Somebody may suddenly do more than before, more than their peers, and does it at once.

What a person gets in the midst of a session is seldom given by somebody who may give it; what a session begins with was
announced, and says little. What few people hold says more than what many hold.

Source for the threat: MITRE ATT&CK T1098, "Account Manipulation", and TA0004, "Privilege Escalation".
"""

import math
from functools import lru_cache
from typing import ClassVar

from msgspec import field

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of, is_marked, mark

_NAME = "privilege_escalation"
IN_SESSION_NATS = 3.0
"""ln(0.1 / 0.005): somebody's rights grow about twice a year, one session in two hundred; one attack in ten does it."""
BETWEEN_NATS = 0.4
"""ln(0.03 / 0.02): somebody whose rights grew comes back, and an attack that was prepared elsewhere seldom shows so."""
EXPECTED_SHARE = 0.1
MOST_RARITY, LEAST_RARITY = 2.0, -1.5
"""A right that a tenth of people hold is what attackers and administrators give alike; ln(share) around it, bounded."""
USED_NATS, USED_ANNOUNCED_NATS = 1.5, 0.3
"""ln(0.9 / 0.2): an attacker uses it at once, a person finds out by and by; ln(0.9 / 0.67) for what was announced."""
USED_WITHIN_SECONDS = 1800.0
FEWEST_PEOPLE, FEWEST_PEERS = 20, 10
FEWEST_EVENTS = 20
MOST_HELD, MOST_GAINED, MOST_RIGHTS, LONGEST_NAME = 1024, 8, 320, 64
FEWEST_NATS = 0.5
_BYTES = 128


class Rights(Part):
    """What one session may do (digests; `key` stands for all of it), and what it gained, when, and what that says."""

    most_bytes: ClassVar[int] = 48 + 9 * MOST_RIGHTS + MOST_GAINED * (LONGEST_NAME * 4 + 2)
    key: int = 0
    rights: list[int] = field(default_factory=list)
    gained: list[str] = field(default_factory=list)
    gained_at: float = 0.0
    nats: float = 0.0
    in_session: bool = False


class Known(Part):
    """What one person holds (digests) and does (a sketch of actions), and new rights that are still being watched."""

    most_bytes: ClassVar[int] = 48 + 9 * MOST_RIGHTS + _BYTES
    key: int = 0
    rights: list[int] = field(default_factory=list)
    waiting: int = 0
    waiting_since: float = 0.0
    events: int = 0
    done: bytearray = field(default_factory=lambda: bytearray(_BYTES))


class Holders(Part):
    """How many of the people hold each right, by digest; of more than `MOST_HELD` rights the rarest leave."""

    most_bytes: ClassVar[int] = 16 + 14 * MOST_HELD
    people: int = 0
    held: dict[int, int] = field(default_factory=dict)


class PrivilegeEscalation(Detector):
    """Rights that grew, weighed by how few hold them and whether they are used at once."""

    name = _NAME
    family = "privileges"
    warm_up = f"{FEWEST_PEOPLE} people whose rights are known"
    texts = {
        "rights_grew": "The person may do more than before, and more than most.",
        "new_rights_used": "Rights that the person never had are used as soon as they were given.",
    }
    parts = {"session": Rights, "person": Known, "peers": Holders, "world": Holders}

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """What was gained, now or a moment ago in this session, and whether this event uses it."""
        part: Rights | None = around.session.get(_NAME)
        is_new = part is None or seen.change is not None or part.key != key_held(seen)
        if part is not None and not (is_new or part.gained):
            return None
        world: Holders | None = around.world.get(_NAME)
        if world is None or world.people < FEWEST_PEOPLE:
            return UNKNOWN
        nats, gained = _gain(part, seen, around) if is_new else (0.0, [])
        in_session = part is not None
        if not gained and part is not None and part.gained and abs(seen.ts - part.gained_at) < USED_WITHIN_SECONDS:
            nats, gained, in_session = part.nats, part.gained, part.in_session
        if not gained:
            return None
        uses = _is_new_action(seen, around)
        if uses:
            nats += USED_NATS if in_session else USED_ANNOUNCED_NATS
        if nats < FEWEST_NATS:
            return None
        return Finding("new_rights_used" if uses else "rights_grew", nats, ", ".join(gained[:3])[:80], "as before")

    def learn(self, seen: Seen, around: Around) -> None:
        """What the person holds and does, and how many hold it; new rights once they are no longer new."""
        own: Known | None = around.person.get(_NAME)
        if own is None:
            own = around.person[_NAME] = Known()
        own.events += own.events < FEWEST_EVENTS
        key = key_held(seen)
        if own.key == key:
            if not own.waiting:
                mark(own.done, digest_of(seen.action))
            elif abs(seen.ts - own.waiting_since) > USED_WITHIN_SECONDS:
                own.waiting = 0
        elif not own.key or (own.waiting == key and abs(seen.ts - own.waiting_since) > USED_WITHIN_SECONDS):
            _learn_rights(own, seen, around)
            own.key, own.waiting = key, 0
        elif own.waiting != key:
            own.waiting, own.waiting_since = key, seen.ts

    def note(self, seen: Seen, around: Around) -> None:
        """What the session may do now, and what of it is new."""
        part: Rights | None = around.session.get(_NAME)
        key = key_held(seen)
        if part is not None and seen.change is None and part.key == key:
            return
        nats, gained = _gain(part, seen, around)
        in_session = part is not None
        if part is None:
            part = around.session[_NAME] = Rights()
        part.key, part.rights = key, [digest_of(name) for name in _names(seen)]
        if gained and not all(name in part.gained for name in gained):
            part.nats, part.gained, part.gained_at = max(part.nats, nats), gained[:MOST_GAINED], seen.ts
            part.in_session = in_session


@lru_cache(maxsize=4096)
def key_of(roles: tuple[str, ...], privileges: tuple[str, ...]) -> int:
    """What stands for all that somebody holds, in whatever order; never 0."""
    return digest_of("\n".join(["\0".join(sorted(set(roles))), "\0".join(sorted(set(privileges)))])) | 1


_last: list[tuple[Seen | None, int]] = [(None, 0)]
"""The event that was asked about last, and its key: two detectors ask three times each. One value, so that threads
never see half of it."""


def key_held(seen: Seen) -> int:
    """What stands for all that the event's person holds."""
    known, key = _last[0]
    if known is not seen:
        key = key_of(seen.roles, seen.privileges)
        _last[0] = (seen, key)
    return key


def _names(seen: Seen) -> list[str]:
    """All that the person holds, roles apart from privileges of the same name."""
    return [f"role {role}" for role in seen.roles] + [f"privilege {name}" for name in seen.privileges]


def _gain(part: Rights | None, seen: Seen, around: Around) -> tuple[float, list[str]]:
    """What the person never held before, and what that says by itself."""
    change, gained = seen.change, []
    own: Known | None = around.person.get(_NAME)
    known = own.rights if own is not None else []
    if change is not None:
        gained = [f"role {role}" for role in change.new_roles if role not in change.previous_roles]
        gained += [f"privilege {name}" for name in change.new_privileges if name not in change.previous_privileges]
    if part is not None:
        gained += [name for name in _names(seen) if digest_of(name) not in part.rights and name not in gained]
    elif known:
        gained += [name for name in _names(seen) if name not in gained]
    gained = [name[:LONGEST_NAME] for name in gained if digest_of(name) not in known]
    if not gained:
        return 0.0, gained
    rarest = min(_share(name, around) for name in gained)
    rarity = min(MOST_RARITY, max(LEAST_RARITY, math.log(EXPECTED_SHARE / rarest)))
    return (IN_SESSION_NATS if part is not None else BETWEEN_NATS) + rarity, gained


def _share(name: str, around: Around) -> float:
    """How many of the people hold it; of a privilege, how many of the peers, where there are enough."""
    among: Holders | None = around.peers.get(_NAME) if name.startswith("privilege") else None
    if among is None or among.people < FEWEST_PEERS:
        among = around.world.get(_NAME)
    if among is None:
        return EXPECTED_SHARE
    return (among.held.get(digest_of(name), 0) + 0.5) / (among.people + 1.0)


def _is_new_action(seen: Seen, around: Around) -> bool:
    """Whether the person, who is known, never did this."""
    own: Known | None = around.person.get(_NAME)
    return own is not None and own.events >= FEWEST_EVENTS and not is_marked(own.done, digest_of(seen.action))


def _learn_rights(own: Known, seen: Seen, around: Around) -> None:
    is_first = not own.key
    fresh = [digest for digest in map(digest_of, _names(seen)) if digest not in own.rights]
    own.rights = (own.rights + fresh)[-MOST_RIGHTS:]
    if not is_calm(around.session):
        return
    for memory in (around.world, around.peers):
        holders: Holders | None = memory.get(_NAME)
        if holders is None:
            holders = memory[_NAME] = Holders()
        holders.people += is_first
        for digest in fresh:
            holders.held[digest] = holders.held.get(digest, 0) + 1
        while len(holders.held) > MOST_HELD:
            del holders.held[min(holders.held, key=holders.held.__getitem__)]
