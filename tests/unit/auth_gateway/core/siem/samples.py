"""Events with everything in them, and with as little as there can be."""

from typing import get_args

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.event import Event, events_of
from auth_gateway.core.facts import Facts
from auth_gateway.core.vocabulary import EventType
from risk_scorer.contract.assessment import Reason

TYPES: tuple[EventType, ...] = get_args(EventType)
MOMENT = 1_800_000_000.25
DENIED = AuditEvent(
    event_id="evt_8hJq1fWm3xYt0aZ5kLr2Pw",
    ts=MOMENT,
    kind="login.denied",
    user_id="5f0d4c1e",
    client_id="shop",
    ip="203.0.113.77",
    decision="deny",
    rule="high",
    score=91.25,
    level="high",
    model_version="2027-01-10",
    incident_id="inc_Qe7vB2nXcT4uG9sD1fHj6k",
    detail="stuffing_in_progress new_device",
    facts=Facts(
        path="login",
        username="alice",
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0",
        device="0388fb626ca89a12",
        country="DE",
        region="BE",
        city="Berlin",
        asn=64500,
        ja4="t13d1516h2_8daaf6152771_e5627efa2ab1",
        browser="Firefox",
        os="Windows",
        network_kind="hosting",
        is_listed=True,
        reasons=(
            Reason(code="stuffing_in_progress", points=60.0, observed="203.0.113.77", usual="", text="Many are tried."),
            Reason(code="new_device", points=31.25, observed="dev-1", usual="dev-0", text="First login with it."),
        ),
        new=("device",),
        factors=("totp",),
        amr=("pwd",),
    ),
)
"""A login that was refused, as the audit trail has it."""


def denied() -> Event:
    """That login, as those are told who asked for everything."""
    return events_of(DENIED, tenant="acme", threshold=80.0)[0]


def full(event_type: EventType) -> Event:
    """An event of that type in which nothing is unknown."""
    facts = msgspec.structs.replace(
        denied().facts, amr=("pwd", "otp", "mfa"), method="totp", challenge_id="chg_1", began_as="evt_0", demand="any"
    )
    return msgspec.structs.replace(denied(), type=event_type, session_id="5e55", facts=facts)


def bare(event_type: EventType) -> Event:
    """An event of that type of which nothing is known but that it was."""
    return Event(event_id="evt_1", type=event_type, ts=MOMENT)
