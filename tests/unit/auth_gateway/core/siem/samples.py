"""Events with everything in them, and with as little as there can be."""

from typing import get_args

import msgspec

from auth_gateway.core.event import Event, Folded, events_of
from auth_gateway.core.siem.reference import SAMPLE
from auth_gateway.core.vocabulary import EventType

TYPES: tuple[EventType, ...] = get_args(EventType)
MOMENT = SAMPLE.ts
FOLDED = Folded(count=212, first_ts=MOMENT, last_ts=MOMENT + 2.5, event_ids=("evt_1", "evt_2"))


def denied() -> Event:
    """The login of the documentation, as those are told who asked for everything."""
    return events_of(SAMPLE, tenant="acme", threshold=80.0)[0]


def full(event_type: EventType) -> Event:
    """An event of that type in which nothing is unknown."""
    facts = msgspec.structs.replace(
        denied().facts, amr=("pwd", "otp", "mfa"), method="totp", challenge_id="chg_1", began_as="evt_0", demand="any"
    )
    return msgspec.structs.replace(denied(), type=event_type, session_id="5e55", facts=facts, folded=FOLDED)


def bare(event_type: EventType) -> Event:
    """An event of that type of which nothing is known but that it was."""
    return Event(event_id="evt_1", type=event_type, ts=MOMENT)
