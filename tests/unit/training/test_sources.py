"""Login logs become columns: what is read, in which order, and what is never read."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from training.sources import EventTable, read_events

DATA = Path(__file__).resolve().parents[2] / "data"
COLUMNS = ["timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "asn", "ip_rep", "label"]
ROWS = [
    ["2025-05-02T10:00:00Z", "ann", "203.0.113.7", "Mozilla/5.0", "d1", "true", "NO", "29695", "5.0", ""],
    ["2025-05-01T10:00:00+02:00", "bo", "2001:DB8::1", "", "", "false", "", "", "", "takeover"],
    ["1746180000", "ann", "203.0.113.7", "Mozilla/5.0", "d1", "1", "NO", "29695", "5.0", ""],
    ["1746180001500", "ann", "::ffff:203.0.113.8", "Mozilla/5.0", "d1", "0", "NO", "29695", "5.0", ""],
]


def write_csv(path: Path, columns: list[str], rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "log.csv", COLUMNS, ROWS)


def assert_equal(one: EventTable, other: EventTable) -> None:
    for name in EventTable.__dataclass_fields__:
        ours, theirs = getattr(one, name), getattr(other, name)
        if isinstance(ours, np.ndarray) and ours.dtype == float:
            assert np.array_equal(ours, theirs, equal_nan=True), name
        elif isinstance(ours, np.ndarray):
            assert np.array_equal(ours, theirs), name
        else:
            assert ours == theirs, name


def test_rows_come_in_time_order_and_remember_their_place(log: Path) -> None:
    """A log that is out of order is sorted, and `row_order` says where each row was."""
    table = read_events(log)
    assert table.row_order.tolist() == [1, 0, 2, 3]
    assert table.timestamp.tolist() == [1746086400.0, 1746180000.0, 1746180000.0, 1746180001.5]


@pytest.mark.parametrize(
    ("kind", "before"),
    [("csv", "\ufeff"), ("csv", "\n\n"), ("csv", "\ufeff\n"), ("json", "\ufeff"), ("json", "\ufeff\n")],
)
def test_what_editors_put_before_the_first_line_costs_no_login(tmp_path: Path, kind: str, before: str) -> None:
    """A byte order mark and empty lines are no part of the log, and no row of it."""
    rows = [{"timestamp": f"2025-05-0{day}", "user_id": "ann", "ip": "203.0.113.7"} for day in (1, 2, 3)]
    lines = [json.dumps(row) for row in rows] if kind == "json" else [",".join(row.values()) for row in rows]
    header = [] if kind == "json" else [",".join(rows[0])]
    (tmp_path / "log").write_text(before + "\n".join([*header, *lines]), encoding="utf-8")
    table = read_events(tmp_path / "log")
    assert (table.row_order.tolist(), table.rows_in_file, table.dropped) == ([0, 1, 2], 3, {})


def test_what_cannot_be_parsed_is_told_by_its_place_below_empty_lines(tmp_path: Path) -> None:
    """The place of a broken record counts rows, wherever the header stands."""
    (tmp_path / "log").write_text(
        "\n\ntimestamp,user_id,ip\n2025-05-01,ann,203.0.113.7\nbroken\n2025-05-02,ann,203.0.113.7\n"
    )
    table = read_events(tmp_path / "log")
    assert (table.row_order.tolist(), table.dropped) == ([0, 2], {"malformed_row": 1})


def test_rows_of_one_moment_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """Sorting by time is stable, so a failure before a success stays before it."""
    rows = [["2025-05-01T10:00:00Z", f"user{number}", "203.0.113.7"] for number in range(500)]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip"], rows))
    assert table.user_id.tolist() == [f"user{number}" for number in range(500)]


def test_values_are_canonical(log: Path) -> None:
    """Addresses have one spelling, truth one type, and missing numbers are 0 or NaN."""
    table = read_events(log)
    assert table.ip.tolist() == ["2001:db8::1", "203.0.113.7", "203.0.113.7", "203.0.113.8"]
    assert table.success.tolist() == [False, True, True, False]
    assert table.asn.tolist() == [0, 29695, 29695, 29695]
    assert np.isnan(table.ip_rep[0])
    assert table.ip_rep[1] == 5.0


def test_columns_the_log_lacks_are_absent(log: Path) -> None:
    """Present are the columns with a value; the optional ones are None."""
    table = read_events(log)
    assert table.present == {
        "timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "asn", "ip_rep",
    }  # fmt: skip
    assert table.browser is None
    assert table.ja4.tolist() == [""] * 4


def test_a_column_without_any_value_is_absent(tmp_path: Path) -> None:
    """An all-empty column would be a constant feature, so it counts as not there."""
    rows = [
        ["2025-05-01T10:00:00Z", "ann", "203.0.113.7", "", "-"],
        ["2025-05-01T10:00:01Z", "bo", "203.0.113.7", "", "-"],
    ]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip", "ja4", "city"], rows))
    assert "ja4" not in table.present
    assert "city" in table.present, "in our own schema a dash is a value"


def test_labels_cannot_change_what_is_read(tmp_path: Path) -> None:
    """Shuffled, inverted or nonsense labels give the identical table: no label is ever read."""
    labelled = ["label", "attack", "Is Attack IP", "Is Account Takeover"]
    plain = [["2025-05-01T10:00:00Z", f"user{number}", "203.0.113.7"] for number in range(6)]
    tables = []
    for labels in (["", "", "FALSE", "FALSE"], ["takeover", "1", "TRUE", "TRUE"], ["junk", "junk", "junk", "-"]):
        rows = [[*row, *labels] for row in plain]
        tables.append(read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip", *labelled], rows)))
    assert_equal(tables[0], tables[1])
    assert_equal(tables[0], tables[2])


def test_every_format_gives_the_same_table(log: Path, tmp_path: Path) -> None:
    """CSV, JSON and JSON lines of the same events are the same table."""
    with log.open(encoding="utf-8") as file:
        events = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
    array, lines = tmp_path / "log.json", tmp_path / "log.jsonl"
    array.write_text(json.dumps(events))
    lines.write_text("\n".join(map(json.dumps, events)))
    assert_equal(read_events(log), read_events(array))
    assert_equal(read_events(log), read_events(lines))


def test_until_leaves_out_that_moment_and_what_follows(log: Path) -> None:
    """The boundary itself is held back; a held-back row is not a dropped one."""
    table = read_events(log, until=1746180000.0)
    assert table.user_id.tolist() == ["bo"]
    assert (table.held_back, table.dropped, table.rows_in_file) == (3, {}, 4)


def test_minutes_and_seconds_alone_keep_the_order_of_the_file() -> None:
    """A log that kept only mm:ss starts at 2020-02-03T12:00Z, rolls over the hour, and says so."""
    table = read_events(DATA / "rba_minutes_only.csv")
    assert table.row_order.tolist() == [0, 1, 2, 8, 10]
    assert table.timestamp.tolist() == pytest.approx(
        [1580734690.2, 1580734692.9, 1580734799.9, 1580734803.0, 1580734803.0]
    )
    assert any("mm:ss" in note for note in table.notes)


def test_unusable_rows_are_counted_by_reason() -> None:
    """Nothing is dropped in silence, and a row is counted once."""
    table = read_events(DATA / "rba_minutes_only.csv")
    assert table.dropped == {
        "malformed_row": 1, "bad_timestamp": 1, "missing_user": 1, "bad_ip": 1, "bad_success": 1, "duplicate": 1,
    }  # fmt: skip
    assert len(table) + sum(table.dropped.values()) == table.rows_in_file == 11


def test_dashes_of_the_rba_schema_are_missing_values() -> None:
    """In the RBA data set a dash means unknown; RTT is a number where there is one."""
    table = read_events(DATA / "rba_minutes_only.csv")
    assert table.region.tolist() == ["", "", "Vestland", "", ""]
    assert table.rtt_ms[1] == 611
    assert np.isnan(table.rtt_ms[0])


def test_shortened_ids_and_strange_numbers_are_told() -> None:
    """Ids like 4.32E+18 stay text, and the report warns that people may share one."""
    table = read_events(DATA / "rba_minutes_only.csv")
    assert table.user_id[0] == "-4.32E+18"
    assert any("digits were lost" in note for note in table.notes)
    assert any("AS numbers" in note for note in table.notes)


def test_malformed_lines_do_not_move_the_other_rows(tmp_path: Path) -> None:
    """Broken and blank lines between good ones leave every good row at its own place in the file."""
    log = tmp_path / "log.csv"
    good = "2025-05-01T10:00:0{0}Z,user{0},203.0.113.7\n"
    log.write_text(
        "timestamp,user_id,ip\n"
        + good.format(0)
        + "too,many,columns,here\n\n"
        + good.format(2)
        + "few\n"
        + good.format(4)
    )
    table = read_events(log)
    assert table.row_order.tolist() == [0, 2, 4]
    assert (table.dropped, table.rows_in_file) == ({"malformed_row": 2}, 5)


def test_equal_events_with_ids_of_their_own_are_not_duplicates(tmp_path: Path) -> None:
    """A repeated delivery repeats the event id; two logins in one second do not."""
    rows = [["2025-05-01T10:00:00Z", "ann", "203.0.113.7", event] for event in ("e1", "e2", "e1")]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip", "event_id"], rows))
    assert table.row_order.tolist() == [0, 1]
    assert table.dropped == {"duplicate": 1}


@pytest.mark.parametrize("value", ["x" * 257, "a\0b"])
def test_texts_the_scorer_would_refuse_are_dropped(tmp_path: Path, value: str) -> None:
    """Training sees no value that serving could not see."""
    events = [
        {"timestamp": 1746086400 + number, "user_id": user, "ip": "203.0.113.7"}
        for number, user in enumerate(["ann", value])
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(map(json.dumps, events)))
    assert read_events(log).dropped == {"unusable_text": 1}


@pytest.mark.parametrize(
    ("moment", "usable"),
    [
        ("2025-05-01", True),
        ("2025-05-01 10:00:00.123", True),
        ("2025-05-01T10:00:00Z", True),
        ("1746086400.5", True),
        ("2000-01-01T00:00:00Z", True),
        ("1999-12-31T23:59:59Z", False),
        ("2100-01-01T00:00:00Z", False),
        ("2025-13-01", False),
        ("nan", False),
        ("inf", False),
        ("12:30", False),
        ("", False),
    ],
)
def test_a_moment_is_iso_or_epoch_and_of_this_century(tmp_path: Path, moment: str, usable: bool) -> None:
    """ISO 8601 and epoch numbers count, `mm:ss` beside full timestamps does not."""
    rows = [["2025-05-01T10:00:00Z", "ann", "203.0.113.7"], [moment, "bo", "203.0.113.7"]]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip"], rows))
    assert ("bo" in table.user_id.tolist()) is usable
    assert table.dropped == ({} if usable else {"bad_timestamp": 1})


@pytest.mark.parametrize(
    ("ip", "usable"),
    [
        ("198.51.100.9", True), ("255.255.255.255", True), ("fe80::1", True),
        ("198.01.100.9", False), ("256.1.1.1", False), ("1.2.3", False), ("1.2.3.4 ", False), ("", False),
    ],
)  # fmt: skip
def test_an_address_is_one_that_the_scorer_takes(tmp_path: Path, ip: str, usable: bool) -> None:
    """Leading zeros, spaces and fragments are no addresses."""
    rows = [["2025-05-01T10:00:00Z", "ann", "203.0.113.7"], ["2025-05-01T10:00:01Z", "bo", ip]]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip"], rows))
    assert len(table) == (2 if usable else 1)
    assert table.dropped == ({} if usable else {"bad_ip": 1})


def test_a_log_without_outcomes_is_a_log_of_successes(tmp_path: Path) -> None:
    """An event without `success` succeeded; the column counts as absent."""
    rows = [["2025-05-01T10:00:00Z", "ann", "203.0.113.7"]]
    table = read_events(write_csv(tmp_path / "log.csv", ["timestamp", "user_id", "ip"], rows))
    assert table.success.tolist() == [True]
    assert "success" not in table.present
