"""Rows that come while somebody looks: the same as a page would find, whichever process took them from the log."""

import asyncio
import json
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.live_rows import LiveRows
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.adapters.storage import open_database
from risk_scorer.api.live import RECONNECT, LiveFeed
from risk_scorer.core.console.sign_in_filter import SignInFilter, filter_of
from risk_scorer.core.console.sign_in_match import matches
from risk_scorer.core.console.veil import Veil
from tests.integration.risk_scorer.conftest import NOW
from tests.integration.risk_scorer.console.logins import log, login, taken

pytestmark = pytest.mark.anyio
ASKED: list[dict[str, str]] = [
    {}, {"user": "alice"}, {"text": "al"}, {"ip": "198.51.100.9"}, {"ip": "198.51.100.0/24"}, {"ip": "198.51.101.0/24"},
    {"asn": "64500"}, {"country": "DE"}, {"country": "FR"}, {"device": "dev-1"}, {"ja4": "t13d_1"}, {"level": "high"},
    {"decision": "deny"}, {"outcome": "success"}, {"verdict": "confirmed_safe"}, {"kind": "refresh"}, {"rule": "high"},
    {"client": "web"}, {"reason": "new_country"}, {"reason": "new"}, {"least": "50"}, {"most": "50"}, {"least": "90.5"},
    {"since": str(NOW)}, {"until": str(NOW)}, {"level": "high", "user": "bob"},
]  # fmt: skip


async def test_a_row_is_asked_for_by_the_same_rules_as_a_page(database: Database, clock: FixedClock) -> None:
    """Every filter, on rows that differ in what it asks."""
    log(
        database,
        login("e1"),
        login("e2", score=95.0, user_id="bob", ip="198.51.101.7", facts={"country": "FR", "asn": 64501}),
        login("e3", ts=NOW - 5.0, kind="refresh", device_id="other", reasons=(("new", 1.0),), user_id="alina"),
    )
    await taken(Projection(database, clock=clock))
    rows = await LiveRows(database).above(0, 10)
    assert len(rows) == 3
    for query in ASKED:
        wanted = filter_of(query, now=NOW)
        page = await SignInRows(database).page(wanted, limit=10)
        assert {row.event_id for row in page.rows} == {row.event_id for row in rows if matches(row, wanted)}, query


async def test_what_another_process_took_from_the_log_is_live_here(scorer_url: str, clock: FixedClock) -> None:
    """Each row once, in order; nothing is read while nobody looks."""
    here, there = open_database(scorer_url), open_database(scorer_url)
    feed = LiveFeed(LiveRows(here))
    try:
        log(there, login("before"))
        await taken(Projection(there, clock=clock))
        stream = feed.stream(lambda: True, Veil(is_on=False), SignInFilter(), after=await feed.last())
        assert await anext(stream) == RECONNECT
        reading = asyncio.ensure_future(events(stream, 30))
        for number in range(30):
            log(there, login(f"e{number}"))
            await taken(Projection(there, clock=clock))
        async with asyncio.timeout(20.0):
            assert await reading == [f"e{number}" for number in range(30)]
        await stream.aclose()
    finally:
        feed.close()
        here.close()
        there.close()


async def events(stream: Any, most: int) -> list[str]:
    found: list[str] = []
    async for message in stream:
        for line in message.split(b"\n"):
            if line.startswith(b"data: "):
                found += [cells["event_id"] for cells in json.loads(line[6:])["new"]]
        if len(found) >= most:
            break
    return found
