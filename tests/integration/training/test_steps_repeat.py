"""Each step, run alone, repeats to the byte from the same seed and data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import everything_below, run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 2,000 logins."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    assert run("simulate", "--rows", 2000, "--out", path).exit_code == 0
    return path


def steps(log: Path, models: Path, place: Path) -> dict[str, list[object]]:
    """Each step with what it needs, writing below `place`."""
    by_model = ["--input", log, "--model-dir", models, "--public-key", models.parent / "training" / "signing.pub"]
    files = ["--report", place / "report.html", "--json-out", place / "told.json"]
    return {
        "simulate": ["simulate", "--rows", 700, "--seed", 3, "--out", place / "log.csv"],
        "simulate-rba": ["simulate", "--schema", "rba", "--rows", 2000, "--people", 200, "--out", place / "log"],
        "import": ["import", "--input", log, "--out", place / "log.parquet"],
        "score": ["score", *by_model, "--output", place / "scores.parquet"],
        "evaluate": ["evaluate", *by_model, "--from", "2025-08-01", *files],
    }


@pytest.mark.parametrize(
    "name", ["simulate", "simulate-rba", "import", "score", pytest.param("evaluate", marks=pytest.mark.long)]
)
def test_a_step_repeats_to_the_byte(name: str, log: Path, trained_models: Path, tmp_path: Path) -> None:
    """Every file that it writes is the same when it is run again."""
    found = []
    for place in (tmp_path / "once", tmp_path / "again"):
        place.mkdir()
        result = run(*steps(log, trained_models, place)[name])
        assert result.exit_code == 0, result.output
        found.append(everything_below(place))
    assert found[0]
    assert found[0] == found[1]


def test_another_seed_is_another_log(tmp_path: Path) -> None:
    """The seed is what decides."""
    for seed in (3, 4):
        run("simulate", "--rows", 700, "--seed", seed, "--out", tmp_path / f"{seed}.csv")
    assert (tmp_path / "3.csv").read_bytes() != (tmp_path / "4.csv").read_bytes()


@pytest.mark.long
def test_training_repeats_in_another_process(log: Path, tmp_path: Path) -> None:
    """Not even the order in which sets are walked, which differs from process to process, shows in the model."""
    found = []
    for salt in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-c", "from training.cli import main; main()", "train", "--json", "--input", log,
             "--model-dir", tmp_path / salt, "--key", tmp_path / "signing.key"],
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=True,
        )  # fmt: skip
        found.append((everything_below(tmp_path / salt), json.loads(told.stdout)["model_version"]))
    assert found[0] == found[1]
