"""Stuffing from an address is felt there by strangers, within the same second, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import FixedClock
from risk_scorer.core.history import UserHistory, learn
from tests.integration.risk_scorer.observations import observation
from tests.integration.risk_scorer.published import publish_model
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio

NOW = 1_760_000_000.0
THERE = {"ip": "203.0.113.80", "user_agent": "Mozilla/5.0", "device_id": "dev-x"}
NEIGHBOUR = {**THERE, "ip": "203.0.113.81", "device_id": "dev-y"}
ELSEWHERE = {"ip": "198.51.100.9", "user_agent": "Mozilla/5.0", "device_id": "dev-1"}
AT_HOME_THERE = {"user_id": "resident", **THERE, "device_id": "dev-home"}
QUIET, LOUD = 10.0, 90.0


def resident() -> UserHistory:
    """Somebody who has logged in a thousand times from the operator of the address that is abused."""
    history = None
    for day in range(1000):
        own = observation(**AT_HOME_THERE, asn=64511, timestamp=NOW - day * 86_400)
        history = learn(history, own, "success")
    assert history is not None
    return history


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def service(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Running]:
    """A scorer whose model knows nothing but that many people are failed for somewhere."""
    publish_model(tmp_path / "models", {"resident": resident()}, rule="stuffing_in_progress")
    async with running(tmp_path, with_model=False, clock=clock) as found:
        yield found


async def stuff(service: Running, *, failures: int = 300, people: int = 100, **event: Any) -> None:
    """Failed logins from one address for many people, reported as a gateway reports them."""
    outcomes = [
        {
            "event_id": f"stuffed-{n}",
            "event": {"user_id": f"victim-{n % people}", **THERE, "timestamp": NOW - 1, **event},
            "outcome": "failure",
            "ts": NOW - 1,
        }
        for n in range(failures)
    ]
    answer = await service.client.post("/outcomes", json=outcomes)
    assert answer.json() == {"learned": failures, "known_before": 0}


async def answer(service: Running, **event: Any) -> dict[str, Any]:
    scored = await service.client.post("/score", json={"user_id": "somebody", "event_id": "asked", **event})
    found: dict[str, Any] = scored.raise_for_status().json()
    return found


async def test_a_stranger_there_is_loud_and_a_person_elsewhere_is_as_before(service: Running) -> None:
    """From 10 to 90 at the abused address; everywhere else the same answer to the bit."""
    before = await answer(service, **ELSEWHERE)
    assert (await answer(service, **THERE))["risk_score"] == QUIET
    await stuff(service)
    found = await answer(service, **THERE)
    assert found["risk_score"] > LOUD - 1.0
    assert found["reasons"][0]["code"] == "stuffing_in_progress"
    assert await answer(service, **ELSEWHERE) == before


async def test_the_network_around_it_feels_it(service: Running) -> None:
    """An attacker with a whole /24 does not begin anew at every address of it."""
    await stuff(service)
    assert (await answer(service, **NEIGHBOUR))["risk_score"] > LOUD - 1.0


async def test_a_device_carries_it_to_other_networks(service: Running) -> None:
    """The same device behind a fresh address is not fresh."""
    await stuff(service)
    assert (await answer(service, **{**ELSEWHERE, "device_id": "dev-x"}))["risk_score"] > LOUD - 1.0


async def test_who_lives_there_is_hardly_touched(service: Running) -> None:
    """The people of an abused network, known there with their own devices, are not locked out of it."""
    await stuff(service, asn=64511)
    assert (await answer(service, **AT_HOME_THERE, asn=64511))["risk_score"] < QUIET + 1.0


async def test_one_person_who_mistypes_all_day_presses_on_nobody(service: Running) -> None:
    """Three hundred failures for one person are no stuffing."""
    await stuff(service, people=1)
    assert (await answer(service, **THERE))["risk_score"] == QUIET


async def test_it_fades(service: Running, clock: FixedClock) -> None:
    """A day later the address is as before; an hour later it is not."""
    await stuff(service)
    clock.advance(3600.0)
    assert (await answer(service, **THERE))["risk_score"] > LOUD - 1.0
    clock.advance(86_400.0)
    assert (await answer(service, **THERE))["risk_score"] == QUIET


async def test_scoring_alone_presses_on_nobody(service: Running) -> None:
    """Three hundred forged events for a hundred people, asked about and never finished, change no score."""
    for n in range(300):
        await answer(service, **{**THERE, "user_id": f"victim-{n % 100}", "success": False})
    assert (await answer(service, **THERE))["risk_score"] == QUIET


async def test_one_and_many_feel_the_same(service: Running) -> None:
    """The bulk answer has the score of the single one."""
    await stuff(service)
    alone = [await answer(service, **place) for place in (THERE, ELSEWHERE)]
    events = [{"user_id": "somebody", **place} for place in (THERE, ELSEWHERE)]
    together = (await service.client.post("/bulk_score", json=events)).json()
    assert [each["risk_score"] for each in together] == [each["risk_score"] for each in alone]


async def test_a_restart_forgets_nothing(tmp_path: Path, clock: FixedClock) -> None:
    """An attacker who can make the scorer restart gains nothing by it."""
    publish_model(tmp_path / "models", rule="stuffing_in_progress")
    async with running(tmp_path, with_model=False, clock=clock) as service:
        await stuff(service, failures=40, people=10)
        before = (await answer(service, **THERE))["risk_score"]
    async with running(tmp_path, with_model=False, clock=clock, credential=service.credential) as again:
        assert (await answer(again, **THERE))["risk_score"] == before
    assert QUIET < before < LOUD
