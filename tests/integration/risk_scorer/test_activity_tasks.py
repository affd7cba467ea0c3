"""POST /assess/async: accepted tasks are run once, whatever dies meanwhile, and the queue is bounded."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.activity.task_rows import LEASE_SECONDS
from tests.integration.risk_scorer.service import Running, running
from tests.integration.risk_scorer.test_activity import NOTICE, NOW, event, rows

pytestmark = pytest.mark.anyio
DIES_BEFORE_IT_SAYS_SO = """
import asyncio, json, os, signal, sys
from pathlib import Path
from plumbing.clock import FixedClock
from risk_scorer.acting import acting_of
from risk_scorer.assembly import assemble
from tests.integration.risk_scorer.service import settings_for, shared_lookups

scorer = assemble(settings_for(Path(sys.argv[1]), **json.loads(sys.argv[2])), clock=FixedClock(float(sys.argv[3])),
    lookups=shared_lookups())
acting = acting_of(scorer)

async def finish(_done):
    os.kill(os.getpid(), signal.SIGKILL)

acting.tasks.finish = finish
asyncio.run(acting.later.run_some())
"""


@pytest.fixture
def shared(scorer_url: str) -> dict[str, str]:
    return {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}


@pytest.fixture
async def service(tmp_path: Path, shared: dict[str, str]) -> AsyncIterator[Running]:
    """A scorer whose tasks are run when a test says so."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), activity_tasks_max=3, **shared) as found:
        await found.client.post("/sessions", json=NOTICE)
        yield found


async def until_done(service: Running, task_id: str) -> dict[str, Any]:
    while True:
        state: dict[str, Any] = (await service.client.get(f"/tasks/{task_id}")).json()
        if state["status"] not in ("pending", "running"):
            return state
        await service.app.state.acting.later.run_some()


async def test_a_task_is_accepted_run_and_told(service: Running) -> None:
    """Its answer is that of `/assess`, on the session's word; an event of the same id is counted once."""
    accepted = await service.client.post("/assess/async", json=event(event_id="e1"))
    assert (accepted.status_code, accepted.headers["location"]) == (202, f"/tasks/{accepted.json()['task_id']}")
    state = await until_done(service, accepted.json()["task_id"])
    assert (state["status"], state["result"]["identity"], state["problem"]) == ("done", "session", None)
    assert (await service.client.post("/assess", json=event(event_id="e1"))).json() == state["result"]
    assert rows(service, "SELECT count(*) FROM activity_events") == [(1,)]


async def test_what_is_not_believed_is_no_task(service: Running) -> None:
    """It is refused at once, as without waiting; a task is told to nobody but whoever asked for it."""
    answer = await service.client.post("/assess/async", json=event(session_id="ses-9"))
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_session")
    task_id = (await service.client.post("/assess/async", json=event())).json()["task_id"]
    other = service.scorer.credentials.add("other", ["activity"])
    service.scorer.clock.advance(1.0)  # type: ignore[attr-defined] # a test's clock
    theirs = await service.client.get(f"/tasks/{task_id}", headers={"authorization": f"Bearer {other}"})
    assert (theirs.status_code, theirs.json()["error"]) == (404, "unknown_task")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"timestamp": 1}, "invalid_timestamp"),
    ({"timestamp": NOW + 301}, "invalid_timestamp"),
    ({"endpoint": "/a\0b"}, "invalid_text"),
    ({"ip": "nowhere"}, "invalid_ip"),
]


async def test_what_cannot_be_read_is_no_task(service: Running) -> None:
    """It is refused at once, as without waiting, and takes no place in the queue."""
    for changes, code in WRONG:
        answer = await service.client.post("/assess/async", json=event(**changes))
        assert (answer.status_code, answer.json()["error"]) == (422, code)
    assert rows(service, "SELECT count(*) FROM activity_tasks") == [(0,)]


async def test_an_event_that_cannot_be_judged_fails_with_its_code(service: Running) -> None:
    """And no other task with it."""
    await service.client.post("/sessions", json={**NOTICE, "session_id": "ses-2"})
    service.app.state.acting.later.run_some, run = _idle, service.app.state.acting.later.run_some
    good = (await service.client.post("/assess/async", json=event(event_id="1"))).json()["task_id"]
    bad = (await service.client.post("/assess/async", json=event(event_id="1", session_id="ses-2"))).json()["task_id"]
    service.app.state.acting.later.run_some = run
    assert (await until_done(service, bad))["problem"] == "event_id_taken"
    assert (await until_done(service, good))["status"] == "done"


async def test_a_killed_process_loses_no_task_and_runs_none_twice(tmp_path: Path, shared: dict[str, str]) -> None:
    """One dies after the event was kept and before the task was done; the next finds the event's answer."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **shared) as service:
        await service.client.post("/sessions", json=NOTICE)
        service.app.state.acting.later.run_some = _idle
        accepted = await service.client.post("/assess/async", json=event())
        credential, task_id = service.credential, accepted.json()["task_id"]
    arguments = [str(tmp_path), json.dumps(shared), str(NOW)]
    died = killed(arguments)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    clock = FixedClock(NOW)
    async with running(tmp_path, with_model=False, clock=clock, credential=credential, **shared) as service:
        assert rows(service, "SELECT state, claims FROM activity_tasks") == [("running", 1)]
        assert await service.app.state.acting.later.run_some() == 0  # its lease is not over
        clock.advance(LEASE_SECONDS + 1)
        state = await until_done(service, task_id)
        assert (state["status"], state["result"]["event_id"]) == ("done", task_id)
        assert rows(service, "SELECT event_id FROM activity_events") == [(task_id,)]
        assert rows(service, "SELECT claims FROM activity_tasks") == [(2,)]


def killed(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    """How a process ended that claims a task, keeps its event, and dies before it says so."""
    command = [sys.executable, "-c", DIES_BEFORE_IT_SAYS_SO, *arguments]
    return subprocess.run(command, check=False, capture_output=True)


async def _idle() -> int:
    return 0


async def test_a_full_queue_says_so(service: Running) -> None:
    """With 429 and when to come again; what was accepted stays."""
    service.app.state.acting.later.run_some = _idle
    answers = [await service.client.post("/assess/async", json=event(number)) for number in range(4)]
    assert [each.status_code for each in answers] == [202, 202, 202, 429]
    assert (answers[3].json()["error"], int(answers[3].headers["retry-after"]) > 0) == ("queue_full", True)


async def test_a_task_that_takes_down_whoever_runs_it_is_given_up(service: Running) -> None:
    """After five claims it has failed, instead of going round for ever."""
    service.app.state.acting.later.run_some, run = _idle, service.app.state.acting.later.run_some
    task_id = (await service.client.post("/assess/async", json=event())).json()["task_id"]
    for _ in range(5):
        assert len(await service.app.state.acting.tasks.claim(10)) == 1
        service.scorer.clock.advance(LEASE_SECONDS + 1)  # type: ignore[attr-defined] # a test's clock
    await run()
    state = (await service.client.get(f"/tasks/{task_id}")).json()
    assert (state["status"], state["problem"]) == ("failed", "gave_up")
