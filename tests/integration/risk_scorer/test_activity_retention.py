"""What is forgotten of activity after its time, on either database."""

import asyncio
from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.activity.retention import DAY_SECONDS, ActivityMonths, forgetting
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_activity import NOTICE, NOW, event, rows

pytestmark = pytest.mark.anyio
LONG_AGO, FAR_AHEAD = NOW - 200 * DAY_SECONDS, NOW + 3650 * DAY_SECONDS


async def lived(service: Running) -> None:
    """Alice did something two hundred days ago, and something now."""
    await service.client.post("/sessions", json={**NOTICE, "session_id": "ses-0", "at": LONG_AGO})
    await service.client.post("/sessions", json=NOTICE)
    old = event(session_id="ses-0", timestamp=LONG_AGO + 5, event_id="old")
    for body in (old, event(event_id="new")):
        assert (await service.client.post("/assess", json=body)).status_code == 200


async def test_what_is_old_goes_with_its_answers_and_the_rest_stays(tmp_path: Path) -> None:
    """Events, answers and sessions; pruning again finds nothing."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        await lived(service)
        kept = forgetting(
            service.scorer.database, clock=service.scorer.clock, is_shared=False, activity_days=90.0, memory_days=180.0
        )
        for store, seconds in kept * 2:
            await store.prune(NOW - seconds)
        assert rows(service, "SELECT event_id FROM activity_events") == [("new",)]
        assert rows(service, "SELECT count(*) FROM activity_answers") == [(1,)]
        assert rows(service, "SELECT session_id FROM known_sessions") == [("ses-1",)]


async def test_on_a_server_events_go_by_whole_months_with_their_answers(tmp_path: Path, postgresql_url: str) -> None:
    """A month of which anything is young stays whole; later events have a place all the same."""
    shared = {"risk_scorer_database": postgresql_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **shared) as service:
        await lived(service)
        months = ActivityMonths(service.scorer.database, clock=service.scorer.clock)
        assert await months.prune(LONG_AGO) == 0
        assert rows(service, "SELECT count(*) FROM activity_events") == [(2,)]
        async with asyncio.timeout(20):
            while rows(service, "SELECT count(*) FROM activity_events") != [(0,)]:  # the service keeps house as well
                await months.prune(FAR_AHEAD)
        assert rows(service, "SELECT count(*) FROM activity_answers") == [(0,)]
        assert (await service.client.post("/assess", json=event(event_id="next"))).status_code == 200
