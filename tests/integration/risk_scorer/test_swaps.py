"""The model is swapped while logins are scored: no answer fails, and each is one version's alone."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.risk_scorer.registered import Registered
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio

EVERY_SECONDS = 1 / 50
EVENTS = [{**EVENT, "ip_rep": float(reputation), "timestamp": 1_760_000_000} for reputation in (0, 60, 75, 100)]


async def until(holds: Callable[[], bool], patience_seconds: float = 20.0) -> None:
    """Waits for something that has no event of its own."""
    began = time.monotonic()
    while not holds():
        await asyncio.sleep(0.005)
        assert time.monotonic() - began < patience_seconds


async def ask(service: Running, answers: list[tuple[int, dict[str, Any]]], stop: asyncio.Event) -> None:
    """Fifty requests a second, one event after the other, each on a task of its own."""
    under_way = set()
    number = 0

    async def one(place: int) -> None:
        response = await service.client.post("/score", json=EVENTS[place])
        answers.append((place, {"status": response.status_code, **response.json()}))

    while not stop.is_set():
        task = asyncio.create_task(one(number % len(EVENTS)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        number += 1
        await asyncio.sleep(EVERY_SECONDS)
    await asyncio.gather(*under_way)


async def test_swaps_under_load_lose_no_request_and_mix_no_versions(tmp_path: Path, is_long: bool) -> None:
    """The same event under one version is equal to the bit, before and after others were in use."""
    swaps = 100 if is_long else 10
    registered = Registered(tmp_path / "registry")
    versions = [registered.add(seed) for seed in (1, 2, 3)]
    registered.point(versions[0])
    answers: list[tuple[int, dict[str, Any]]] = []
    stop = asyncio.Event()
    async with running(tmp_path, with_model=False, model_registry=str(registered.root)) as service:
        watching = asyncio.create_task(service.models.watch(0.05))
        asking = asyncio.create_task(ask(service, answers, stop))
        for number in range(1, swaps + 1):
            wanted = versions[number % 3]
            await asyncio.to_thread(registered.point, wanted)
            await until(lambda wanted=wanted: service.scorer.model_version() == wanted)  # type: ignore[misc]
            await asyncio.sleep(0.05)
        stop.set()
        await asking
        watching.cancel()
    assert {answer["status"] for _, answer in answers} == {200}
    assert {answer["model_version"] for _, answer in answers} == set(versions)
    seen = defaultdict(set)
    for place, answer in answers:
        seen[place, answer["model_version"]].add(
            (answer["risk_score"], repr(answer["explain"]), repr(answer["reasons"]))
        )
    assert len(seen) == len(EVENTS) * len(versions)
    assert all(len(different) == 1 for different in seen.values())


async def test_a_registry_that_hangs_holds_up_no_answer_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount whose server is gone: reading it never ends."""
    monkeypatch.setattr("risk_scorer.adapters.model_store.SLOW_SECONDS", 0.1)
    registered = Registered(tmp_path / "registry")
    good = registered.add(seed=1)
    registered.point(good)
    async with running(tmp_path, with_model=False, model_registry=str(registered.root)) as service:
        going = asyncio.Event()
        loop = asyncio.get_running_loop()
        state = service.models._source.state

        def hangs(*, thorough: bool) -> Any:
            asyncio.run_coroutine_threadsafe(going.wait(), loop).result()
            return state(thorough=thorough)

        service.models._source.state = hangs  # type: ignore[method-assign]
        watching = asyncio.create_task(service.models.watch(0.01))
        await until(lambda: service.models.problem is not None)
        answer = await service.client.post("/score", json=EVENT)
        assert (answer.status_code, answer.json()["model_version"]) == (200, good)
        ready = (await service.client.get("/ready")).json()
        assert (ready["status"], ready["model_problem"]) == ("ready", "model_pending")
        going.set()
        await until(lambda: service.models.problem is None)
        watching.cancel()


async def test_without_its_registry_a_scorer_starts_and_takes_the_model_when_it_is_there(tmp_path: Path) -> None:
    """Until then 503, with the reason; nothing has to be restarted."""
    root = tmp_path / "registry"
    root.write_text("no folder yet")
    async with running(tmp_path, with_model=False, model_registry=str(root)) as service:
        answer = await service.client.post("/score", json=EVENT)
        assert (answer.status_code, answer.json()["error"]) == (503, "model_unavailable")
        ready = await service.client.get("/ready")
        assert (ready.status_code, ready.json()["error"]) == (503, "registry_unavailable")
        root.unlink()
        registered = Registered(root)
        registered.point(registered.add(seed=1))
        service.models.look()
        assert (await service.client.post("/score", json=EVENT)).status_code == 200
