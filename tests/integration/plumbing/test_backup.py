"""What is no backup is not taken for one, and what stands in the way is not to be removed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from plumbing.backup import CannotCopy, back_up, check_whole, put_back


def made(file: Path, *, with_table: bool) -> Path:
    with closing(sqlite3.connect(file)) as connection:
        if with_table:
            connection.execute("CREATE TABLE people (id TEXT)")
    file.touch()
    return file


def test_a_database_without_tables_is_no_backup(tmp_path: Path) -> None:
    """A file that somebody began to copy has no bytes yet; SQLite itself finds nothing wrong with it."""
    check_whole(made(tmp_path / "whole.db", with_table=True))
    empty = made(tmp_path / "empty.db", with_table=False)
    with pytest.raises(CannotCopy, match="damaged"):
        put_back(empty, [], tmp_path / "state" / "empty.db")
    assert not (tmp_path / "state").exists()


def test_what_is_no_directory_is_left_alone(tmp_path: Path) -> None:
    """And nobody is told to remove it: it may be a device."""
    place = tmp_path / "device"
    place.touch()
    with pytest.raises(CannotCopy, match="is no directory"):
        back_up(made(tmp_path / "x.db", with_table=True), [], place)
    assert place.read_bytes() == b""
