"""From a log to a signed model to scores, by the commands that engineers run."""

import datetime
import json
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from training.cli import app

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small log and a model trained on it."""
    folder = tmp_path_factory.mktemp("training")
    assert run("simulate", "--rows", 6000, "--seed", 11, "--out", folder / "log.csv").exit_code == 0
    trained = train(folder, "--registry", folder / "registry", "--by", "ann", "--reason", "nightly")
    assert trained.exit_code == 0, trained.output
    (folder / "told.json").write_text(trained.stdout)
    return folder


def train(folder: Path, *more: object, log: str = "log.csv") -> Result:
    return run(
        "train",
        "--input",
        folder / log,
        "--model_dir",
        folder / "models",
        "--key",
        folder / "signing.key",
        "--json",
        *more,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_model_has_every_promised_file(place: Path) -> None:
    """The names that others rely on are there, and the private key is not among them."""
    names = {path.name for path in (place / "models").iterdir()}
    assert {"model.joblib", "encoders.json", "user_geo.json", "manifest.json", "manifest.sig"} <= names
    assert (place / "signing.key").stat().st_mode & 0o077 == 0
    assert not any("key" in name for name in names)


def test_one_command_makes_a_candidate_of_a_log(place: Path) -> None:
    """It is registered with its card, by whom and why, and decides nothing before somebody promotes it."""
    told = json.loads((place / "told.json").read_text())
    assert (told["registry"], told["is_new"]) == (str(place / "registry"), True)
    at = ("--registry", place / "registry", "--public-key", place / "signing.pub", "--json")
    shown = json.loads(run("show", told["model_version"], *at).stdout)
    acts = [(line["kind"], line["by"], line["reason"]) for line in shown["journal"]]
    assert (shown["state"], acts) == ("registered", [("register", "ann", "nightly")])


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        (("--reason", "why"), 2, "error usage"),
        (("--registry", "{place}/log.csv"), 2, "error bad_registry"),
        (("--registry", "nosuch://place"), 2, "error bad_registry"),
        (("--registry", "{place}/registry", "--reason", "x" * 1001), 2, "error long_reason"),
        (("--registry", "{place}/registry", "--key", "{place}/another.key"), 3, "refused untrusted_key"),
    ],
)
def test_what_keeps_a_candidate_from_its_registry_is_said_before_the_training(
    place: Path, more: tuple[str, ...], status: int, code: str
) -> None:
    """Minutes of work are not done for nothing: the log, which is not there, is not even asked for."""
    result = train(place, *(word.format(place=place) for word in more), log="none.csv")
    assert (result.exit_code, result.stdout, result.stderr.split(":")[0]) == (status, "", code)
    assert not (place / "another.key").exists()


@pytest.mark.long
def test_the_same_log_and_seed_give_the_same_model(place: Path) -> None:
    """Training is repeatable to the byte."""
    before = contents(place / "models")
    assert train(place).exit_code == 0
    assert contents(place / "models") == before


def test_scores_are_one_a_row_between_0_and_100(place: Path) -> None:
    """The scores stand in the log's row order, and attacks stand higher than honest logins."""
    scores = place / "scores.parquet"
    result = run(
        "score", "--input", place / "log.csv", "--model-dir", place / "models",
        "--public-key", place / "signing.pub", "--output", scores, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 6000
    risk = parquet.read_table(scores)["risk"].to_numpy()
    labels = [line.rpartition(",")[2] for line in (place / "log.csv").read_text().splitlines()[1:]]
    hostile = np.array([label != "" for label in labels])
    assert risk.min() >= 0
    assert risk.max() <= 100
    assert np.median(risk[hostile]) > np.quantile(risk[~hostile], 0.95)


@pytest.mark.parametrize(
    ("name", "text", "status"),
    [
        ("tiny.csv", "timestamp,user_id,ip\n2025-05-01T10:00:00Z,ann,203.0.113.7\n", 3),
        ("junk.csv", "a,b\n1,2\n", 2),
        ("empty.csv", "", 2),
    ],
)
def test_a_training_that_fails_leaves_the_model_that_is_there(place: Path, name: str, text: str, status: int) -> None:
    """Wrong input is status 2, a refused training 3; the published model stays to the byte."""
    before = contents(place / "models")
    (place / name).write_text(text)
    result = train(place, log=name)
    assert result.exit_code == status
    assert len(result.stderr.splitlines()) == 1
    assert contents(place / "models") == before


@pytest.mark.long
def test_until_holds_the_later_rows_back(place: Path) -> None:
    """The manifest's span ends before the day that was named."""
    folder = place / "half"
    folder.mkdir(exist_ok=True)
    (folder / "log.csv").write_bytes((place / "log.csv").read_bytes())
    told = json.loads(train(folder, "--until", "2025-07-20").stdout)
    assert told["last"] < "2025-07-20"
    assert told["held_back"] > 0
    span = json.loads((folder / "models" / "manifest.json").read_text())["span"]
    assert span["last"] < 1752969600


@pytest.mark.long
def test_a_column_can_be_left_out(place: Path) -> None:
    """`--without` declares the column absent and gives the reason; a slip in the name lists the choices."""
    folder = place / "without"
    folder.mkdir(exist_ok=True)
    (folder / "log.csv").write_bytes((place / "log.csv").read_bytes())
    told = json.loads(train(folder, "--without", "ja4h", "--without", "ja4s").stdout)
    assert {"ja4h", "ja4s"} <= set(told["left_out"])
    declined = train(folder, "--without", "shoe_size")
    assert declined.exit_code == 2
    assert declined.stderr.startswith("error unknown_columns: --without takes one of ")


def test_a_model_signed_by_somebody_else_is_not_used(place: Path, tmp_path: Path) -> None:
    """Scores come from a model whose signer is known, or not at all."""
    other = tmp_path / "other.pub"
    other.write_bytes(bytes(32))
    result = run(
        "score", "--input", place / "log.csv", "--model_dir", place / "models",
        "--public_key", other, "--output", tmp_path / "scores.parquet",
    )  # fmt: skip
    assert result.exit_code == 2
    assert not (tmp_path / "scores.parquet").exists()


def test_an_overlay_that_cannot_be_read_is_declined(place: Path) -> None:
    """A list given on purpose is never ignored."""
    (place / "bad.toml").write_text("[[network]]\ncidr = 'nowhere'\n")
    result = train(place, "--ip_overlay", place / "bad.toml")
    assert result.exit_code == 2
    assert result.stderr.startswith("error bad_network_file: ")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled log in the RBA schema with a few probes: ten people who log in daily through one autumn."""
    days = [datetime.datetime(2020, 8, 1) + datetime.timedelta(days=day) for day in range(60)]  # noqa: DTZ001 as published
    rows = [(moment, user, "") for moment in days for user in range(10)]
    rows += [(days[-1], user, probe) for user in range(10) for probe in ("naive", "vpn", "targeted", "takeover")]
    probes = [probe for _, _, probe in rows]
    table = {
        "Login Timestamp": [moment for moment, _, _ in rows],
        "User ID": [1000 + user for _, user, _ in rows],
        "IP Address": ["203.0.113.9" if probe else f"198.51.100.{user}" for _, user, probe in rows],
        "Country": ["BR" if probe else "US" for probe in probes],
        "ASN": [64502 if probe else 64500 for probe in probes],
        "User Agent String": ["curl/8.7.1" if probe else "Mozilla/5.0 (X11; Linux x86_64)" for probe in probes],
        "Login Successful": [True] * len(rows),
        "Is Attack IP": [False] * len(rows),
        "Is Account Takeover": [probe == "takeover" for probe in probes],
        "Probe": ["" if probe == "takeover" else probe for probe in probes],
    }
    path = tmp_path_factory.mktemp("labelled") / "log.parquet"
    parquet.write_table(pyarrow.table(table), path)
    return path


def test_evaluate_scores_and_judges_in_one_go(place: Path, labelled: Path) -> None:
    """A model over a labelled log gives the protocol's three lines and three groups of history."""
    result = run(
        "evaluate", "--input", labelled, "--model_dir", place / "models", "--public_key", place / "signing.pub"
    )
    assert result.exit_code == 0, result.output
    starts = [line.split("(")[0].strip() for line in result.stdout.splitlines()]
    assert starts == ["FPR 1%", "history cold", "history thin", "history warm", "FPR 2%", "FPR 5%"]


def test_evaluate_in_one_go_or_in_two_says_the_same(place: Path, labelled: Path, tmp_path: Path) -> None:
    """Scoring first and judging the file of scores is the same protocol."""
    model = ["--model_dir", place / "models", "--public_key", place / "signing.pub"]
    scores = tmp_path / "scores.parquet"
    assert run("score", "--input", labelled, "--output", scores, *model).exit_code == 0
    apart = run("evaluate", "--labels", labelled, "--scores", scores)
    together = run("evaluate", "--input", labelled, *model)
    assert (apart.exit_code, apart.stdout) == (0, together.stdout)


@pytest.mark.parametrize(
    ("labels", "scores", "code"),
    [
        ("none.parquet", "log.csv", "no_such_file"),
        ("log.csv", "none.parquet", "no_such_file"),
        ("log.csv", "log.csv", "not_parquet"),
    ],
)
def test_evaluate_declines_files_that_are_not_its_own(place: Path, labels: str, scores: str, code: str) -> None:
    """Missing and foreign files are told by name and code."""
    result = run("evaluate", "--labels", place / labels, "--scores", place / scores)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error {code}: ")
