"""Whichever way an event comes, its answer is the same: alone, in a bulk, later, from a stream and in a library."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from risk_scorer.contract.activity import Assessment
from risk_scorer.engine import ActivityEvent, EngineConfig, IdentityContext, PrivilegeChange, RiskEngine
from risk_scorer.flows.ports import StreamRecord
from risk_scorer.streaming import assess_of, learn_of, stream_of
from tests.integration.risk_scorer.service import Running, running, shared_lookups
from tests.integration.risk_scorer.test_activity import rows
from training.activity.files import simulate
from training.activity.log import Plan
from training.activity.people import STARTS

pytestmark = pytest.mark.anyio
LATER = STARTS + 30 * 86_400.0
PIECES = (1, 3, 40, 7, 200)
"""How many events a bulk has, by turns: where one ends and the next begins makes no difference."""
EVENTS = 260
JSON = {"content-type": "application/json"}
Body = dict[str, Any]


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[Body]:
    """A few days of invented people, with attacks among them; one says nothing of a browser and waited for a day."""
    log = tmp_path_factory.mktemp("ways") / "log.jsonl"
    simulate(Plan(300, 20, 5, 5), log, lambda step, share: None)
    found: list[Body] = [msgspec.json.decode(line) for line in log.read_bytes().splitlines()[:EVENTS]]
    found[7]["identity"]["user_agent"], found[7]["event"]["latency_ms"] = "", 90_000_000.0
    return found


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    """A scorer to which no gateway told anything; the client vouches, as a stream does."""
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(LATER), **shared) as found:
        secret = found.scorer.credentials.add("vouching", ["activity", "vouch"])
        found.client.headers["authorization"] = f"Bearer {secret}"
        yield found


async def alone(service: Running, bodies: list[Body]) -> list[Body]:
    return [(await service.client.post("/assess", json=each)).json() for each in bodies]


async def in_bulks(service: Running, bodies: list[Body]) -> list[Body]:
    answers: list[Body] = []
    while len(answers) < len(bodies):
        piece = bodies[len(answers) :][: PIECES[len(answers) % len(PIECES)]]
        answers += (await service.client.post("/assess/bulk", json=piece)).json()
    return answers


async def later(service: Running, bodies: list[Body]) -> list[Body]:
    """All are accepted before the first is run."""
    waiting = service.app.state.acting.later
    waiting.run_some, run = _idle, waiting.run_some
    tasks = []
    for each in bodies:
        tasks.append((await service.client.post("/assess/async", json=each)).json()["task_id"])
        service.scorer.clock.advance(0.001)  # type: ignore[attr-defined] # a test's clock
    while await run():
        pass
    return [(await service.client.get(f"/tasks/{each}")).json()["result"] for each in tasks]


async def from_a_stream(service: Running, bodies: list[Body]) -> list[Body]:
    scorer = service.scorer
    stream = stream_of(scorer, assess_of(scorer), learn_of(scorer), service.app.state.acting)
    records = [
        StreamRecord("login-events", 0, place, int(LATER * 1000), b"key", msgspec.json.encode(body))
        for place, body in enumerate(bodies)
    ]
    published = await stream.take(stream.read(records))
    return [msgspec.json.decode(each.value or b"")["assessment"] for each in published]


async def _idle() -> int:
    return 0


def in_a_library(bodies: list[Body]) -> list[Assessment]:
    observer = shared_lookups().observer
    config = EngineConfig(networks=lambda ip: observer.networks([ip])[0])
    engine = RiskEngine(config, clock=FixedClock(LATER))
    return [
        engine.assess_event(
            IdentityContext(**each["identity"]),
            ActivityEvent(**each["event"]),
            PrivilegeChange(**each["privilege_change"]) if "privilege_change" in each else None,
        )
        for each in bodies
    ]


def judgement(answer: Body) -> Body:
    """What was decided: not when, and not under which name."""
    return {name: value for name, value in answer.items() if name not in ("event_id", "ts_scored")}


@pytest.mark.parametrize("way", [alone, in_bulks, later, from_a_stream])
async def test_a_way_that_events_come_changes_no_answer(
    service: Running, bodies: list[Body], way: Callable[[Running, list[Body]], Awaitable[list[Body]]]
) -> None:
    """Scores, actions, signals with their points, and what is unknown, as the library says it."""
    expected = [judgement(msgspec.to_builtins(each)) for each in in_a_library(bodies)]
    assert {"allow", "step_up", "reset_session"} <= {each["action"] for each in expected}
    answers = await way(service, bodies)
    assert [each["event_id"] for each in answers] == [each["event_id"] for each in bodies]
    assert [judgement(each) for each in answers] == expected


async def test_a_session_of_a_bulk_is_one_persons(service: Running, bodies: list[Body]) -> None:
    """Also while nobody told of it and its first event is not kept yet."""
    first = next(each for each in bodies if each["identity"]["session_id"])
    stranger = {**first, "event_id": "other", "identity": {**first["identity"], "user_id": "mallory"}}
    answers = (await service.client.post("/assess/bulk", json=[first, stranger])).json()
    assert [each.get("error") for each in answers] == [None, "identity_mismatch"]


async def test_the_body_that_the_documentation_shows_is_taken(service: Running, root: Path) -> None:
    """At once and later, for a session that the gateway told of, from an application that may not vouch."""
    shown = (root / "docs" / "activity.md").read_text().split("-d '", 1)[1].split("'\n", 1)[0]
    service.client.headers["authorization"] = f"Bearer {service.credential}"
    notice = {"session_id": "sess-1", "user_id": "alice", "state": "started", "at": 1_704_063_600.0}
    assert (await service.client.post("/sessions", json=notice)).json()["heard"] == 1
    told = (await service.client.post("/assess", content=shown, headers=JSON)).json()
    assert (told["user_id"], told["session_id"], told["identity"]) == ("alice", "sess-1", "session")
    assert (told["action"], "privilege_escalation" in told["unknown"]) == ("allow", True)
    assert (await service.client.post("/assess/async", content=shown, headers=JSON)).status_code == 202
    kept = "SELECT endpoint, method, status, bytes_in, bytes_out, service, trace_id FROM activity_events"
    assert rows(service, kept)[0] == ("/admin/export", "POST", 200, 256, 4096, "admin", "trace-1")
