"""`risk-training drift`: a log, or what scorers counted, held against a model; one object, one page, one status."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from plumbing.clock import FixedClock
from risk_scorer.adapters.drift_rows import BEGIN_DAY, DriftRows
from risk_scorer.adapters.storage import open_database
from risk_scorer.core.artefact import load
from risk_scorer.core.reference import HEAD, width
from tests.commands import run
from tests.integration.risk_scorer.published import PUBLIC_KEY, model_files, publish_model
from tests.unit.risk_scorer.core.watched import REFERENCE

DAY = 86_400.0
NOW = 1_760_000_000.0


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log, labelled and invented as the sample is."""
    path = tmp_path_factory.mktemp("log") / "log.csv"
    assert run("simulate", "--rows", 2000, "--seed", 11, "--out", path).exit_code == 0
    return path


@pytest.fixture
def by_model(trained_models: Path) -> list[object]:
    """The options that name the sample's model."""
    return ["--model", trained_models, "--public-key", trained_models.parent / "training" / "signing.pub"]


def told(*arguments: object) -> dict[str, Any]:
    result = run("drift", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_log_is_held_against_the_model(log: Path, by_model: list[object], tmp_path: Path) -> None:
    """Other people come from places that it never saw; the page is one file without anything from elsewhere."""
    page = tmp_path / "drift.html"
    found = told("--input", log, "--from", "2025-01-01", *by_model, "--report", page)
    assert found["logins"] > 1000
    assert "unknown_prefix" in found["past"]
    assert found["is_past"]
    assert found["raw_distances"] == {}
    text = page.read_text(encoding="utf-8")
    assert "a value of prefix that nobody had" in text
    assert "<svg" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    again = told("--input", log, "--from", "2025-01-01", *by_model, "--report", page)
    assert (again, page.read_text(encoding="utf-8")) == (found, text)


def test_an_alarm_is_a_status_of_its_own_when_asked_for(log: Path, by_model: list[object]) -> None:
    """For a job that runs at night; without --fail whatever is found is success."""
    result = run("drift", "--input", log, "--from", "2025-01-01", *by_model, "--fail")
    assert result.exit_code == 3
    assert result.stderr.startswith("refused drift: past their marks: ")


def test_the_models_own_log_is_compared_value_by_value(root: Path, by_model: list[object]) -> None:
    """Its held-out part is in it, so each value can be held against it."""
    found = told("--input", root / "data" / "sample_logins.csv", "--from", "2025-08-06", *by_model)
    assert set(found["raw_distances"]) == {"score", *(each["name"] for each in found["features"])}
    assert all(0.0 <= each["distance"] <= 1.0 for each in found["raw_distances"].values())


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A scorer's database in which a model counted a thousand logins yesterday, one in ten of them prompted."""
    publish_model(tmp_path / "models", reference=REFERENCE)
    model = load(model_files(reference=REFERENCE), [PUBLIC_KEY])
    (tmp_path / "key.pub").write_bytes(PUBLIC_KEY)
    url = f"sqlite:///{tmp_path}/scorer.db"
    opened = open_database(url)
    counts = np.zeros(width(REFERENCE), np.int64)
    counts[:3] = 1000, 100, 0
    start = HEAD + 14
    for name in ("hour", "ip_rep", "score"):
        bins = np.array(REFERENCE.spreads[name].counts) * 10
        counts[start : start + len(bins)] = bins
        start += len(bins)
    row = {"model_version": model.version, "counts": msgspec.msgpack.encode(counts.tolist())}
    opened.write_sync(lambda tx: tx.run(BEGIN_DAY, **row, day=int(NOW // DAY) - 1))
    assert DriftRows(opened, clock=FixedClock(NOW), announce_to=None, wake_delivery=lambda: None)
    opened.close()
    return url


def in_database(url: str, place: Path, *more: object, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("plumbing.clock.SystemClock.now", lambda _: NOW)
    return run(
        "drift", "--database", url, "--model", place / "models", "--public-key", place / "key.pub", "--json", *more
    )


def test_what_scorers_counted_is_read_from_their_database(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they would say it themselves; nothing is written."""
    before = (tmp_path / "scorer.db").read_bytes()
    result = in_database(database, tmp_path, monkeypatch=monkeypatch)
    found = json.loads(result.stdout)
    assert (found["logins"], found["past"], found["source"]) == (1000, ["step_up_budget"], "scorer.db")
    assert (found["score"]["psi"], found["ip_data_days"]) == (pytest.approx(0.0, abs=0.02), None)
    assert (tmp_path / "scorer.db").read_bytes() == before


def test_days_before_the_window_do_not_count(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today alone has nothing."""
    result = in_database(database, tmp_path, "--days", 1, monkeypatch=monkeypatch)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error nothing_counted")


def test_a_model_without_a_reference_is_declined(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do about it."""
    publish_model(tmp_path / "models")
    (tmp_path / "models" / "reference.json").unlink()
    result = in_database(database, tmp_path, monkeypatch=monkeypatch)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error no_reference")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "usage"),
        (["--input", "LOG", "--database", "sqlite:///x.db"], "usage"),
        (["--database", "sqlite:///x.db", "--from", "2025-01-01"], "usage"),
        (["--input", "LOG", "--report", "."], "unwritable_output"),
        (["--input", "LOG", "--from", "one day"], "bad_date"),
        (["--input", "LOG", "--from", "2031-01-01"], "nothing_to_judge"),
        (["--input", "nowhere.csv"], "no_such_file"),
        (["--database", "sqlite:///nowhere.db"], "no_such_file"),
        (["--database", "mysql://nowhere"], "bad_source"),
        (["--input", "LOG", "--model", "nowhere"], "no_model"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[object], code: str, log: Path, by_model: list[object]) -> None:
    """And status 2."""
    given = [log if each == "LOG" else each for each in arguments]
    result = run("drift", *by_model, *given)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, f"error {code}"), result.output
    assert len(result.stderr.splitlines()) == 1
