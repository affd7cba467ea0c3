"""What `--input` may name: folders, patterns and several logs are read as one, in an order that is always the same."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from training import outputs
from training.cli import app
from training.evaluation.labels import read_truth, texts_of
from training.lineage import data_sha256
from training.log_sources import open_logs
from training.refusals import WrongInputError
from training.sources import EventTable, events_of, read_events

START = 1_746_086_400


def login(number: int, **fields: Any) -> dict[str, Any]:
    return {"timestamp": START + number, "user_id": f"u{number}", "ip": f"192.0.2.{number}", "success": True, **fields}


def write(path: Path, *logins: dict[str, Any]) -> Path:
    """A log of the kind that the name's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        lines = [",".join(logins[0]), *(",".join(map(str, each.values())) for each in logins)]
        path.write_text("\n".join(lines) + "\n")
    elif path.suffix == ".parquet":
        parquet.write_table(pyarrow.Table.from_pylist(list(logins)), path)
    else:
        path.write_text("".join(json.dumps(each) + "\n" for each in logins))
    return path


def users(*sources: Path | str) -> list[str]:
    return list(read_events(*sources).user_id)


def refusal(*sources: Path | str) -> WrongInputError:
    with pytest.raises(WrongInputError) as caught:
        read_events(*sources)
    return caught.value


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_partitioned_folder_is_one_log(tmp_path: Path, kind: str) -> None:
    """Whatever the kind, all files below it are read, and the marks that writers leave beside them are not."""
    write(tmp_path / "log" / "month=2025-06" / f"part-0.{kind}", login(3), login(4))
    write(tmp_path / "log" / "month=2025-05" / f"part-0.{kind}", login(1), login(2))
    (tmp_path / "log" / "_SUCCESS").write_text("")
    write(tmp_path / "log" / "_temporary" / f"part-9.{kind}", login(9))
    (tmp_path / "log" / "month=2025-05" / f".part-0.{kind}.crc").write_bytes(b"\0\1")
    assert users(tmp_path / "log") == ["u1", "u2", "u3", "u4"]


def test_what_a_folder_of_parquet_is_named_after_is_a_column(tmp_path: Path) -> None:
    """A value that the writer took out of the files is put back; a column that no schema knows is left out."""
    for country in ("NO", "DE"):
        write(tmp_path / "log" / f"country={country}" / "month=2025-05" / "part-0.parquet", login(len(country)))
    assert sorted(read_events(tmp_path / "log").country) == ["DE", "NO"]


def test_a_pattern_takes_what_it_matches_and_a_file_of_that_name_first(tmp_path: Path) -> None:
    """Two stars go down any number of folders; a file whose name has such signs is itself."""
    for number in (1, 2, 3):
        write(tmp_path / f"day{number}" / "log.csv", login(number))
    assert users(str(tmp_path / "day[12]" / "*.csv")) == ["u1", "u2"]
    assert users(str(tmp_path / "**" / "*.csv")) == ["u1", "u2", "u3"]
    write(tmp_path / "day[12]" / "*.csv", login(7))
    assert users(str(tmp_path / "day[12]" / "*.csv")) == ["u7"]


def test_several_inputs_of_several_kinds_are_one_log(tmp_path: Path) -> None:
    """Time orders the rows, wherever they stood; a log that is named twice is read once."""
    first, second = write(tmp_path / "a.csv", login(2)), write(tmp_path / "b.parquet", login(1), login(3))
    third = write(tmp_path / "c.jsonl", login(4))
    table = read_events(second, first, third, first)
    assert list(table.user_id) == ["u1", "u2", "u3", "u4"]
    assert table.row_order.tolist() == [0, 2, 1, 3]
    assert (table.rows_in_file, table.dropped) == (4, {})


def test_the_same_login_in_two_files_counts_once(tmp_path: Path) -> None:
    """Exports that overlap by a day teach nothing twice."""
    write(tmp_path / "log" / "a.jsonl", login(1), login(2))
    write(tmp_path / "log" / "b.jsonl", login(2), login(3))
    table = read_events(tmp_path / "log")
    assert (list(table.user_id), table.dropped) == (["u1", "u2", "u3"], {"duplicate": 1})


def test_records_that_are_none_keep_their_places_over_files(tmp_path: Path) -> None:
    """Rows after a rejected one, in this file and in the next, still say where they stood."""
    for name, number in (("a.csv", 1), ("b.csv", 3)):
        file = write(tmp_path / "log" / name, login(number), login(number + 1))
        lines = file.read_text().splitlines()
        file.write_text("\n".join([lines[0], lines[1], "1,2", lines[2]]) + "\n")
    table = read_events(tmp_path / "log")
    assert table.row_order.tolist() == [0, 2, 3, 5]
    assert (table.rows_in_file, table.dropped) == (6, {"malformed_row": 2})


def test_one_file_of_many_that_is_no_log_is_named(tmp_path: Path) -> None:
    """Nothing is skipped in silence: a model must not be trained on half of a folder."""
    write(tmp_path / "log" / "a.csv", login(1))
    (tmp_path / "log" / "notes.txt").write_text("when,who\n1,2\n")
    found = refusal(tmp_path / "log")
    assert found.code == "unknown_columns"
    assert found.message.startswith("notes.txt: ")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("empty", "empty_folder"),
        ("none/*.csv", "no_such_file"),
        ("none", "no_such_file"),
        ("s3://bucket/logins", "bad_source"),
        ("mysql://root@localhost/logins", "bad_source"),
        ("sqlite:///none.db", "no_such_file"),
        ("sqlite:///:memory:", "bad_source"),
        ("sqlite:none.db", "bad_source"),
        ("log.csv", "mixed_schemas"),
    ],
)
def test_what_names_no_log_has_a_stable_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, code: str
) -> None:
    """Each with one line, and before anything is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "log.csv", login(1))
    rba = {"Login Timestamp": "2020-02-03 12:43:30", "User ID": 1, "IP Address": "10.0.0.1"}
    others = [write(tmp_path / "rba.csv", rba)] if code == "mixed_schemas" else []
    assert refusal(source, *others).code == code


def test_a_database_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A log given as a database, and somebody else's database, are told apart."""
    import sqlite3

    write(tmp_path / "log.csv", *(login(number) for number in range(40)))
    assert refusal(f"sqlite:///{tmp_path}/log.csv").code == "unreadable_file"
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE audit (id INTEGER)")
    assert refusal(f"sqlite:///{tmp_path}/other.db").code == "not_an_event_log"


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_labels_of_a_folder_stay_with_their_rows(tmp_path: Path, kind: str) -> None:
    """Over several files, with rows that are dropped and logins that come out of order."""
    bad = login(7, label="takeover") | {"ip": "nowhere"}
    write(tmp_path / "log" / f"b.{kind}", login(4, label=""), bad, login(1, label="takeover"))
    write(tmp_path / "log" / f"c.{kind}", login(3, label="stuffing"), login(2, label=""))
    table = read_events(tmp_path / "log")
    truth = read_truth(tmp_path / "log", table)
    assert list(table.user_id) == ["u1", "u2", "u3", "u4"]
    assert {name: rows.tolist() for name, rows in truth.families.items()} == {
        "takeover": [True, False, False, False],
        "stuffing": [False, False, True, False],
    }
    assert list(texts_of(tmp_path / "log", "label", table)) == ["takeover", "", "stuffing", ""]
    write(tmp_path / "log" / f"d.{kind}", login(5))
    if kind != "jsonl":  # there, no header says that a label is missing
        with pytest.raises(WrongInputError, match=f"d.{kind}") as caught:
            read_truth(tmp_path / "log", read_events(tmp_path / "log"))
        assert caught.value.code == "no_labels"


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_training_takes_every_kind_as_the_same_log(tmp_path: Path, kind: str) -> None:
    """Each value is the same whatever the kind, so that the model is; the way there ends at the first gate."""
    logins = [login(number, user_agent=f"Agent {number % 2}", asn=64500 + number, city="") for number in range(1, 9)]
    write(tmp_path / "log" / f"a.{kind}", *logins[:5])
    write(tmp_path / "log" / f"b.{kind}", *logins[5:])
    alone = read_events(write(tmp_path / "alone.csv", *logins))
    table = read_events(tmp_path / "log")
    assert data_sha256(table) == data_sha256(alone)
    assert table.present == alone.present
    options = ["--model_dir", str(tmp_path / "models"), "--key", str(tmp_path / "key")]
    result = CliRunner().invoke(app, ["train", "--input", str(tmp_path / "log"), *options])
    assert (result.exit_code, len(result.stderr.splitlines())) == (3, 1), result.output


def test_nothing_is_read_before_all_is_looked_at(tmp_path: Path) -> None:
    """Batches come one file after the other, so that many files take no more memory than one."""
    write(tmp_path / "log" / "a.csv", login(1))
    second = write(tmp_path / "log" / "b.csv", login(2))
    with open_logs([str(tmp_path / "log")]).batches() as rows:
        batches = iter(rows)
        assert len(next(batches)) == 1
        second.unlink()
        with pytest.raises(WrongInputError) as caught:
            next(batches)
    assert caught.value.code == "unreadable_file"


def test_import_takes_several_and_never_writes_over_one(tmp_path: Path) -> None:
    """What it is made from stays, be it one of many files."""
    first, second = write(tmp_path / "log" / "a.csv", login(1)), write(tmp_path / "b.csv", login(2))
    inputs = ["import", "--input", str(tmp_path / "log"), "--input", str(second), "--out"]
    result = CliRunner().invoke(app, [*inputs, str(first)])
    assert (result.exit_code, result.stderr[:23]) == (2, "error output_is_input: ")
    result = CliRunner().invoke(app, [*inputs, str(tmp_path / "out.parquet"), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rows"] == 2


@pytest.mark.parametrize("sources", [("a.csv", "b.csv"), ("sqlite:///scorer.db",), ("postgresql://host/scorer",)])
def test_spark_is_not_started_for_what_it_does_not_read(tmp_path: Path, sources: tuple[str, ...]) -> None:
    """It takes one address of its own; told before anything is looked for."""
    inputs = [word for source in sources for word in ("--input", source)]
    places = ["--model_dir", str(tmp_path / "models"), "--key", str(tmp_path / "key")]
    result = CliRunner().invoke(app, ["train", "--engine", "spark", *inputs, *places])
    assert (result.exit_code, result.stderr[:13]) == (2, "error usage: "), result.output


def test_a_log_is_imported_some_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All in order, and what the pieces lack is lacking in the whole."""
    monkeypatch.setattr(outputs, "ROWS_AT_ONCE", 3)
    write(tmp_path / "log.csv", *(login(9 - number, asn="" if number < 8 else 64500) for number in range(9)))
    out = tmp_path / "out.parquet"
    result = CliRunner().invoke(app, ["import", "--input", str(tmp_path / "log.csv"), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert parquet.ParquetFile(out).metadata.num_row_groups == 3
    assert data_sha256(read_events(out)) == data_sha256(read_events(tmp_path / "log.csv"))


def test_a_large_log_is_read_from_its_folder(tmp_path: Path) -> None:
    """What `simulate --schema rba` writes is what `import` reads."""
    from training.rba_simulation import Plan, simulate
    from training.stream import quiet

    simulate(Plan(800, 60, 7), tmp_path / "log", quiet)
    table: EventTable = events_of(open_logs([str(tmp_path / "log")]))
    assert (len(table), table.dropped) == (800, {})
    assert {"asn", "country", "user_agent", "rtt_ms", "region", "browser"} <= table.present
    assert table.row_order.tolist() == list(range(800))
