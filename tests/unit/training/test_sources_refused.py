"""Files that are no login log are refused by name, with one message that says what to change."""

import os
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from training.log_sources import open_logs
from training.refusals import WrongInputError
from training.sources import read_events


def refusal(path: Path) -> WrongInputError:
    with pytest.raises(WrongInputError) as caught:
        read_events(path)
    return caught.value


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \n\n", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        ("\ufeff\n\u00a0".encode(), "empty_file"),
        (b"timestamp,user_id,ip\n", "empty_file"),
        (b"\x00\x01\x02\xff" * 100, "unreadable_file"),
        (bytes(range(128, 256)) * 10, "unreadable_file"),
        (b"PAR1 and then nothing of the kind", "unreadable_file"),
        (b"[{", "unreadable_file"),
        (b"a,b,c\n1,2,3\n", "unknown_columns"),
        (b"timestamp,user_id\n2025-05-01,ann\n", "unknown_columns"),
        (b"timestamp,user_id,ip,ip\n2025-05-01,ann,203.0.113.7,203.0.113.7\n", "unknown_columns"),
        (b"timestamp,user_id,ip, IP\n2025-05-01,ann,203.0.113.7,203.0.113.8\n", "unknown_columns"),
        (b'[{"when": 1, "who": "ann"}]', "unknown_columns"),
        (b'{"timestamp": 1746086400, "user_id": "ann"}\n', "unknown_columns"),
        (b"timestamp,user_id,ip\n2025-05-01,ann,nowhere\n", "no_usable_rows"),
        (b"timestamp,user_id,ip\n1,2,3,4\n", "no_usable_rows"),
    ],
)
def test_a_file_that_is_no_log_has_a_stable_code(tmp_path: Path, content: bytes, code: str) -> None:
    """Empty, binary, foreign and hopeless files each have their own code."""
    path = tmp_path / "log"
    path.write_bytes(content)
    assert refusal(path).code == code


def test_missing_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    """A slip in the path reads differently from a folder, and from what is no file at all."""
    assert refusal(tmp_path / "none.csv").code == "no_such_file"
    assert refusal(tmp_path).code == "empty_folder"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").code == "not_a_file"


def test_the_message_lists_the_missing_columns(tmp_path: Path) -> None:
    """The nearest schema is named, with what the log still lacks for it."""
    path = tmp_path / "log.csv"
    path.write_text("timestamp,user_id,address\n")
    assert refusal(path).message == "as login events the log lacks the columns ip"
    path.write_text("Login Timestamp,IP Address\n")
    assert refusal(path).message == "as RBA data set the log lacks the columns User ID"


def test_a_column_that_stands_twice_in_parquet_is_refused_too(tmp_path: Path) -> None:
    """Nobody can say which of two people a login belongs to."""
    columns = [pyarrow.array([text]) for text in ("2025-05-01", "ann", "203.0.113.7", "bo")]
    table = pyarrow.Table.from_arrays(columns, names=["timestamp", "user_id", "ip", "User_ID"])
    parquet.write_table(table, tmp_path / "log")
    assert refusal(tmp_path / "log").message == "the log names a column twice: user_id"


def test_an_empty_name_is_not_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that was never set would have trained on whatever lies there."""
    (tmp_path / "log.csv").write_text("timestamp,user_id,ip\n2025-05-01,ann,203.0.113.7\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongInputError) as caught:
        open_logs([""])
    assert caught.value.code == "bad_source"
