"""Files are written whole or not at all, and an imported log is the log it was."""

import os
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from training.outputs import replaced_whole, require_another_file, require_apart, write_events, write_scores
from training.refusals import WrongInputError
from training.sources import read_events

DATA = Path(__file__).resolve().parents[2] / "data"


def test_an_imported_log_reads_as_the_log_it_was(tmp_path: Path) -> None:
    """What `import` writes gives the same columns, moments and people when it is read again."""
    first = read_events(DATA / "rba_minutes_only.csv")
    write_events(first, tmp_path / "log.parquet")
    again = read_events(tmp_path / "log.parquet")
    assert again.present == first.present
    assert again.dropped == {}
    for name in sorted(first.present):
        before, after = getattr(first, name), getattr(again, name)
        if before.dtype == float:
            assert np.array_equal(before, after, equal_nan=True), name
        else:
            assert np.array_equal(before, after), name


def test_scores_are_in_the_order_of_the_file_and_unread_rows_are_worst(tmp_path: Path) -> None:
    """Row k of the scores belongs to row k of the log; a row nobody could read gets 100."""
    table = read_events(DATA / "rba_minutes_only.csv")
    unread = write_scores(table, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), tmp_path / "scores.parquet")
    risk = parquet.read_table(tmp_path / "scores.parquet")["risk"].to_pylist()
    assert risk == [1.0, 2.0, 3.0, 100, 100, 100, 100, 100, 4.0, 100, 5.0]
    assert unread == 6


def write_half(target: Path) -> None:
    with replaced_whole(target) as draft:
        draft.write_text("half")
        raise ZeroDivisionError


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    """Whatever goes wrong while writing, the file that was there stays, and no draft is left."""
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(target)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The message names the path that cannot be written."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongInputError, match="unwritable_output"), replaced_whole(tmp_path / "file" / "out"):
        pass


def test_only_a_regular_file_is_replaced(tmp_path: Path) -> None:
    """A pipe, a device or a link is somebody's; a file would take its place."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "real").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("pipe", "link"):
        with pytest.raises(WrongInputError, match="unwritable_output"), replaced_whole(tmp_path / name) as draft:
            draft.write_text("new")
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "real").read_text() == "kept"


def test_the_log_itself_is_no_place_for_what_is_made_of_it(tmp_path: Path) -> None:
    """Under whatever name it goes."""
    log = tmp_path / "log.csv"
    log.write_text("a")
    with pytest.raises(WrongInputError, match="output_is_input"):
        require_another_file(tmp_path / "." / "log.csv", log)
    require_another_file(tmp_path / "new.parquet", log)


@pytest.mark.parametrize("source", ["log", "log/*.csv", "log/b.csv", "sqlite:///log/b.csv"])
def test_no_part_of_what_is_read_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A file of a folder, of a pattern, or of a database is one; what does not exist yet is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "log" / name).write_text("a")
    with pytest.raises(WrongInputError, match="output_is_input"):
        require_apart([None, tmp_path / "log" / "b.csv"], [None, source])
    require_apart([tmp_path / "log" / "c.csv", None], [source])
