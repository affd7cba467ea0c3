"""What the gateway did and what people found out comes back to campaigns, on both databases."""

import random

import pytest
from sqlalchemy import insert

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SystemRandomness
from plumbing.statements import Statement
from risk_scorer.adapters.activity.campaign_past import FRESH_SECONDS, PastRows
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.adapters.activity.known_sessions import KnownSessions
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.tables import verdicts
from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.seen import SessionFacts
from risk_scorer.core.campaigns.past import Past
from risk_scorer.core.campaigns.sighting import ADDRESS, JA4
from risk_scorer.core.incidents.incident import Evidence, Sighting
from risk_scorer.core.lessons import Taught, encode_taught
from tests.campaign_crowds import DAY, NOW, bots, people
from tests.integration.risk_scorer.campaign_events import campaigns, done, members, watch_of

pytestmark = pytest.mark.anyio
Chance = random.Random
SAY = Statement(insert(verdicts))


def say(database: Database, user: str, verdict: str, *, ago: float = 3600.0) -> None:
    """Somebody found this out about a login of theirs, which came from there with that program."""
    context = encode_taught(
        Taught(
            user_id=user, ts=NOW - ago, outcome="success", ip="203.0.113.9", ja4="t13x", zone="", utc_offset_s=0,
            latitude=None, longitude=None, accuracy_km=50.0, is_shared=False, taught_network=False,
            **dict.fromkeys(
                ("prefix", "asn_key", "country", "device_type", "os", "browser", "browser_version", "device_id", "ja4h",
                 "ja4s"), ""
            ),
        )
    )  # fmt: skip
    row = {"event_id": f"evt-{user}-{ago}", "user_id": user, "verdict": verdict, "by": "soc/jane", "reason": "asked"}
    times = {"ts": NOW - ago, "recorded_at": NOW - ago}
    database.write_sync(lambda tx: tx.run(SAY, **row, **times, event=b"{}", score=None, context=context, own=b"\x90"))


async def acted(database: Database, clock: FixedClock, user: str, reason: str, *, comes_back: bool = False) -> None:
    """A risky session of theirs, which the gateway ended, with the person's incident."""
    rows = IncidentRows(
        database, clock=clock, randomness=SystemRandomness(), announce_to=None, wake_delivery=lambda: None
    )
    cause = Evidence(code="several_actors", text="two browsers", points=80.0, at=NOW - DAY)
    await rows.see(Sighting(kind="user", subject=user, at=NOW - DAY, score=90.0, evidence=(cause,), members=(user,)))
    sessions = KnownSessions(database, clock=clock, is_alone=True)
    told = [
        SessionNotice(session_id=f"{user}-1", user_id=user, state="started", at=NOW - 2 * DAY),
        SessionNotice(session_id=f"{user}-1", user_id=user, state="ended", at=NOW - DAY, reason=reason),
    ]
    if comes_back:
        told.append(SessionNotice(session_id=f"{user}-2", user_id=user, state="started", at=NOW - 3600.0))
    await sessions.hear([(each, SessionFacts()) for each in told], (), ())


async def test_what_was_done_and_found_out_is_remembered(database: Database, clock: FixedClock) -> None:
    """Verdicts with what the login came with, ended sessions, a review that let somebody in again."""
    say(database, "amy", "confirmed_compromised")
    say(database, "bob", "confirmed_compromised")
    say(database, "cyd", "dismissed")
    await acted(database, clock, "dan", "session_risk")
    await acted(database, clock, "eve", "shield", comes_back=True)
    await acted(database, clock, "fay", "user_logout")
    rows = PastRows(database)
    past = rows.past(NOW)
    assert past.accounts == {"amy": "confirmed", "bob": "confirmed", "dan": "enforced", "eve": "pardoned"}
    assert past.signals == {(ADDRESS, "203.0.113.9"), (JA4, "t13x")}
    say(database, "amy", "confirmed_safe", ago=60.0)
    assert rows.past(NOW + FRESH_SECONDS - 1.0) is past
    assert rows.past(NOW + FRESH_SECONDS).accounts["amy"] == "pardoned"


async def test_who_is_erased_has_no_past(database: Database, clock: FixedClock) -> None:
    """Neither in the tables nor in memory."""
    say(database, "amy", "confirmed_compromised")
    await acted(database, clock, "dan", "session_risk")
    rows = PastRows(database)
    rows.past(NOW)
    for user in ("amy", "dan"):
        erase_person(database, user)
    rows.forget()
    assert rows.past(NOW) == Past()


async def test_a_member_who_was_reviewed_leaves_the_campaign_and_is_told_of_no_more(
    database: Database, clock: FixedClock
) -> None:
    """The rest of it goes on."""
    done(database, [*people(30, Chance(1)), *bots(12, Chance(1))])
    await acted(database, clock, "bot-3", "shield", comes_back=True)
    looked = watch_of(database, clock).look()
    [campaign] = campaigns(database)
    assert members(database, campaign.campaign_id) == {f"bot-{n}" for n in range(12) if n != 3}
    assert looked is not None
    assert looked.settled.told == 11
