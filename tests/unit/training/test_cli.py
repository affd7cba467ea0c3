"""The command line: one clear line and a stable exit status for everything that can be asked of it wrongly."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from training.cli import app

DATA = Path(__file__).resolve().parents[2] / "data"
LOG = DATA / "rba_minutes_only.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_declined(result: Result, code: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error {code}: ")
    assert len(result.stderr.splitlines()) == 1


def test_simulate_writes_and_counts(tmp_path: Path) -> None:
    """The file is there, and the counts by label are told."""
    result = run("simulate", "--rows", 600, "--seed", 3, "--out", tmp_path / "log.csv", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert sum(told["by_label"].values()) == told["rows"] == 600
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 601


def test_import_tells_drops_and_absent_columns(tmp_path: Path) -> None:
    """A person reads how many rows went, why, and what the log lacks."""
    result = run("import", "--input", LOG, "--out", tmp_path / "log.parquet")
    assert result.exit_code == 0
    assert "bad_ip 1" in result.stdout
    assert "ja4" in result.stdout
    assert "mm:ss" in result.stdout


@pytest.mark.parametrize("rows", ["-5", "0"])
def test_impossible_sizes_are_declined(tmp_path: Path, rows: str) -> None:
    """No file is written for a world that cannot be."""
    assert_declined(run("simulate", "--rows", rows, "--out", tmp_path / "log.csv"), "bad_row_count")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "no_such_file"),
        (b"", "empty_file"),
        (b"\0\1\2" * 50, "unreadable_file"),
        (b"a,b\n1,2\n", "unknown_columns"),
        (b"timestamp,user_id,ip\nsoon,ann,nowhere\n", "unknown_columns"),
    ],
)
@pytest.mark.parametrize("command", ["import", "train"])
def test_files_that_are_no_log_are_declined(tmp_path: Path, command: str, content: bytes | None, code: str) -> None:
    """Every command that reads a log says the same about a file that is none, and writes nothing."""
    log = tmp_path / "log"
    if content is not None:
        log.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    target = {
        "import": ["--out", tmp_path / "out"],
        "train": ["--model_dir", tmp_path / "models", "--key", tmp_path / "key"],
    }
    assert_declined(run(command, "--input", log, *target[command]), code)
    assert sorted(tmp_path.iterdir()) == before


def test_an_empty_folder_is_no_log(tmp_path: Path) -> None:
    """A slip of the path is told as what it is."""
    assert_declined(run("import", "--input", tmp_path, "--out", tmp_path / "out"), "empty_folder")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--until", "tomorrow"], "bad_date"),
        (["--until", "9999-12-31T23:59:59-14:00"], "bad_date"),
        (["--until", "0001-01-01T00:00:00+14:00"], "bad_date"),
        (["--until", "2020-02-03T12:58:10Z"], "no_usable_rows"),
        (["--until", "2031-01-01"], "until_after_log"),
        (["--model_dir", LOG], "unwritable_output"),
        (["--model-dir", "models", "--key", "models/signing.key"], "key_in_model_dir"),
        (["--key", "."], "unwritable_output"),
    ],
)
def test_training_declines_what_cannot_be_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[object], code: str
) -> None:
    """Dates outside the log, a key beside the model, a file in place of the folder: told before any work."""
    monkeypatch.chdir(tmp_path)
    assert_declined(run("train", "--input", LOG, *options), code)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--labels", LOG],
        ["--scores", LOG],
        ["--input", LOG, "--labels", LOG],
        ["--input", LOG, "--labels", LOG, "--scores", LOG],
    ],
)
def test_evaluate_takes_one_of_two_ways(arguments: list[object]) -> None:
    """Labels with scores, or a log with a model; anything else is a question."""
    assert_declined(run("evaluate", *arguments), "usage")


def test_scoring_without_a_model_is_declined(tmp_path: Path) -> None:
    """There is nothing to score with, and nothing is written."""
    result = run("score", "--input", LOG, "--model_dir", tmp_path / "models", "--output", tmp_path / "scores.parquet")
    assert_declined(result, "no_model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["simulate"], ["train", "--input"], ["import", "--nonsense"], ["no-such-command"]]
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    """The same status as any other wrong input."""
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("seed", ["-1", "4294967296", "seven"])
def test_a_seed_is_one_that_every_library_takes(tmp_path: Path, seed: str) -> None:
    """A seed outside 32 bits is a usage error, not a crash minutes later."""
    assert run("simulate", "--rows", 500, "--seed", seed, "--out", tmp_path / "log.csv").exit_code == 2


def test_a_cluster_is_named_for_spark_alone(tmp_path: Path) -> None:
    """`--master` beside DuckDB is a slip that would train somewhere else than was meant."""
    assert_declined(run("train", "--input", LOG, "--model_dir", tmp_path / "m", "--master", "local[2]"), "usage")


def test_spark_that_is_not_installed_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 4: nothing is wrong with the log; the line says what to install."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    result = run("train", "--input", LOG, "--model_dir", tmp_path / "m", "--key", tmp_path / "k", "--engine", "spark")
    assert result.exit_code == 4
    assert result.stderr == "error engine_missing: --engine spark needs PySpark: install riskgate[spark]\n"
