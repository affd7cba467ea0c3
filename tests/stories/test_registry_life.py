"""A trained model goes through the registry to a running scorer, which answers whatever is done to the registry."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from demo.house import Workplace
from tests.integration.risk_scorer.registered import Registered
from tests.integration.risk_scorer.sabotage import damages
from tests.integration.risk_scorer.service import EVENT
from tests.stories.scorer_process import Scorer, scorer
from training.cli import app

SWAP_SECONDS = 5.0
EVERY_SECONDS = 1 / 50


def test_the_bundled_samples_model_passes_every_gate_but_that_of_its_age(trained_models: Path, tmp_path: Path) -> None:
    """From the trained folder to the active version, by the commands of the tutorial."""
    key = Workplace(trained_models.parent / "demo", trained_models).signing_key
    at = ("--registry", str(tmp_path / "registry"), "--key", str(key), "--json")
    registered = CliRunner().invoke(app, ["register", "--model_dir", str(trained_models), *at])
    assert registered.exit_code == 0, registered.stderr
    version = json.loads(registered.stdout)["model_version"]
    refused = CliRunner().invoke(app, ["promote", version, *at])
    assert refused.exit_code == 3
    assert refused.stderr.startswith("refused gates_not_passed: data_age: ")
    assert "; " not in refused.stderr
    reason = ("--override", "data_age", "--reason", "a drill")
    assert json.loads(CliRunner().invoke(app, ["promote", version, *reason, *at]).stdout)["active"] == version


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Scorer, Registered, httpx2.Client]]:
    """A real process that follows a registry with a good version in use."""
    registered = Registered(tmp_path / "registry")
    registered.point(registered.add(seed=1))
    with scorer(tmp_path, MODEL_REGISTRY=str(registered.root)) as process:
        process.start()
        with process.client(process.credential("score")) as client:
            yield process, registered, client


def ready(client: httpx2.Client) -> dict[str, str | None]:
    found: dict[str, str | None] = client.get("/ready").json()
    return found


def waited(client: httpx2.Client, name: str, wanted: object) -> float:
    """Seconds until `/ready` says so; not more than a swap may take."""
    began = time.monotonic()
    while ready(client)[name] != wanted:
        assert time.monotonic() - began < SWAP_SECONDS, (name, wanted, ready(client))
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.long
def test_a_running_process_survives_every_damage(served: tuple[Scorer, Registered, httpx2.Client]) -> None:
    """It never ends, never answers with another model, and says which was refused."""
    process, registered, client = served
    good = ready(client)["model_version"]
    assert good is not None
    for damage in damages():
        damage.do(registered)
        began = time.monotonic()
        while (problem := ready(client)["model_problem"]) is None:
            assert time.monotonic() - began < SWAP_SECONDS, damage.name
            time.sleep(0.05)
        assert damage.code in (None, problem), damage.name
        answer = client.post("/score", json=EVENT)
        assert (answer.status_code, answer.json()["model_version"]) == (200, good), damage.name
        mend(registered, good)
        waited(client, "model_problem", None)
    assert process.process is not None
    assert process.process.poll() is None


def mend(registered: Registered, good: str) -> None:
    """A registry with the good version alone, pointed at anew."""
    shutil.rmtree(registered.root / "versions")
    aside = registered.root / "aside"
    if aside.is_dir():
        shutil.rmtree(aside)
    aside.unlink(missing_ok=True)
    (registered.root / "pointers" / "active.json").unlink()
    assert registered.add(seed=1) == good
    registered.point(good)


@pytest.mark.long
def test_swaps_of_a_process_under_load_lose_nothing(served: tuple[Scorer, Registered, httpx2.Client]) -> None:
    """A hundred of them, at fifty requests a second; each within five seconds of its promotion."""
    process, registered, client = served
    versions = [registered.add(seed) for seed in (2, 3)]
    stop, statuses = threading.Event(), []

    def ask() -> None:
        with process.client(process.credential("score", name="load")) as asking:
            while not stop.is_set():
                began = time.monotonic()
                statuses.append(asking.post("/score", json=EVENT).status_code)
                stop.wait(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))

    load = threading.Thread(target=ask)
    load.start()
    took = []
    for number in range(100):
        registered.point(versions[number % 2])
        took.append(waited(client, "model_version", versions[number % 2]))
    stop.set()
    load.join()
    assert set(statuses) == {200}
    print(f"{len(statuses)} answers, slowest swap {max(took):.2f} s")
