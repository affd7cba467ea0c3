"""POST /feedback: what was found out about a login changes what its person's history holds, and can be taken back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.storage import open_state
from risk_scorer.core.history import UserHistory
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_faults import hold, impatient

pytestmark = pytest.mark.anyio
THIEF = {**EVENT, "ip": "203.0.113.66", "device_id": "thief", "user_agent": "curl/8.9"}
SECRET = "not-to-be-repeated"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


def said(event_id: str, verdict: str = "confirmed_compromised", **changes: Any) -> dict[str, Any]:
    return {"event_id": event_id, "verdict": verdict, "by": "soc/jane", **changes}


async def scored(service: Running, event_id: str, **event: Any) -> None:
    answer = await service.client.post("/score", json={**EVENT, **event, "event_id": event_id})
    assert answer.status_code == 200


async def ended(
    service: Running, event_id: str, outcome: str = "success", step: str | None = None, **event: Any
) -> int:
    body = {"event_id": step or event_id, "outcome": outcome, "ts": 1_760_000_000.0}
    answer = await service.client.post("/outcomes", json={**body, "event": {**EVENT, **event, "event_id": event_id}})
    assert answer.status_code == 200
    learned: int = answer.json()["learned"]
    return learned


async def told(service: Running, *bodies: dict[str, Any]) -> httpx2.Response:
    return await service.client.post("/feedback", json=bodies[0] if len(bodies) == 1 else list(bodies))


def history(service: Running, user: str = "alice") -> UserHistory:
    [found] = service.scorer.profiles.get_many([user])
    return found or UserHistory()


async def test_a_compromise_is_unlearned_and_its_context_condemned(service: Running) -> None:
    """The attacker who got through no longer looks like the person, and what they came with speaks against them."""
    await ended(service, "good")
    await scored(service, "bad", **THIEF)
    await ended(service, "bad", **THIEF)
    assert "thief" in history(service).device
    answer = await told(service, said("bad", reason="ticket 4711", ts=1_760_000_500.0))
    assert (answer.status_code, answer.json()) == (200, {"recorded": 1, "known_before": 0})
    after = history(service)
    assert (after.logins, list(after.device)) == (1, ["dev-1"])
    assert {"device:thief", "ip:203.0.113.66"} <= after.condemned.keys()
    assert "device:dev-1" not in after.condemned


async def test_a_challenge_that_was_passed_belongs_to_the_login_it_was_for(service: Running) -> None:
    """The step has an id of its own; the verdict is on the login that was scored."""
    await scored(service, "bad", **THIEF)
    await ended(service, "bad", "mfa_passed", step="step-1", **THIEF)
    assert (await told(service, said("bad"))).status_code == 200
    assert history(service).logins == 0


@pytest.mark.parametrize("outcome", ["success", "mfa_passed"])
async def test_a_late_outcome_of_a_compromise_teaches_nothing(service: Running, outcome: str) -> None:
    """An attacker still at work on their second factor gains nothing by passing it."""
    await scored(service, "bad", **THIEF)
    await told(service, said("bad"))
    assert await ended(service, "bad", outcome, step="step-1", **THIEF) == 0
    assert (history(service).logins, history(service).device) == (0, {})


async def test_a_denied_login_that_was_the_person_is_learned_and_pardoned(service: Running) -> None:
    """No outcome was ever reported; the log says what the login was."""
    await scored(service, "denied", device_id="new-phone")
    answer = await told(service, said("denied", "confirmed_safe"))
    assert answer.json() == {"recorded": 1, "known_before": 0}
    after = history(service)
    assert (after.logins, list(after.device)) == (1, ["new-phone"])
    assert "device:new-phone" in after.pardoned


async def test_a_safe_login_counts_once_whenever_its_outcome_comes(service: Running) -> None:
    """The verdict has taught it, the outcome adds nothing, and dismissing it leaves what the outcome taught."""
    await scored(service, "e1")
    await told(service, said("e1", "confirmed_safe"))
    assert await ended(service, "e1") == 1
    assert history(service).logins == 1
    await told(service, said("e1", "dismissed"))
    assert (history(service).logins, history(service).pardoned) == (1, {})


async def test_a_changed_verdict_takes_the_earlier_one_back(service: Running) -> None:
    """Compromised, safe, dismissed: each leaves what it would have left alone."""
    await scored(service, "e1")
    await ended(service, "e1")
    untouched = history(service)
    await told(service, said("e1"))
    assert history(service).logins == 0
    await told(service, said("e1", "confirmed_safe"))
    assert (history(service).logins, history(service).condemned) == (1, {})
    await told(service, said("e1", "dismissed"))
    assert history(service) == untouched


async def test_the_same_verdict_twice_is_harmless(service: Running) -> None:
    """Alone, in one list, or from somebody else."""
    await scored(service, "e1")
    assert (await told(service, said("e1"), said("e1"))).json() == {"recorded": 1, "known_before": 1}
    before = history(service)
    assert (await told(service, said("e1", by="other"))).json() == {"recorded": 0, "known_before": 1}
    assert history(service) == before


async def test_a_refused_refresh_that_was_the_person_is_pardoned_and_no_login(service: Running) -> None:
    """Nobody logs in by refreshing, so nothing is counted."""
    await scored(service, "r1", kind="refresh", device_id="laptop")
    await told(service, said("r1", "confirmed_safe"))
    assert history(service).logins == 0
    assert "device:laptop" in history(service).pardoned


async def test_a_failure_nobody_scored_can_be_judged_as_far_as_it_is_known(service: Running) -> None:
    """A wrong password is never scored; who tried from where is kept, and is nothing to learn a person from."""
    await ended(service, "guess", "failure", **THIEF)
    await told(service, said("guess", "confirmed_safe"))
    assert history(service).logins == 0
    assert "device:thief" in history(service).pardoned
    await told(service, said("guess"))
    assert (history(service).pardoned, "device:thief" in history(service).condemned) == ({}, True)


async def test_unknown_events_are_named_by_their_place_and_nothing_is_recorded(service: Running) -> None:
    """One unknown event refuses the whole request, and what was sent is not repeated."""
    await scored(service, "e1")
    answer = await told(service, said("e1"), said(SECRET), said("e1", "dismissed"), said(f"{SECRET}2"))
    assert (answer.status_code, answer.json()["error"], answer.json()["positions"]) == (404, "unknown_event", [1, 3])
    assert SECRET not in answer.text
    assert history(service).condemned == {}
    alone = await told(service, said(SECRET))
    assert (alone.status_code, alone.json()["positions"]) == (404, [0])
    assert (await told(service, said("e1"))).json()["recorded"] == 1


async def test_what_was_only_asked_about_or_pruned_is_unknown(service: Running) -> None:
    """A question was no login, and what retention has taken is gone; a verdict that was given stays changeable."""
    await service.client.post("/bulk_score", json=[{**EVENT, "event_id": "asked"}])
    assert (await told(service, said("asked"))).status_code == 404
    await scored(service, "e1")
    await scored(service, "e2")
    await told(service, said("e1"))
    await service.scorer.log.prune(2e9)
    assert (await told(service, said("e2"))).status_code == 404
    assert (await told(service, said("e1", "dismissed"))).json()["recorded"] == 1


@pytest.mark.parametrize(
    ("body", "status", "error", "field"),
    [
        (said("e1", "maybe"), 422, "invalid_request", "$.verdict"),
        (said(""), 422, "invalid_request", "$.event_id"),
        (said("x" * 129), 422, "invalid_request", "$.event_id"),
        (said("e1", by=""), 422, "invalid_request", "$.by"),
        (said("e1", by="x" * 257), 422, "invalid_request", "$.by"),
        (said("e1", by="a\0b"), 422, "invalid_request", "$.by"),
        (said("e1", reason="x" * 1025), 422, "invalid_request", "$.reason"),
        ([said("e1"), said("e1", reason="a\0b")], 422, "invalid_request", "$[1].reason"),
        (said("e1", ts=-1), 422, "invalid_request", "$.ts"),
        (said("e1", ts="today"), 422, "invalid_request", "$.ts"),
        ({"event_id": "e1", "verdict": "dismissed"}, 422, "invalid_request", "$.by"),
        ([said("e1"), {"event_id": "e1", "by": "x"}], 422, "invalid_request", "$[1].verdict"),
        ("e1", 422, "invalid_request", "$"),
        ([said("e1")] * 1001, 413, "too_much_feedback", None),
    ],
)
async def test_a_bad_verdict_is_refused_as_a_whole(
    service: Running, body: Any, status: int, error: str, field: str | None
) -> None:
    """Nothing of a refused request is recorded, and the path says what was wrong."""
    await scored(service, "e1")
    answer = await service.client.post("/feedback", json=body)
    assert (answer.status_code, answer.json()["error"], answer.json().get("field")) == (status, error, field)
    assert (await told(service, said("e1"))).json() == {"recorded": 1, "known_before": 0}


async def test_the_longest_list_fits(service: Running) -> None:
    """A thousand verdicts with the longest texts are one request; an empty one is nothing to do."""
    for number in range(0, 1000, 250):
        events = [{**EVENT, "event_id": f"e{number + n}", "user_id": f"u{n % 7}"} for n in range(250)]
        body = {"events": events, "announce": True}
        assert (await service.client.post("/bulk_score", json=body)).status_code == 200
    bodies = [said(f"e{n}", by="ü" * 256, reason="ü" * 1024) for n in range(1000)]
    assert (await told(service, *bodies)).json() == {"recorded": 1000, "known_before": 0}
    assert (await service.client.post("/feedback", json=[])).json() == {"recorded": 0, "known_before": 0}


async def test_while_the_storage_is_held_nothing_is_half_done(service: Running, tmp_path: Path) -> None:
    """503 with a time to come back; the same request does it all later."""
    await scored(service, "e1")
    await ended(service, "e1")
    impatient(service)
    before, holder = history(service), hold(tmp_path)
    try:
        refused = await told(service, said("e1"))
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert (refused.status_code, refused.json()["error"]) == (503, "storage_unavailable")
    assert "retry-after" in refused.headers
    assert history(service) == before
    assert (await told(service, said("e1"))).json()["recorded"] == 1


async def test_two_people_at_once_leave_one_consistent_history(service: Running) -> None:
    """Whatever was committed last holds, and the next verdict starts from it."""
    await scored(service, "e1")
    await ended(service, "e1")
    untouched = history(service)
    verdicts = ["confirmed_safe", "confirmed_compromised", "dismissed"] * 4
    answers = await asyncio.gather(*(told(service, said("e1", verdict)) for verdict in verdicts))
    assert {answer.status_code for answer in answers} == {200}
    await told(service, said("e1", "dismissed"))
    after = history(service)
    assert (after.logins, after.pardoned, after.condemned) == (untouched.logins, {}, {})
    assert after.device.keys() == untouched.device.keys()


async def test_a_verdict_is_there_after_a_restart(tmp_path: Path) -> None:
    """It was on the disk before the answer left."""
    async with running(tmp_path) as service:
        await scored(service, "e1", **THIEF)
        await told(service, said("e1"))
        before = history(service)
    database = open_state(tmp_path / "scorer")
    assert ProfileStore(database, clock=FixedClock(0.0)).get_many(["alice"]) == [before]
    database.close()
    assert before.condemned
