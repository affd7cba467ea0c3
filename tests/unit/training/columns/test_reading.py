"""A log in coded columns has the rows, the drops and the notes that the reader of small logs finds in it."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from tests.unit.training.logs import log
from training.columns.digest import coded_sha256
from training.columns.reading import coded_log
from training.columns.texts import Texts
from training.log_files import open_log
from training.outputs import write_events
from training.refusals import WrongInputError
from training.sources import EventTable, events_of

ROWS = [
    "timestamp,user_id,ip,user_agent,success,asn,ip_rep,country,event_id,probe",
    "2025-05-01T10:00:02Z,ann,10.0.0.1,Agent é,true,64500,3.5,NO,e1,",
    "2025-05-01T10:00:01Z,ben,::ffff:10.0.0.2,Agent,false,AS64501,101,NO,e2,naive",
    "2025-05-01T10:00:01Z,ben,10.0.0.2,Agent,false,AS64501,101,NO,e3,",
    "2025-05-01T10:00:01Z,ben,10.0.0.2,Agent,false,AS64501,101,NO,e3,",
    "2025-05-01T10:00:04Z,ann,010.0.0.1,Agent,true,,,NO,e4,",
    "2025-05-01T10:00:04Z,ann,10.0.0.256,Agent,true,,,NO,e4,",
    "2025-05-01T10:00:04Z,ann,,Agent,true,,,NO,e4,",
    "2025-05-01T10:00:05Z,,2001:DB8::1,Agent,true,,,NO,e5,",
    "yesterday,ann,2001:DB8::1,Agent,true,,,NO,e6,",
    "2025-05-01T10:00:06Z,ann,2001:DB8::1,Agent,maybe,,,NO,e7,",
    "2025-05-01T10:00:06Z,4.32E+18,2001:DB8::1,,yes,-4,7,,e8,",
    f"2025-05-01T10:00:07Z,ann,10.0.0.1,{'é' * 2048},true,99999999999,3.5,NO,e9,",
    f"2025-05-01T10:00:08Z,ann,10.0.0.1,{'é' * 2049},true,1,3.5,NO,e10,",
    f"2025-05-01T10:00:09Z,ann,10.0.0.1,Agent,true,1,3.5,NO,{'e' * 129},",
]


def assert_same(found: EventTable, expected: EventTable) -> None:
    for field in dataclasses.fields(EventTable):
        mine, theirs = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(theirs, np.ndarray):
            assert mine.dtype == theirs.dtype, field.name
            np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
        else:
            assert mine == theirs, field.name


@pytest.mark.parametrize("until", [None, 1746093604.0])
def test_a_log_of_every_trouble_is_read_alike(tmp_path: Path, until: float | None) -> None:
    """Every reason to drop a row, addresses in other forms, ties, texts at their limits."""
    (tmp_path / "log.csv").write_text("\n".join(ROWS) + "\n")
    log_file = open_log(tmp_path / "log.csv")
    expected = events_of(log_file, until=until)
    assert set(expected.dropped) >= {"bad_ip", "bad_timestamp", "missing_user", "bad_success", "unusable_text"}
    assert_same(coded_log(log_file, until=until).table(), expected)


def test_a_whole_log_and_some_of_its_rows(tmp_path: Path) -> None:
    """Of a log with every column; people are counted once."""
    table = log(400)
    write_events(table, tmp_path / "log.parquet")
    coded = coded_log(open_log(tmp_path / "log.parquet"))
    expected = events_of(open_log(tmp_path / "log.parquet"))
    assert_same(coded.table(), expected)
    rows = np.array([3, 5, 399])
    assert coded.table(rows).user_id.tolist() == expected.user_id[rows].tolist()
    assert coded.people == len(set(table.user_id))


def test_rows_that_are_left_out_are_counted(tmp_path: Path) -> None:
    """A column that only they filled is one that the log lacks."""
    (tmp_path / "log.csv").write_text("\n".join(ROWS[:4]) + "\n")
    coded = coded_log(open_log(tmp_path / "log.csv"))
    left = coded.without(coded.codes["probe"] != 0, why="confirmed_compromised")
    assert len(left) == len(coded) - 1
    assert left.dropped["confirmed_compromised"] == 1
    assert "probe" in coded.present
    assert "probe" not in left.present
    assert coded.without(np.zeros(len(coded), bool), why="nothing").dropped == coded.dropped


def test_the_digest_is_of_the_rows_and_not_of_how_they_were_read(tmp_path: Path) -> None:
    """In whichever order files are read, and whatever was dropped; one value elsewhere, or at another row, is seen."""

    def digest(*lines: str) -> str:
        (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
        return coded_sha256(coded_log(open_log(tmp_path / "log.csv")))

    header, late, early = ROWS[:3]
    expected = digest(header, early, late)
    assert digest(header, late, early) == expected
    assert digest(header, ROWS[6], late, early, ROWS[9]) == expected
    assert digest(header, early, late.replace("ann", "anna")) != expected
    assert digest(header, early.replace("Agent", "Agent é"), late.replace("Agent é", "Agent")) != expected


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("timestamp,user_id,ip\n", "empty_file"),
        ("timestamp,user_id,ip\nnever,ann,10.0.0.1\n", "unknown_columns"),
        ("timestamp,user_id,ip\n2025-05-01,ann,nowhere\n", "no_usable_rows"),
    ],
)
def test_a_log_that_cannot_be_used_is_refused_alike(tmp_path: Path, content: str, code: str) -> None:
    """The codes of the reader of small logs."""
    (tmp_path / "log.csv").write_text(content)
    for reader in (coded_log, events_of):
        with pytest.raises(WrongInputError) as refused:
            reader(open_log(tmp_path / "log.csv"))
        assert refused.value.code == code


def test_texts_get_numbers_in_the_order_they_come() -> None:
    """Equal texts the same, "" always 0, slices of a column too, however many there are."""
    texts = Texts()
    column = pyarrow.array(["never", "b", "", "é", "b", "a"])
    assert texts.coded(column.slice(1)).tolist() == [1, 0, 2, 1, 3]
    assert [texts.text(code) for code in range(4)] == ["", "b", "é", "a"]
    assert [texts.text(code) for code in texts.in_order().tolist()] == ["", "a", "b", "é"]
    many = [str(number) for number in range(5000)]
    codes = texts.coded_all(many + many)
    assert codes[:5000].tolist() == codes[5000:].tolist() == list(range(4, 5004))
    assert texts.objects()[codes[:5000]].tolist() == many
    with pytest.raises(ValueError, match="missing"):
        texts.coded(pyarrow.array(["a", None]))
