"""POST /assess and what belongs to it: whose event it is, what is answered, what is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import FixedClock
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
NOTICE = {
    "session_id": "ses-1", "user_id": "alice", "state": "started", "at": NOW - 60, "client_id": "shop",
    "ip": "198.51.100.9", "user_agent": CHROME, "device_id": "dev-1", "roles": ["user"], "privileges": ["read"],
}  # fmt: skip


def event(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One thing that alice does in her session."""
    identity = {"user_id": "alice", "session_id": "ses-1", "ip": "198.51.100.9", "user_agent": CHROME}
    identity |= {name: changes.pop(name) for name in ("user_id", "session_id", "ip", "token") if name in changes}
    named = {name: changes.pop(name) for name in ("event_id", "privilege_change") if name in changes}
    done = {"timestamp": NOW - 50 + number, "endpoint": f"/orders/{number}", "status_code": 200, "service": "shop"}
    return {"identity": identity, "event": {**done, **changes}, **named}


@pytest.fixture
async def service(tmp_path: Path, scorer_url: str) -> AsyncIterator[Running]:
    shared = {} if scorer_url.startswith("sqlite") else {"risk_scorer_database": scorer_url}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **shared) as found:
        assert (await found.client.post("/sessions", json=NOTICE)).json() == {"heard": 1, "known_before": 0}
        yield found


def rows(service: Running, sql: str) -> list[Any]:
    with service.scorer.database.engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


async def test_the_first_event_of_a_new_person_is_no_alarm(service: Running) -> None:
    """What is not known yet is said to be unknown, and the answer is kept."""
    answer = await service.client.post("/assess", json=event())
    told = answer.json()
    assert (answer.status_code, told["action"], told["risk_level"], told["identity"]) == (
        200,
        "allow",
        "low",
        "session",
    )
    assert told["unknown"]
    assert round(sum(each["points"] for each in told["signals"]), 2) == told["total_score"]
    kept = "SELECT user_id, session_id, client_id, prefix, browser, endpoint, service, score FROM activity_events"
    assert rows(service, kept) == [
        ("alice", "ses-1", "shop", "198.51.100.0/24", "Chrome", "/orders/{id}", "shop", told["total_score"])
    ]
