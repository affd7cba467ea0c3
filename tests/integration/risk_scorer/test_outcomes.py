"""POST /outcomes: the only thing that histories learn from, each report once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


def outcome(event_id: str, kind: str = "success", **event: Any) -> dict[str, Any]:
    return {"event_id": event_id, "event": {**EVENT, **event}, "outcome": kind, "ts": 1754740800.0}


async def known_logins(service: Running, user: str = "alice") -> int:
    answer = await service.client.post("/score", json={**EVENT, "user_id": user})
    known: int = answer.json()["explain"]["known_logins"]
    return known


async def test_scoring_never_learns(service: Running) -> None:
    """However often a login is scored, the person's history stays as it was."""
    for _ in range(3):
        assert await known_logins(service) == 0


async def test_an_outcome_counts_once(service: Running) -> None:
    """A report that is delivered again is taken and changes nothing."""
    first = await service.client.post("/outcomes", json=outcome("e1"))
    again = await service.client.post("/outcomes", json=outcome("e1"))
    assert (first.json(), again.json()) == ({"learned": 1, "known_before": 0}, {"learned": 0, "known_before": 1})
    assert await known_logins(service) == 1


async def test_outcomes_at_once_all_count(service: Running) -> None:
    """Reports about one person from many senders at the same time lose nothing."""
    posts = (service.client.post("/outcomes", json=[outcome(f"a{n}"), outcome(f"b{n}")]) for n in range(20))
    answers = await asyncio.gather(*posts)
    assert [answer.json()["learned"] for answer in answers] == [2] * 20
    assert await known_logins(service) == 40


@pytest.mark.parametrize(("kind", "known"), [("success", 1), ("mfa_passed", 1), ("mfa_failed", 0), ("failure", 0)])
async def test_only_finished_logins_teach_what_is_the_persons_own(service: Running, kind: str, known: int) -> None:
    """A failed attempt leaves nothing behind that an attacker could build on."""
    assert (await service.client.post("/outcomes", json=outcome("e1", kind))).status_code == 200
    assert await known_logins(service) == known


async def test_what_was_learned_changes_the_next_score_only_for_that_person(service: Running) -> None:
    """Another person's history is their own."""
    await service.client.post("/outcomes", json=outcome("e1"))
    assert await known_logins(service, "bob") == 0


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ([outcome("e1"), outcome("e2", ip="198.01.100.9")], 422, "$[1].event.ip"),
        (outcome("e1", ip="nowhere"), 422, "$.event.ip"),
        (outcome("e1", kind="maybe"), 422, "$.outcome"),
        (outcome(""), 422, "$.event_id"),
        ({**outcome("e1"), "ts": -1}, 422, "$.ts"),
        ([outcome(f"e{n}") for n in range(501)], 413, None),
    ],
)
async def test_a_bad_report_is_refused_as_a_whole(service: Running, body: Any, status: int, field: str | None) -> None:
    """Nothing of a refused request is learned, and the path says what was wrong."""
    answer = await service.client.post("/outcomes", json=body)
    assert answer.status_code == status
    assert answer.json().get("field") == field
    assert await known_logins(service) == 0


@pytest.mark.parametrize("timestamp", [4_000_000_000.0, 10**400, -(10**400)], ids=["years ahead", "huge", "tiny"])
async def test_a_time_that_cannot_be_is_refused_and_teaches_nothing(service: Running, timestamp: float) -> None:
    """An outcome of tomorrow would make every later login look frequent; a number beyond any float is no time."""
    body = msgspec.json.encode(outcome("late")).decode().replace('"event":{', f'"event":{{"timestamp":{timestamp},')
    answer = await service.client.post("/outcomes", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (
        422,
        "invalid_timestamp",
        "$.event.timestamp",
    )
    assert await known_logins(service) == 0
