"""The scorer and its session model: found, followed, refused without losing the last good one, asked by /predict."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.activity.session_models import (
    NoSource,
    SessionModelFolder,
    SessionModelRegistry,
    SessionModels,
)
from risk_scorer.adapters.registry_places import place_at
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.core.registry import SESSION
from risk_scorer.core.session_model.model import SEQUENCE_NAME, WINDOW_NAME
from tests.integration.risk_scorer.service import Running, running
from tests.integration.training.session_models import (
    ALL_GATES,
    WHY,
    another_version,
    on,
    registered,
    run,
    small_model,
)

NOW = 1_760_000_000.0
NIGHT = {
    "user_id": 123, "event_type": "login", "session_duration_sec": 18_000, "events_in_session": 190, "hour_of_day": 2,
    "day_of_week": 1, "device_type": "desktop",
}  # fmt: skip
CALM = {**NIGHT, "user_id": "ann", "session_duration_sec": 300, "events_in_session": 10, "hour_of_day": 10}

NOTICE = {"session_id": "ses-1", "user_id": "alice", "state": "started", "at": NOW - 60, "client_id": "shop"}


def event(number: int) -> dict[str, object]:
    """One thing that alice does in her session."""
    done = {"timestamp": NOW - 50 + number, "endpoint": f"/orders/{number}", "status_code": 200, "service": "shop"}
    return {"identity": {"user_id": "alice", "session_id": "ses-1"}, "event": done}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    made = small_model()
    settings = {"session_model_dir": made.folder, "model_public_keys": str(made.public_key)}
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW), **settings) as found:
        await answered(found)
        yield found


@pytest.mark.anyio
async def test_predict_takes_and_answers_what_the_reference_shows(service: Running) -> None:
    """One row or a list, a person's number or name; three fields, and whose habits it was held against."""
    one = await service.client.post("/predict", json=NIGHT)
    assert one.status_code == 200, one.text
    assert one.json() | {"anomaly_score": 0} == {
        "anomaly_score": 0, "is_anomaly": True, "threshold_percentile": 0.98, "baseline": "everyone"
    }  # fmt: skip
    many = (await service.client.post("/predict", json=[NIGHT, CALM])).json()
    assert many[0] == one.json()
    assert [each["is_anomaly"] for each in many] == [True, False]


@pytest.mark.anyio
async def test_an_assessment_tells_the_likelihood_and_the_model_whose_scale_it_is(service: Running) -> None:
    """The learned detectors take part, the answer names the session model, and how a session stands says the same."""
    await service.client.post("/sessions", json=NOTICE)
    for number in range(4):
        told = (await service.client.post("/assess", json=event(number))).json()
        standing = (await service.client.post("/score-session", json={"session_id": "ses-1"})).json()
        assert standing["attack_likelihood"] == told["attack_likelihood"]
    assert told["model_version"] == f"model {small_model().told['model_version']}"
    assert 0.0 < told["attack_likelihood"] < 1.0
    assert WINDOW_NAME in told["unknown"]
    assert SEQUENCE_NAME not in told["unknown"]


@pytest.mark.anyio
async def test_without_a_session_model_predict_is_unavailable_and_all_else_goes_on(tmp_path: Path) -> None:
    """503 with a code, and an assessment without a likelihood."""
    async with running(tmp_path, with_model=False, clock=FixedClock(NOW)) as service:
        refused = await service.client.post("/predict", json=NIGHT)
        assert (refused.status_code, refused.json()["error"]) == (503, "model_unavailable")
        await service.client.post("/sessions", json=NOTICE)
        assert (await service.client.post("/assess", json=event(0))).json()["attack_likelihood"] is None


def test_a_damaged_model_is_refused_and_the_last_good_one_answers(tmp_path: Path) -> None:
    """With the code of what is wrong; put right, it is taken without a restart."""
    folder = shutil.copytree(small_model().folder, tmp_path / "model")
    models = SessionModels(SessionModelFolder(folder, [str(small_model().public_key)]))
    models.reload()
    good = models.current()
    assert good is not None
    (folder / "forest_path.npy").write_bytes(b"nothing")
    (folder / "manifest.sig").touch()
    models.look()
    assert (models.problem, models.current()) == ("hash_mismatch", good)
    shutil.copy(small_model().folder / "forest_path.npy", folder / "forest_path.npy")
    models.look()
    assert models.problem is None


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig"])
def test_what_nobody_trusted_signed_is_never_used(name: str, tmp_path: Path) -> None:
    """Without a good one before there is none, and the code says why."""
    folder = shutil.copytree(small_model().folder, tmp_path / "model")
    (folder / name).write_bytes((folder / name).read_bytes()[:-20])
    models = SessionModels(SessionModelFolder(folder, [str(small_model().public_key)]))
    models.reload()
    assert models.current() is None
    assert models.problem == "bad_signature"


def test_no_place_is_no_problem() -> None:
    """Who names none has none, and nothing is refused."""
    models = SessionModels(NoSource())
    models.reload()
    models.look()
    assert (models.current(), models.problem) == (None, None)


def test_a_scorer_follows_the_registrys_session_pointer(tmp_path: Path) -> None:
    """A promoted version is taken, the next one too; an old pointer that is put back is not believed."""
    made, version = registered(tmp_path / "registry")
    promote = on(made, tmp_path / "registry", "--key", made.key, *ALL_GATES, *WHY)
    run("promote", version, *promote)
    keys, address = [str(made.public_key)], str(tmp_path / "registry")
    pointed = RegistrySource(place_at(address), keys, address=address, seen=SeenPointers(None), pointer=SESSION)
    models = SessionModels(SessionModelRegistry(pointed, keys))
    models.reload()
    assert models.version == version
    pointer = tmp_path / "registry" / "pointers" / "session.json"
    before = pointer.read_bytes()
    other = another_version(made, tmp_path / "registry")
    run("promote", other, *promote)
    models.look()
    assert models.version == other
    pointer.write_bytes(before)
    models.look()
    assert (models.version, models.problem) == (other, "pointer_replayed")


async def answered(service: Running) -> None:
    """Waits until the model is in use."""
    async with asyncio.timeout(20):
        while (await service.client.post("/predict", json=NIGHT)).status_code != 200:  # noqa: ASYNC110 - it follows files
            await asyncio.sleep(0.02)
