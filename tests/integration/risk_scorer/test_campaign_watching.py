"""What those who watch a scorer see of the process that looks for campaigns."""

import random
from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from risk_scorer.campaign_watching import LATE_SECONDS
from tests.campaign_crowds import NOW, bots, people
from tests.integration.risk_scorer.campaign_events import done, watch_of
from tests.integration.risk_scorer.service import running
from tests.integration.risk_scorer.test_watching import told, value, watching

pytestmark = pytest.mark.anyio
Chance = random.Random


async def test_a_runner_that_stops_looking_is_told_and_one_that_never_ran_is_not(tmp_path: Path) -> None:
    """With when it last looked, how long it took, and what goes on; logins are scored as ever."""
    clock = FixedClock(NOW)
    async with running(tmp_path, clock=clock) as service:
        parts = watching(service).parts
        await watching(service).look()
        assert not any("riskgate_campaigns" in str(key) for key in told(service))
        assert "campaigns" not in (await service.client.get("/ready")).json()
        done(service.scorer.database, [*people(30, Chance(1)), *bots(12, Chance(2))])
        watch_of(service.scorer.database, clock).look()
        await watching(service).look()
        assert value(service, "riskgate_campaigns_looked_timestamp_seconds") == NOW
        assert value(service, "riskgate_campaigns_open") == 1
        assert value(service, "riskgate_campaigns_look_events") > 300
        for seconds, word in ((LATE_SECONDS, "ok"), (1.0, "campaigns_late")):
            clock.advance(seconds)
            await watching(service).look()
            answer = await service.client.get("/ready")
            assert (answer.status_code, answer.json()["campaigns"]) == (200, word)
            reason = next(part.reason for part in await parts.look() if part.name == "campaigns")
            assert reason == (None if word == "ok" else word)
        watch_of(service.scorer.database, clock).look()
        await watching(service).look()
        assert (await service.client.get("/ready")).json()["campaigns"] == "ok"
