"""What those who watch a scorer see of the sessions that it judges."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from plumbing import connections
from plumbing.clock import FixedClock
from risk_scorer.activity_watching import LATE_SECONDS
from risk_scorer.adapters import event_log
from tests.integration.risk_scorer.service import EVENT, WEBHOOK_SECRET, Running, running
from tests.integration.risk_scorer.test_activity import NOTICE, NOW, event, known_person, stolen
from tests.integration.risk_scorer.test_activity_tasks import _idle
from tests.integration.risk_scorer.test_shadow import until
from tests.integration.risk_scorer.test_watching import told, value, watching
from tests.integration.training.session_models import small_model

pytestmark = pytest.mark.anyio


async def parts(service: Running) -> dict[str, str | None]:
    """Why each part is not well, None where it is."""
    return {part.name: part.reason for part in await watching(service).parts.look()}


async def test_events_notices_and_refusals_are_told(tmp_path: Path) -> None:
    """Each by its code or state; a notice that comes again is no news, and nobody is named."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        for notice in (NOTICE, NOTICE, {**NOTICE, "session_id": "ses-2", "state": "ended"}):
            await service.client.post("/sessions", json=notice)
        first = (await service.client.post("/assess", json=event(1))).json()
        second, _ = (await service.client.post("/assess/bulk", json=[event(2), event(3, session_id="ses-9")])).json()
        await service.client.post("/assess", json=event(4, user_id="bob"))
        assert value(service, "riskgate_activity_events_total", result="allow") == 2
        assert value(service, "riskgate_activity_events_total", result="refused") == 2
        assert value(service, "riskgate_activity_refused_total", code="unknown_session") == 1
        assert value(service, "riskgate_activity_refused_total", code="identity_mismatch") == 1
        warming = Counter([*first["unknown"], *second["unknown"]])
        assert len(warming) > 5
        found = {name: value(service, "riskgate_activity_unknown_total", detector=name) for name in warming}
        assert found == warming
        assert value(service, "riskgate_session_notices_total", state="started") == 1
        assert value(service, "riskgate_session_notices_total", state="ended") == 1
        assert value(service, "riskgate_activity_sessions") == 2
        assert not any("alice" in str(key) or "ses-1" in str(key) for key in told(service))


async def test_memories_that_wait_are_told_until_they_are_written(tmp_path: Path) -> None:
    """And when nothing waited last."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        await service.client.post("/sessions", json=NOTICE)
        await service.client.post("/assess", json=event(1))
        assert value(service, "riskgate_activity_memories_waiting") > 0
        service.scorer.clock.advance(40)  # type: ignore[attr-defined] # a test's clock
        await service.app.state.acting.memories.flush()
        assert value(service, "riskgate_activity_memories_waiting") == 0
        assert value(service, "riskgate_activity_memories_written_timestamp_seconds") == NOW + 40


async def test_tasks_are_told_with_the_age_of_the_oldest(tmp_path: Path) -> None:
    """One that waits for a minute makes the part unwell; done, failed and retried ones are counted."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        await service.client.post("/sessions", json=NOTICE)
        later = service.app.state.acting.later
        later.run_some, run = _idle, later.run_some
        for number in (1, 2):
            assert (await service.client.post("/assess/async", json=event(number))).status_code == 202
        assert len(await service.app.state.acting.tasks.claim(1)) == 1
        await watching(service).look()
        assert value(service, "riskgate_activity_tasks", state="waiting") == 1
        assert value(service, "riskgate_activity_tasks", state="running") == 1
        assert (await parts(service))["activity_tasks"] is None
        service.scorer.clock.advance(LATE_SECONDS)  # type: ignore[attr-defined] # a test's clock
        assert value(service, "riskgate_activity_task_oldest_seconds") == LATE_SECONDS
        assert (await parts(service))["activity_tasks"] == "tasks_late"
        await service.client.post("/sessions", json={**NOTICE, "state": "ended", "at": NOW - 300})
        assert await run() == 2
        await watching(service).look()
        assert value(service, "riskgate_activity_tasks", state="waiting") == 0
        assert (await parts(service))["activity_tasks"] is None
        results = {each: value(service, "riskgate_activity_tasks_total", result=each) for each in later.counts}
        assert results == {"done": 0, "failed": 2, "retried": 1}


async def test_keys_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    """Only once somebody sent a token: until then nothing is missing."""
    issuer = {"gateway_issuer": "http://127.0.0.1:1"}
    token = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiYXQrand0In0.e30.AA"
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **issuer) as service:
        assert (await parts(service))["gateway_keys"] is None
        assert (await service.client.post("/assess", json=event(token=token))).status_code == 503
        assert (await parts(service))["gateway_keys"] == "keys_unavailable"
        failures = [key for key in told(service) if key[0] == "riskgate_gateway_keys_failures_total"]
        assert len(failures) == 1
        assert not any(key[0] == "riskgate_gateway_keys_timestamp_seconds" for key in told(service))


async def test_signals_that_the_gateway_does_not_take_are_told_with_their_age(tmp_path: Path) -> None:
    """What a thief does is told to a gateway that is away: it waits, and whoever watches sees since when."""
    away = {"session_signal_url": "http://127.0.0.1:1/signals/session-risk", "session_signal_secret": WEBHOOK_SECRET}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **away) as service:
        await service.client.post("/sessions", json=NOTICE)
        await known_person(service)
        await stolen(service, requests=10)
        await watching(service).look()
        assert value(service, "riskgate_outbox_waiting", receiver="gateway") >= 1
        service.scorer.clock.advance(61)  # type: ignore[attr-defined] # a test's clock
        assert value(service, "riskgate_outbox_oldest_seconds", receiver="gateway") == 61
        await until(lambda: value(service, "riskgate_deliveries_total", receiver="gateway", result="retried") >= 1)


async def test_the_session_model_and_what_was_refused_are_told(tmp_path: Path) -> None:
    """Its version and the age of what it was fitted on; a damaged one in its place leaves it, and says so."""
    made = small_model()
    folder = shutil.copytree(made.folder, tmp_path / "model")
    settings: dict[str, Any] = {"session_model_dir": folder, "model_public_keys": str(made.public_key)}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **settings) as service:
        models = service.app.state.acting.learned.models
        await until(lambda: models.current() is not None)
        version = str(models.version)
        assert value(service, "riskgate_session_model_info", version=version) == 1
        age = max(0.0, NOW - models.current().manifest.span.last)
        assert value(service, "riskgate_session_model_age_seconds") == age
        assert (await parts(service))["session_model"] is None
        (folder / "forest_path.npy").write_bytes(b"nothing")
        (folder / "manifest.sig").touch()
        await until(lambda: models.problem is not None)
        assert (await parts(service))["session_model"] == "hash_mismatch"
        assert value(service, "riskgate_session_model_refusals_total", problem="hash_mismatch") == 1
        assert value(service, "riskgate_session_model_info", version=version) == 1


async def test_what_a_locked_database_did_not_take_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores go on; the rows that found no place while it was held are in `/ready`, and the others are written."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(event_log, "MAX_WAITING", 3)
    file = tmp_path / "scorer" / "scorer.db"
    async with running(tmp_path) as service:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            for number in range(5):
                answer = await service.client.post("/score", json={**EVENT, "event_id": f"evt-{number}"})
                assert answer.status_code == 200
            holder.execute("ROLLBACK")
        await service.client.post("/score", json={**EVENT, "event_id": "evt-5"})
        dropped = (await service.client.get("/ready")).json()["records_dropped"]
        assert dropped == value(service, "riskgate_records_dropped_total") >= 2
        found = await service.scorer.log.find_many([f"evt-{number}" for number in range(6)])
        assert sum(each is None for each in found) == dropped
