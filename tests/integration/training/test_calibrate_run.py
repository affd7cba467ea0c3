"""`risk-training calibrate`: a new signed version of a model with other marks, found on logins that came later."""

import csv
import datetime
import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from risk_scorer.adapters.model_store import read_files
from risk_scorer.core.artefact import MANIFEST, REFERENCE, SIGNATURE
from risk_scorer.core.card import CARD, decode
from tests.commands import full_disk
from training.cli import app
from training.scoring_run import Judge, opened_model
from training.sources import read_events

SPLIT = "2025-06-15"
ROOM = 64 << 20
"""More than a file of this model takes."""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log that names clients, a model of its first half, and a calibration on the rest."""
    folder = tmp_path_factory.mktemp("calibrate")
    assert run("simulate", "--rows", 2500, "--seed", 5, "--out", folder / "plain.csv").exit_code == 0
    rows = _rows(folder / "plain.csv")
    clients = ("rare", *(("shop", "bank") * 12))
    _written(folder / "log.csv", [{**row, "client_id": clients[number % 25]} for number, row in enumerate(rows)])
    model = ("--model_dir", folder / "models", "--key", folder / "keys" / "signing.key")
    assert run("train", "--input", folder / "log.csv", "--until", SPLIT, *model).exit_code == 0
    result = calibrate(folder, "--out", folder / "calibrated", "--by", "ann", "--reason", "a month later", "--json")
    assert result.exit_code == 0, result.output
    (folder / "told.json").write_text(result.stdout)
    return folder


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _written(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def calibrate(folder: Path, *more: object, log: str = "log.csv", model: str = "models") -> Result:
    keys = ("--public-key", folder / "keys" / "signing.pub", "--key", folder / "keys" / "signing.key")
    return run("calibrate", "--input", folder / log, "--model-dir", folder / model, *keys, *more)


@pytest.fixture(scope="module")
def told(place: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((place / "told.json").read_text())
    return facts


def opened(place: Path, folder: str) -> Any:
    return opened_model(Judge(place / folder, place / "keys" / "signing.pub"))


def test_the_new_version_differs_in_its_words_alone(place: Path) -> None:
    """Same arrays and histories; another manifest, signature and version, and other counts at the marks."""
    old, new = read_files(place / "models"), read_files(place / "calibrated")
    assert {name for name in old | new if old.get(name) != new.get(name)} == {MANIFEST, SIGNATURE, REFERENCE, CARD}
    before, after = opened(place, "models").reference, opened(place, "calibrated").reference
    assert after.spreads == before.spreads
    mark = opened(place, "calibrated").manifest.marks["step_up"]
    assert after.prompted == round(after.logins * mark.prompted / mark.logins)
    assert opened(place, "models").version != opened(place, "calibrated").version


def test_the_model_says_where_its_marks_come_from(place: Path, told: dict[str, Any]) -> None:
    """The version it was, the logins by digest and span, and what both marks did to them before and after."""
    [change] = opened(place, "calibrated").manifest.calibrations
    assert change.of == opened(place, "models").version == told["of"]
    assert change.span.first >= opened(place, "models").manifest.span.last
    for name in ("step_up", "deny"):
        assert change.before[name].prompted == told["marks"][name]["before"]["prompted"]
        assert change.after[name].evidence == told["marks"][name]["after"]["evidence"]


def test_the_card_tells_what_the_new_marks_do(place: Path, told: dict[str, Any]) -> None:
    """On the logins that they were found on, by group too, with the version that it was; so that gates can read it."""
    old, new = (decode(read_files(place / folder)[CARD]) for folder in ("models", "calibrated"))
    assert (new.lineage.parent, new.lineage.data_sha256) == (told["of"], old.lineage.data_sha256)
    assert new.span == old.span
    assert new.held_out.first >= old.span.last
    [step_up, deny] = new.false_positives
    assert step_up.rate.count == told["marks"]["step_up"]["after"]["prompted"]
    assert step_up.upper <= step_up.budget == 0.02
    assert deny.is_extrapolated
    assert sum(rate.of for rate in new.groups["country"].values()) == told["held_out"]["logins"]
    assert set(new.groups) == {"past", "country", "device_type", "browser"}
    assert new.strangers["naive"].count == told["at_marks"]["step_up"]["recall"]["simulated naive"]["count"]
    assert new.lineage.command[:3] == ("calibrate", "--seed", "7")


def test_what_people_found_to_be_a_compromise_is_an_attack(place: Path) -> None:
    """It is nobody's own login, teaches nothing, and its recall is told and put on the card."""
    rows = [row for row in _rows(place / "log.csv") if row["timestamp"] >= SPLIT and row["success"] == "true"]
    row = next(row for row in rows if not row["label"])
    moment = datetime.datetime.fromisoformat(row["timestamp"]).timestamp()
    label = {"user_id": row["user_id"], "timestamp": moment, "ip": row["ip"], "label": "compromised"}
    (place / "labels.jsonl").write_text(json.dumps(label) + "\n")
    asked = ("--labels", place / "labels.jsonl", "--out", place / "with-labels", "--json")
    facts = json.loads(calibrate(place, *asked).stdout)
    before = json.loads((place / "told.json").read_text())
    assert facts["held_out"]["attacks"]["confirmed compromise"] == 1
    assert facts["held_out"]["logins"] == before["held_out"]["logins"] - 1
    compromises = decode(read_files(place / "with-labels")[CARD]).compromises
    assert compromises is not None
    assert compromises.of == 1


def test_the_budget_holds_among_later_logins_by_the_scores_themselves(place: Path, told: dict[str, Any]) -> None:
    """As many held-out logins reach 60 under the new version as the calibration said, and their bound is 2 %."""
    again = calibrate(place, "--json", model="calibrated", log="log.csv")
    before = json.loads(again.stdout)["marks"]["step_up"]["before"]
    assert before["prompted"] == told["marks"]["step_up"]["after"]["prompted"]
    assert before["bound"] <= 0.02
    assert told["held_out"]["logins"] == before["logins"] > 500


def test_the_same_log_and_seed_give_the_same_bytes(place: Path) -> None:
    """Who ran it and when is beside the key, not in the model."""
    assert calibrate(place, "--out", place / "again", "--by", "bob").exit_code == 0
    assert read_files(place / "again") == read_files(place / "calibrated")


def test_history_tells_who_when_and_why(place: Path) -> None:
    """Signed lines, the oldest first."""
    keys = ("--public-key", place / "keys" / "signing.pub", "--key", place / "keys" / "signing.key")
    result = run("calibrate", "--history", "--model-dir", place / "calibrated", *keys, "--json")
    first = json.loads(result.stdout)["history"][0]
    assert (first["by"], first["reason"], first["is_signed"]) == ("ann", "a month later", True)
    assert first["model_version"] == opened(place, "calibrated").version
    assert "a month later" in run("calibrate", "--history", "--model-dir", place / "calibrated", *keys).stdout


def test_each_client_gets_marks_for_the_policy_document(place: Path) -> None:
    """The written TOML has those whose logins are enough, with the version that they were found for."""
    asked = ("--per", "client_id", "--budget-of", "bank=0.05", "--marks-out", place / "marks.toml")
    result = calibrate(place, *asked, "--out", place / "by-client")
    assert result.exit_code == 0, result.output
    written = {entry["client"]: entry for entry in tomllib.loads((place / "marks.toml").read_text())["marks"]}
    assert set(written) == {"bank", "shop"}
    assert "rare: " in result.stdout
    assert written["bank"]["model"] == opened(place, "by-client").version
    card = decode(read_files(place / "by-client")[CARD])
    assert {"bank", "shop"} <= set(card.groups["client_id"])
    assert not any("by application" in line for line in card.not_tested)


def test_without_a_place_nothing_is_published(place: Path) -> None:
    """The marks are told; neither the model nor the history changes."""
    history = place / "keys" / "calibrations.jsonl"
    before = (read_files(place / "models"), history.read_bytes())
    assert "nothing was published" in calibrate(place, "--budget", "0.05").stdout
    assert (read_files(place / "models"), history.read_bytes()) == before


def test_a_log_without_labels_counts_every_success(place: Path) -> None:
    """It is said; strangers drawn from the log are what recall is told of."""
    rows = _rows(place / "log.csv")
    _written(place / "bare.csv", [{name: row[name] for name in row if name != "label"} for row in rows])
    facts = json.loads(calibrate(place, "--json", log="bare.csv").stdout)
    assert any("no labels" in note for note in facts["notes"])
    assert all(name.startswith("simulated ") for name in facts["held_out"]["attacks"])


def test_later_logins_alone_are_held_against_what_the_model_knows(place: Path) -> None:
    """A log that begins after the training meets the model's histories: its people are no strangers."""
    rows = _rows(place / "log.csv")
    _written(place / "later.csv", [row for row in rows if row["timestamp"] >= SPLIT])
    assert len(read_events(place / "later.csv")) < len(rows)
    later = json.loads(calibrate(place, "--json", log="later.csv").stdout)
    whole = json.loads((place / "told.json").read_text())
    assert later["held_out"]["logins"] == whole["held_out"]["logins"]
    assert later["marks"]["step_up"]["after"]["evidence"] == pytest.approx(
        whole["marks"]["step_up"]["after"]["evidence"], abs=1.0
    )


@pytest.mark.parametrize(
    ("more", "code", "status"),
    [
        (("--budget", "0"), "bad_budget", 2),
        (("--budget", "nan"), "bad_budget", 2),
        (("--per", "client_id", "--budget-of", "bank"), "bad_budget", 2),
        (("--per", "client_id", "--budget-of", "bank=9"), "bad_budget", 2),
        (("--per", "client_id", "--budget-of", "nobody=0.05"), "unknown_group", 2),
        (("--per", "shoe_size"), "unknown_columns", 2),
        (("--marks-out", "m.toml"), "usage", 2),
        (("--from", "soon"), "bad_date", 2),
        (("--by", "\udcff"), "bad_text", 2),
        (("--reason", "x" * 1001), "long_reason", 2),
        (("--from", "2031-01-01"), "too_few_logins", 3),
        (("--budget", "0.0011"), "too_few_logins", 3),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(place: Path, more: tuple[str, ...], code: str, status: int) -> None:
    """A stable code, and nothing is written."""
    result = calibrate(place, "--out", place / "never", *more)
    assert (result.exit_code, result.stdout) == (status, "")
    assert f"{code}: " in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (place / "never").exists()


def test_places_that_cannot_be_used_are_said_before_the_work(place: Path) -> None:
    """No key, the key within the model's folder, a file for a folder, no model at all, no input."""
    model = ("--model-dir", place / "models", "--public-key", place / "keys" / "signing.pub")
    asked = ("calibrate", "--input", place / "log.csv", *model)
    key = place / "keys" / "signing.key"
    assert "no_signing_key" in run(*asked, "--out", place / "x", "--key", place / "none.key").stderr
    assert "key_in_model_dir" in run(*asked, "--out", place / "keys", "--key", key).stderr
    assert "unwritable_output" in run(*asked, "--out", place / "log.csv", "--key", key).stderr
    assert "no_model" in calibrate(place, model="nowhere").stderr
    assert "usage" in run("calibrate").stderr


def test_a_full_disk_leaves_nothing(place: Path) -> None:
    """Neither half a model nor a line about it."""
    before = (place / "keys" / "calibrations.jsonl").read_bytes()
    with full_disk(2000):
        result = calibrate(place, "--out", place / "full")
    assert (result.exit_code, "unwritable_output" in result.stderr) == (2, True)
    assert list((place / "full").iterdir()) == []
    assert (place / "keys" / "calibrations.jsonl").read_bytes() == before


def test_a_history_that_cannot_be_written_is_said(place: Path) -> None:
    """What is no file before the work; a disk that fills up after it, when the model is there."""
    keys = place / "other-keys"
    shutil.copytree(place / "keys", keys)
    key = ("--key", keys / "signing.key", "--public-key", keys / "signing.pub")
    asked = ("calibrate", "--input", place / "log.csv", "--model-dir", place / "models", *key)
    (keys / "calibrations.jsonl").unlink()
    (keys / "calibrations.jsonl").mkdir()
    assert "unwritable_output" in run(*asked, "--out", place / "unsaid").stderr
    assert not (place / "unsaid").exists()
    (keys / "calibrations.jsonl").rmdir()
    (keys / "calibrations.jsonl").write_bytes(b"")
    os.truncate(keys / "calibrations.jsonl", ROOM)
    with full_disk(ROOM):
        result = run(*asked, "--out", place / "unsaid")
    assert (keys / "calibrations.jsonl").stat().st_size == ROOM
    assert (result.exit_code, "history_unwritable" in result.stderr) == (2, True)
    assert opened(place, "unsaid").version == opened(place, "calibrated").version


def test_a_log_that_the_model_was_trained_on_is_no_later_one(place: Path) -> None:
    """It is refused; whoever insists by --from is told that the figures flatter."""
    rows = _rows(place / "log.csv")
    _written(place / "trained.csv", [row for row in rows if row["timestamp"] < SPLIT])
    assert "nothing_to_judge" in calibrate(place, log="trained.csv").stderr
    insisted = calibrate(place, "--from", "2025-05-20", "--budget", "0.03")
    assert "flatter" in insisted.stdout, insisted.output
