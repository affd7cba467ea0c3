"""Sightings as rows of the tables that campaign detection reads, and one who looks at them."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.statements import Statement
from risk_scorer.adapters.activity.campaign_reading import detail, listed
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.adapters.event_log import append_row
from risk_scorer.adapters.tables import activity_events
from risk_scorer.campaigning import campaign_watch
from risk_scorer.contract.campaigns import Campaign
from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, NEW, Sighting
from risk_scorer.flows.activity.campaign_ports import MemberTold
from risk_scorer.flows.activity.campaigns import CampaignWatch
from tests.campaign_crowds import DAY

USUAL: dict[str, Any] = {
    "session_id": "s", "client_id": "shop", "prefix": "", "asn": 0, "country": "", "browser": "", "endpoint": "/",
    "method": "GET", "latency_ms": None, "bytes_in": 0, "bytes_out": 0, "service": "", "trace_id": "",
    "event_type": "", "signals": "[]", "answered": None, "said": None,
}  # fmt: skip
_KEPT = [column.name for column in activity_events.columns if column.name != "id"]
KEEP = Statement(insert(activity_events).values({name: bindparam(name) for name in _KEPT}))
KEEP_UNDER = Statement(insert(activity_events))
ROWS_A_BATCH = 50


def done(database: Database, crowd: Iterable[Sighting], *, first_id: int | None = None) -> None:
    """They are in the event store, under numbers from `first_id` on where it is given."""
    rows = [
        {
            **USUAL,
            "event_id": f"{each.account}-{each.moment}",
            "user_id": each.account,
            "ts": each.moment,
            "ip": each.address,
            "device_id": each.device,
            "ja4": each.ja4,
            "user_agent": each.user_agent,
            "status": 403 if each.marks & FAILED else 200,
            "score": 75.0 if each.marks & DETECTED else 1.0,
        }
        for each in crowd
    ]
    if first_id is None:
        database.write_sync(lambda tx: tx.many(KEEP, rows))
        return
    numbered = [{"id": first_id + number, **row} for number, row in enumerate(rows)]
    database.write_sync(lambda tx: tx.many(KEEP_UNDER, numbered))


def login(each: Sighting, **changes: Any) -> dict[str, Any]:
    """One as the log of scored logins has it."""
    event = {
        "user_id": each.account,
        "ip": each.address,
        "user_agent": each.user_agent,
        "device_id": each.device,
        "ja4": each.ja4,
        "success": not each.marks & FAILED,
        **changes,
    }
    known = 0 if each.marks & NEW else 9
    score = {"risk_score": 75.0 if each.marks & DETECTED else 5.0, "ts_scored": each.moment}
    return {"event": event, "score": {**score, "explain": {"known_logins": known}, "event_id": "e"}}


def logged_in(database: Database, crowd: Iterable[Sighting], **changes: Any) -> None:
    """They are in the log of scored logins."""
    logins = [login(each, **changes) for each in sorted(crowd, key=lambda each: each.moment)]
    for start in range(0, len(logins), ROWS_A_BATCH):
        batch = logins[start : start + ROWS_A_BATCH]
        body, newest = msgspec.json.encode(batch), batch[-1]["score"]["ts_scored"]
        database.write_sync(lambda tx, body=body, newest=newest: append_row(tx, ROWS_A_BATCH, newest, body))  # type: ignore[misc]


def watch_of(database: Database, clock: Clock, *, told: MemberTold | None = None, kept_days: int = 90) -> CampaignWatch:
    """Who looks at the last day."""
    return campaign_watch(
        database,
        clock=clock,
        randomness=SeededRandomness(3),
        window_seconds=DAY,
        kept_days=kept_days,
        told=told or SignalOutbox(),
        incidents=incident_rows(database, clock),
    )


def incident_rows(database: Database, clock: Clock) -> IncidentRows:
    return IncidentRows(
        database, clock=clock, randomness=SeededRandomness(4), announce_to="announcements", wake_delivery=lambda: None
    )


def campaigns(database: Database, state: str = "") -> list[Campaign]:
    return database.read(lambda tx: listed(tx, state=state, limit=100)).campaigns


def members(database: Database, campaign_id: str) -> set[str]:
    found = database.read(lambda tx: detail(tx, campaign_id))
    return set() if found is None else {each.user_id for each in found.members}
