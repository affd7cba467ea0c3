"""Whatever comes, a detector's memory stays within the bytes that it states."""

import random

import msgspec
import pytest

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors.account_probe import AccountProbe
from risk_scorer.core.activity.detectors.new_service import NewService
from risk_scorer.core.activity.detectors.object_enumeration import ObjectEnumeration
from risk_scorer.core.activity.detectors.privilege_creep import PrivilegeCreep
from risk_scorer.core.activity.detectors.privilege_escalation import PrivilegeEscalation
from risk_scorer.core.activity.detectors.relations import Relations
from risk_scorer.core.activity.detectors.replayed_token import ReplayedToken
from risk_scorer.core.activity.detectors.service_pivot import ServicePivot
from risk_scorer.core.activity.detectors.several_actors import SeveralActors
from risk_scorer.core.activity.memory import Around
from risk_scorer.core.activity.seen import Change, Seen

DETECTORS: tuple[Detector, ...] = (
    SeveralActors(),
    ReplayedToken(),
    PrivilegeEscalation(),
    PrivilegeCreep(),
    NewService(),
    ServicePivot(),
    AccountProbe(),
    ObjectEnumeration(),
    Relations(),
)
WIDE = "𝔘"
"""Four bytes in UTF-8."""


def hostile_event(chance: random.Random, number: int) -> Seen:
    """Every text as long as it may be, every number as large; names are others, or come a few times."""

    def text(length: int) -> str:
        return f"{chance.randrange(10**6)}".ljust(length, WIDE)

    roles = tuple(text(128) for _ in range(64))
    privileges = tuple(text(128) for _ in range(256))
    return Seen(
        ts=chance.choice([0.0, 1e9 + number * 40_000.0, 4.1e9]),
        event_id=str(number),
        user_id=text(256),
        session_id="s",
        endpoint=f"{number // 4}".ljust(80, WIDE),
        action=text(96),
        status=chance.choice([0, 200, 401, 403, 404, 500]),
        service=text(128),
        trace_id="t",
        device_id=f"{number // 2}".ljust(256, WIDE),
        ip=text(39),
        prefix=text(43),
        asn=chance.choice([0, chance.randrange(2**32)]),
        country=text(128),
        browser=text(256),
        os=text(256),
        ja4=text(256),
        roles=roles,
        privileges=privileges,
        peers="peers",
        change=Change(ts=0.0, new_roles=roles, new_privileges=privileges) if number % 3 else None,
        object_id=chance.choice(["", text(64), str(chance.randrange(10**18))]),
        latitude=chance.uniform(-90, 90),
        longitude=chance.uniform(-180, 180),
    )


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_no_event_makes_a_memory_larger_than_it_says(detector: Detector) -> None:
    """In each scope: one person, session, group, service, world and trace for many hostile events."""
    chance = random.Random(11)
    around = Around({}, {}, {}, {}, {}, {})
    for number in range(90):
        seen = hostile_event(chance, number)
        detector.look(seen, around)
        detector.learn(seen, around)
        detector.note(seen, around)
    for scope, kind in detector.parts.items():
        part = getattr(around, scope).get(detector.name)
        assert part is not None, scope
        assert len(msgspec.msgpack.encode(part)) <= kind.most_bytes, scope
