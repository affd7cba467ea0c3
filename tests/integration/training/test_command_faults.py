"""What the machine does to a command: no room, a place that cannot be written, Ctrl-C. Nothing half-written stays."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyarrow import parquet

import training.fit
from tests.commands import assert_declined, everything_below, full_disk, run, run_interrupted
from training.publish import publish, signing_key

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 2,000 logins."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    assert run("simulate", "--rows", 2000, "--out", path).exit_code == 0
    return path


@pytest.fixture
def writers(log: Path, trained_models: Path, tmp_path: Path) -> dict[str, list[object]]:
    """Commands with all that they need, which write below `tmp_path`."""
    out = tmp_path / "out"
    key = trained_models.parent / "training" / "signing.pub"
    by_model = ["--input", log, "--model-dir", trained_models, "--public-key", key]
    judged = ["evaluate", *by_model, "--from", "2025-08-01"]
    return {
        "simulate": ["simulate", "--rows", 600, "--out", out / "log.csv"],
        "import": ["import", "--input", log, "--out", out / "log.parquet"],
        "score": ["score", *by_model, "--output", out / "scores.parquet"],
        "evaluate-report": [*judged, "--report", out / "report.html"],
        "evaluate-json": [*judged, "--json-out", out / "told.json"],
        "train": ["train", "--input", log, "--model-dir", out / "models", "--key", out / "signing.key"],
    }


WRITERS = [
    "simulate",
    "import",
    "score",
    "evaluate-json",
    pytest.param("evaluate-report", marks=pytest.mark.long),
]


@pytest.mark.parametrize("name", [*WRITERS, pytest.param("train", marks=pytest.mark.long)])
def test_a_full_disk_is_said_and_leaves_nothing(name: str, writers: dict[str, list[object]], tmp_path: Path) -> None:
    """A file that cannot be finished is not begun: one line, status 2, no draft."""
    with full_disk(64):
        result = run(*writers[name])
    assert_declined(result)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ([] if name != "train" else ["signing.key", "signing.pub"])


def test_a_key_that_cannot_be_finished_is_not_begun(tmp_path: Path) -> None:
    """Half a key would be in the way of every later training."""
    with full_disk(10), pytest.raises(OSError, match="File too large"):
        signing_key(tmp_path / "signing.key")
    assert everything_below(tmp_path) == {}


def test_a_model_that_does_not_fit_leaves_the_one_that_is_there(tmp_path: Path) -> None:
    """Publishing onto a full disk changes nothing."""
    model = {"arrays.bin": b"old", "manifest.json": b"{}", "manifest.sig": b"{}"}
    publish(model, tmp_path)
    with full_disk(64), pytest.raises(OSError, match="File too large"):
        publish(model | {"arrays.bin": b"new", "manifest.json": b"." * 65}, tmp_path)
    assert everything_below(tmp_path) == model


@pytest.mark.parametrize("name", [*WRITERS, "train"])
def test_a_place_that_cannot_be_written_is_said(name: str, writers: dict[str, list[object]], tmp_path: Path) -> None:
    """Where the folder should be stands a file: one line, status 2, and the file stays what it is."""
    (tmp_path / "out").write_text("mine")
    assert_declined(run(*writers[name]))
    assert everything_below(tmp_path) == {"out": b"mine"}


@pytest.mark.parametrize("milliseconds", [2, 20, 60, 150])
@pytest.mark.parametrize("name", ["simulate", "import", "train"])
def test_ctrl_c_leaves_nothing_half_written(
    name: str, milliseconds: int, writers: dict[str, list[object]], tmp_path: Path
) -> None:
    """Wherever it comes, the command ends with 130 and one line, and what is in place is whole or not there."""
    assert training.fit, "half a library would be left to the tests that follow"
    status, out, err = run_interrupted(*writers[name], after_seconds=milliseconds / 1000)
    if status != 0:
        assert (status, out) == (130, "")
        assert err.splitlines()[-1] == "interrupted: nothing unfinished was put in place"
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if path.name.startswith(".")] == []
    for path in left:
        assert (parquet.read_metadata(path).num_rows == 2000) if path.suffix == ".parquet" else path.stat().st_size


@pytest.mark.long
@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_process_that_is_told_to_end_tidies_up(sent: int, status: int, log: Path, tmp_path: Path) -> None:
    """A real process, stopped while it trains, ends soon, with the signal's status and without a model."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from training.cli import main; main()", "train", "--input", log,
         "--model-dir", tmp_path / "models", "--key", tmp_path / "signing.key"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(3)
    process.send_signal(sent)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, b"")
    assert everything_below(tmp_path) == {}
