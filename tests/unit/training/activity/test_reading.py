"""An activity log that is no such log: one named reason, the row where there is one, and never a traceback."""

import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from training.activity.reading import ActivityLog, labels_of
from training.activity.training import Request, trained
from training.lookup_files import open_lookups
from training.lookups import Lookups
from training.refusals import RefusedError, WrongInputError

WHEN = "2025-05-19T08:00:00Z"
HEADER = "timestamp,user_id,session_id,endpoint"


@pytest.fixture(scope="module")
def lookups() -> Lookups:
    return open_lookups()


def line(*, identity: dict[str, object] | None = None, event: dict[str, object] | None = None) -> str:
    """One event, with these fields changed."""
    who = {"user_id": "alice", "session_id": "s1", "timestamp": WHEN}
    return json.dumps({"identity": {**who, **(identity or {})}, "event": {"endpoint": "/home", **(event or {})}}) + "\n"


def read(path: Path, lookups: Lookups) -> int:
    return len(list(ActivityLog(path, lookups)))


@pytest.mark.parametrize(
    ("name", "text", "code", "told"),
    [
        ("log.jsonl", line() + '{"identity":\n' + line(), "bad_row", "row 2"),
        ("log.jsonl", line() + line(identity={"ip": "999.1.1.1"}), "bad_row", "row 2"),
        ("log.jsonl", line(event={"bytes_out": -5}), "bad_row", "$.event.bytes_out"),
        ("log.jsonl", line(event={"bytes_out": 10**30}), "bad_row", "$.event.bytes_out"),
        ("log.jsonl", line(identity={"timestamp": None}), "bad_row", "no timestamp"),
        ("log.jsonl", line(identity={"timestamp": "9999-12-31"}), "bad_row", "timestamp"),
        ("log.jsonl", line(identity={"timestamp": 1e300}), "bad_row", "timestamp"),
        ("log.jsonl", line(identity={"user_id": "a\0b"}), "bad_row", "NUL"),
        ("log.jsonl", line(identity={"user_id": "a" * 10**6}), "bad_row", "length"),
        ("log.jsonl", line() + line(identity={"timestamp": "2025-05-19T07:00:00Z"}), "not_in_order", "row 2"),
        ("log.csv", f"{HEADER}\n{WHEN},{'a' * 200_000},s1,/home\n", "bad_row", "row 1"),
        ("log.csv", f"{HEADER}\n{WHEN},\0,s1\n", "bad_row", "row 1"),
        ("log.csv", f"user_id,{HEADER}\nmallory,{WHEN},alice,s1,/home\n", "unknown_columns", "twice"),
        ("log.csv", "foo,bar\n1,2\n", "unknown_columns", "lacks timestamp"),
        ("log.parquet", "not Parquet", "bad_row", "log.parquet"),
        ("log.txt", line(), "bad_format", "log.txt"),
    ],
)
def test_what_cannot_be_read_is_named(
    name: str, text: str, code: str, told: str, lookups: Lookups, tmp_path: Path
) -> None:
    """By a code and by where it is."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(WrongInputError) as refused:
        read(path, lookups)
    assert (refused.value.code, told in refused.value.message) == (code, True)


@pytest.mark.parametrize("column", [pyarrow.array([["admin"]]), pyarrow.array([7])])
def test_a_column_of_another_type_is_a_row_that_cannot_be_read(
    column: pyarrow.Array, lookups: Lookups, tmp_path: Path
) -> None:
    """Parquet has types, and roles are words with blanks between."""
    path = tmp_path / "log.parquet"
    names = {name: [value] for name, value in zip(HEADER.split(","), (WHEN, "alice", "s1", "/home"), strict=True)}
    parquet.write_table(pyarrow.table({**names, "roles": column}), path)
    with pytest.raises(WrongInputError) as refused:
        read(path, lookups)
    assert refused.value.code == "bad_row"


def test_a_byte_order_mark_costs_no_column(lookups: Lookups, tmp_path: Path) -> None:
    """Spreadsheets write one."""
    path = tmp_path / "log.csv"
    path.write_text(f"\ufeff{HEADER}\n{WHEN},alice,s1,/home\n", encoding="utf-8")
    assert read(path, lookups) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty_file"), (line(), "too_few_sessions"), (line() * 3, "too_few_sessions")],
)
def test_a_log_of_nothing_trains_nothing(text: str, code: str, tmp_path: Path) -> None:
    """No event, or a single moment."""
    log = tmp_path / "log.jsonl"
    log.write_text(text)
    asked = Request(log, None, tmp_path / "model", tmp_path / "keys" / "signing.key", seed=1)
    with pytest.raises((WrongInputError, RefusedError)) as refused:
        trained(asked, lambda step, share: None)
    assert refused.value.code == code
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    "text",
    ["no json", "[1]", '{"session_id": [1], "kind": "x", "label": "attack", "hostile": []}',
     '{"session_id": "s", "kind": "x", "label": "perhaps", "hostile": []}',
     '{"session_id": "s", "kind": "x", "label": "attack", "hostile": [{}]}'],
)  # fmt: skip
def test_labels_that_are_none_are_named_by_their_line(text: str, tmp_path: Path) -> None:
    """And not repeated."""
    path = tmp_path / "labels.jsonl"
    path.write_text('{"session_id": "s", "kind": "", "label": "benign", "hostile": []}\n' + text + "\n")
    with pytest.raises(WrongInputError) as refused:
        labels_of(path)
    assert (refused.value.code, "line 2" in refused.value.message) == ("bad_labels", True)
    assert text not in refused.value.message


def test_a_folder_is_no_log(lookups: Lookups, tmp_path: Path) -> None:
    """It is there, and it is no file."""
    with pytest.raises(WrongInputError) as refused:
        ActivityLog(tmp_path, lookups)
    assert refused.value.code == "not_a_file"


@pytest.mark.parametrize(
    ("model_dir", "key", "code"),
    [
        ("model", "model/signing.key", "key_in_model_dir"),
        ("log.jsonl", "keys/signing.key", "unwritable_output"),
        ("model", "log.jsonl/signing.key", "unwritable_output"),
        ("model", "/proc/none/signing.key", "unwritable_output"),
    ],
)
def test_where_nothing_can_be_published_is_said_before_anything_is_made(
    model_dir: str, key: str, code: str, tmp_path: Path
) -> None:
    """A signing key among the model's files would go wherever these go."""
    log = tmp_path / "log.jsonl"
    log.write_text(line())
    with pytest.raises(WrongInputError) as refused:
        trained(Request(log, None, tmp_path / model_dir, tmp_path / key, seed=1), lambda step, share: None)
    assert refused.value.code == code
    assert [path.name for path in tmp_path.rglob("*")] == ["log.jsonl"]
