"""The large invented log: exactly what was asked for, the same bytes for a seed, and lives that look like lives."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import dataset, parquet
from typer.testing import CliRunner, Result

from training.cli import app
from training.evaluation.provenance import is_synthetic, notes_in
from training.log_schemas import RBA
from training.rba_simulation import MAX_ROWS, planned, simulate
from training.refusals import WrongInputError
from training.simulator.rba import folder
from training.simulator.rba.draws import Draws
from training.simulator.rba.folder import Part, Plan, Writer, parts
from training.simulator.rba.population import UNKNOWN_ACCOUNT, Population
from training.simulator.rba.schedule import joining
from training.stream import quiet

ROOT = Path(__file__).resolve().parents[3]
ROWS, PEOPLE = 12_000, 900


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["simulate", "--schema", "rba", *map(str, arguments)])


def digests(place: Path) -> dict[str, str]:
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def read(place: Path) -> Any:
    files = sorted(map(str, place.rglob("*.parquet")))
    return pyarrow.concat_tables([parquet.read_table(file, partitioning=None) for file in files])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "log"
    simulate(Plan(ROWS, PEOPLE, 7), out, quiet)
    return out


@pytest.fixture(scope="module")
def log(place: Path) -> Any:
    return read(place)


def test_it_has_exactly_the_rows_and_people_asked_for(log: Any) -> None:
    """The account of nobody is no person."""
    assert len(log) == ROWS
    ids = set(log["User ID"].to_pylist())
    nobody = Population.of(PEOPLE, Draws(7), joining(PEOPLE)).user_ids(np.array([UNKNOWN_ACCOUNT]))[0]
    assert len(ids - {nobody}) == PEOPLE
    assert nobody in ids


@pytest.mark.parametrize(("rows", "people"), [(500, 20), (501, 444)])
def test_the_smallest_logs_are_exact_too(tmp_path: Path, rows: int, people: int) -> None:
    """Rounding over the days never adds or loses a row, not even where a day has none."""
    counts = simulate(Plan(rows, people, 3), tmp_path / "log", quiet)
    assert len(read(tmp_path / "log")) == sum(counts.values()) == rows


def test_the_same_seed_is_the_same_bytes(place: Path, tmp_path: Path) -> None:
    """File by file; another seed is another log."""
    simulate(Plan(ROWS, PEOPLE, 7), tmp_path / "again", quiet)
    assert digests(tmp_path / "again") == digests(place)
    other = Plan(ROWS, PEOPLE, 8)
    Writer(other).write(parts(other)[0], tmp_path / "other")
    assert digests(tmp_path / "other").items().isdisjoint(digests(place).items())


@pytest.mark.long
def test_processes_share_the_work_and_change_nothing(place: Path, tmp_path: Path) -> None:
    """Two processes write the files that one does."""
    simulate(Plan(ROWS, PEOPLE, 7), tmp_path / "again", quiet, processes=2)
    assert digests(tmp_path / "again") == digests(place)


def test_rows_are_in_order_of_time_and_each_in_its_month(place: Path, log: Any) -> None:
    """The folder's name is the month of all rows below it, so that a reader may skip it."""
    moments = log["Login Timestamp"].to_numpy()
    assert (moments[1:] >= moments[:-1]).all()
    for file in place.rglob("*.parquet"):
        months = parquet.read_table(file, partitioning=None)["Login Timestamp"].to_numpy().astype("datetime64[M]")
        assert {f"month={month}" for month in np.unique(months)} == {file.parent.name}


def test_every_file_says_that_it_is_synthetic(place: Path) -> None:
    """Whoever finds one file alone learns what it is, from which seed."""
    for file in place.rglob("*.parquet"):
        told = json.loads(parquet.read_metadata(file).metadata[b"riskgate"])
        assert told["synthetic"].startswith("synthetic")
        assert (told["rows"], told["people"], told["seed"]) == (ROWS, PEOPLE, 7)
    assert is_synthetic(notes_in(place))


def test_the_columns_are_those_of_the_rba_data_set(log: Any) -> None:
    """With both labels, and without the probes, which no real log has."""
    ours = {name for field, name in RBA.columns.items() if field != "probe"}
    assert set(log.column_names) == ours | {"Is Attack IP", "Is Account Takeover"}


def test_addresses_and_networks_are_nobodys(log: Any) -> None:
    """All within 10.0.0.0/8 and the private AS numbers."""
    assert all(address.startswith("10.") for address in log["IP Address"].to_pylist())
    assert min(log["ASN"].to_pylist()) >= 64_512
    assert max(log["ASN"].to_pylist()) <= 65_534


def test_people_come_back_with_what_is_theirs(log: Any) -> None:
    """Half of the honest logins after the first show the very address and agent of an earlier one of that person."""
    known: dict[int, set[tuple[str, str]]] = {}
    back = again = 0
    honest = log.filter(pyarrow.compute.invert(log["Is Attack IP"])).to_pylist()
    for row in honest:
        theirs = known.setdefault(row["User ID"], set())
        here = (row["IP Address"].rpartition(".")[0], row["User Agent String"])
        back, again = back + bool(theirs), again + (here in theirs)
        theirs.add(here)
    assert 0.3 < again / back < 0.7


def test_attacks_are_labelled_and_rare(log: Any) -> None:
    """Attempts from an attacker's address fail; each that succeeds is a takeover, and so are a few others."""
    attack, takeover = log["Is Attack IP"].to_numpy(), log["Is Account Takeover"].to_numpy()
    success = log["Login Successful"].to_numpy()
    assert 0.04 < attack.mean() < 0.06
    assert 0 < takeover.sum() < 0.002 * ROWS
    assert (success & attack <= takeover).all()
    assert success[takeover].all()


def test_memory_is_that_of_a_group_of_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is written a group at a time, and a month that is large becomes several files."""
    monkeypatch.setattr(folder, "GROUP_ROWS", 100)
    monkeypatch.setattr(folder, "FILE_ROWS", 150)
    plan = Plan(5_000, 300, 7)
    found = parts(plan)
    assert [part.path for part in found[:2]] == ["month=2020-02/part-000.parquet", "month=2020-02/part-001.parquet"]
    writer = Writer(plan)
    for part in found:
        writer.write(part, tmp_path)
    file = parquet.ParquetFile(tmp_path / found[0].path)
    assert file.metadata.num_rows == found[0].rows
    assert file.metadata.num_row_groups > 1
    assert len(read(tmp_path)) == 5_000


@pytest.mark.parametrize(
    ("rows", "people", "code"),
    [
        (499, None, "bad_row_count"),
        (MAX_ROWS + 1, None, "bad_row_count"),
        (500, 19, "bad_people_count"),
        (500, 445, "bad_people_count"),
    ],
)
def test_impossible_sizes_are_refused(rows: int, people: int | None, code: str) -> None:
    """Too few people hold no world, and everybody logs in at least once."""
    with pytest.raises(WrongInputError) as caught:
        planned(rows, people, 7)
    assert caught.value.code == code


def test_the_bounds_themselves_are_possible() -> None:
    """Both ends of what is allowed."""
    assert planned(500, 20, 7).people == 20
    assert planned(500, 444, 7).people == 444
    assert planned(MAX_ROWS, None, 7).people == MAX_ROWS // 10


def test_the_command_tells_that_it_is_synthetic(tmp_path: Path) -> None:
    """Beside the counts."""
    result = run("--rows", 600, "--people", 50, "--out", tmp_path / "log", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["note"].startswith("synthetic")
    assert (told["rows"], told["people"], sum(told["by_label"].values())) == (600, 50, 600)
    assert len(dataset.dataset(tmp_path / "log", format="parquet").to_table()) == 600


def test_a_folder_that_has_something_is_left_alone(tmp_path: Path) -> None:
    """No log is mixed with another one, and nothing half-written stays."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "mine").write_text("mine")
    result = run("--rows", 600, "--out", tmp_path / "log")
    assert (result.exit_code, result.stderr[:25]) == (2, "error unwritable_output: ")
    assert [path.name for path in tmp_path.rglob("*")] == ["log", "mine"]


def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written until then is gone, and the code says so."""

    def full(_writer: Writer, part: Part, place: Path) -> None:
        (place / "begun").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "write", full)
    with pytest.raises(WrongInputError, match="No space left") as caught:
        simulate(Plan(600, 50, 7), tmp_path / "log", quiet)
    assert caught.value.code == "unwritable_output"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--format", "csv"], ["--schema", "events", "--people", "50"]])
def test_options_that_do_not_go_together_are_declined(tmp_path: Path, options: list[str]) -> None:
    """Nothing that was asked for is quietly left out."""
    result = run("--rows", 600, "--out", tmp_path / "log", *options)
    assert (result.exit_code, result.stderr[:13]) == (2, "error usage: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_command_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    """Its helpers notice that it is gone, and end; what was begun is hidden, and is no log."""
    code = "from training.cli import main; main()"
    options = ["--schema", "rba", "--rows", "20000000", "--out", str(tmp_path / "log"), "--json"]
    with subprocess.Popen([sys.executable, "-c", code, "simulate", *options], cwd=ROOT) as command:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".log.*/month=*")):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        command.kill()
    while any(Path(f"/proc/{child}/stat").exists() for child in children):
        assert time.monotonic() < deadline + 30
        time.sleep(0.1)
    assert not (tmp_path / "log").exists()
