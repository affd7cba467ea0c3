"""A log that is too large for objects is trained on in columns, by the same command, to the same model."""

import csv
import json
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.cli import app
from training.columns import fitting, people_sample

ROWS = 2000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log, which a test may declare large."""
    path = tmp_path_factory.mktemp("large") / "log.csv"
    run("simulate", "--rows", ROWS, "--seed", 3, "--out", path)
    return path


def run(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output


def trained(log: Path, place: Path, *more: object) -> dict[str, bytes]:
    run("train", "--input", log, "--model_dir", place, "--key", log.parent / "signing.key", "--json", *more)
    return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.mark.long
def test_where_everybody_is_drawn_the_large_way_gives_the_same_model(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file to the byte, but for the manifest's note on who was drawn; nothing half-made stays."""
    small = trained(log, tmp_path / "small")
    monkeypatch.setattr(people_sample, "WHOLE_LOG_ROWS", ROWS - 1)
    large = trained(log, tmp_path / "large")
    assert large.keys() == small.keys()
    told = {"manifest.json", "manifest.sig", "card.json", "user_geo.json"}
    assert {name for name in small if small[name] != large[name]} <= told
    mine, theirs = json.loads(large["manifest.json"]), json.loads(small["manifest.json"])
    assert f"fitted on all {ROWS} logins of " in mine["notes"][-1]
    assert mine["marks"] == theirs["marks"]
    assert mine["files"]["histories.msgpack"] == theirs["files"]["histories.msgpack"]


def test_some_people_are_fitted_on_and_everybody_has_a_history(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth is not drawn: the histories are those of all people all the same."""
    monkeypatch.setattr(people_sample, "WHOLE_LOG_ROWS", ROWS - 1)
    monkeypatch.setattr(fitting, "sampled_rows", partial(people_sample.sampled_rows, most=ROWS * 4 // 5))
    found = trained(log, tmp_path / "large")
    manifest = json.loads(found["manifest.json"])
    assert manifest["rows"]["used"] == ROWS
    assert manifest["rows"]["fitted"] < ROWS * 4 // 5
    assert found["histories.msgpack"] == trained_whole(log, tmp_path, monkeypatch)["histories.msgpack"]


def trained_whole(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.undo()
    return trained(log, tmp_path / "whole")


def test_labels_teach_a_large_log_as_they_do_a_small_one(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same compromises leave it, the same evidence stands beside the strangers, and the trees are the same."""
    with log.open() as lines:
        rows = list(csv.DictReader(lines))
    labels = log.parent / "labels.jsonl"
    with labels.open("w") as lines:
        for row in rows[ROWS // 2 : ROWS // 2 + 5]:
            moment = datetime.fromisoformat(row["timestamp"]).timestamp()
            said = {"user_id": row["user_id"], "timestamp": moment, "ip": row["ip"], "label": "compromised"}
            lines.write(json.dumps(said) + "\n")
    small = trained(log, tmp_path / "small", "--labels", labels)
    monkeypatch.setattr(people_sample, "WHOLE_LOG_ROWS", ROWS - 6)
    monkeypatch.setattr(fitting, "sampled_rows", partial(people_sample.sampled_rows, most=ROWS))
    large = trained(log, tmp_path / "large", "--labels", labels)
    reports = [json.loads(found["card.json"])["label_report"] for found in (small, large)]
    assert reports[0] == reports[1]
    assert reports[0]["kept_out"] == 5
    assert reports[0]["taught"] > 0
    assert small["histories.msgpack"] == large["histories.msgpack"]
    assert all(small[name] == large[name] for name in small if name.startswith("pairs_"))
