"""Labels in training: a confirmed compromise is never learned from, and a file that is none is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.logs import START, log, objects
from training.labels import read_labels, without_compromised
from training.refusals import WrongInputError
from training.sources import EventTable

GOOD = {"user_id": "u1", "timestamp": START, "ip": "10.0.0.1", "label": "compromised"}


def written(place: Path, *lines: object) -> Path:
    path = place / "labels.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def login(table: EventTable, row: int) -> tuple[str, int, str]:
    return table.user_id[row], round(float(table.timestamp[row]) * 1000), table.ip[row]


def test_only_compromised_logins_come_back_and_each_in_one_form(tmp_path: Path) -> None:
    """Moments are rounded to the millisecond, addresses are canonical, blank lines and safe logins are passed over."""
    path = written(
        tmp_path,
        {**GOOD, "timestamp": START + 0.0004, "by": "soc", "unknown": [1]},
        "",
        {**GOOD, "ip": "::ffff:10.0.0.2"},
        {**GOOD, "user_id": "safe", "label": "safe"},
    )
    moment = int(START) * 1000
    assert read_labels(path) == {("u1", moment, "10.0.0.1"), ("u1", moment, "10.0.0.2")}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({**GOOD, "label": "evil"}, "another label"),
        ({**GOOD, "ip": "nowhere"}, "not a labelled login"),
        ({**GOOD, "timestamp": "2020-06-01"}, "not a labelled login"),
        ({**GOOD, "timestamp": -1}, "not a labelled login"),
        ({**GOOD, "timestamp": 1e300}, "not a labelled login"),
        ({"user_id": "u1"}, "not a labelled login"),
        ("[1]", "not a labelled login"),
        ("{", "not a labelled login"),
        ("\x00", "not a labelled login"),
        ("[" * 5000, "not a labelled login"),
    ],
)
def test_a_line_that_is_no_label_is_named_and_not_repeated(tmp_path: Path, line: object, said: str) -> None:
    """A file that is not understood stops the training: a compromise might stand in it."""
    with pytest.raises(WrongInputError, match=said) as caught:
        read_labels(written(tmp_path, GOOD, line))
    assert caught.value.code == "bad_labels"
    assert "line 2 of labels.jsonl" in caught.value.message
    assert "nowhere" not in caught.value.message


@pytest.mark.parametrize(("name", "code"), [("missing.jsonl", "no_such_file"), (".", "unreadable_file")])
def test_a_file_that_cannot_be_read_is_wrong_input(tmp_path: Path, name: str, code: str) -> None:
    """No traceback for a slip in a path."""
    with pytest.raises(WrongInputError) as caught:
        read_labels(tmp_path / name)
    assert caught.value.code == code


def test_compromised_rows_go_and_the_others_keep_their_place_in_the_file() -> None:
    """Every column loses the same rows, so a score still finds its line."""
    table = log(300)
    gone = {5, 100, 299}
    left = without_compromised(table, frozenset(login(table, row) for row in gone))
    rest = [row for row in range(300) if row not in gone]
    assert len(left) == 297
    assert left.row_order.tolist() == rest
    assert left.user_id.tolist() == [table.user_id[row] for row in rest]
    assert left.browser is not None
    assert len(left.browser) == len(left.success) == len(left.asn) == 297
    assert (left.dropped, left.rows_in_file, left.notes) == ({"confirmed_compromised": 3}, 300, ())
    assert left.present == table.present


@pytest.mark.parametrize(("change", "drops"), [((0, 0, 0), 1), ((1, 0, 0), 0), ((0, 2, 0), 0), ((0, 0, 1), 0)])
def test_a_login_is_known_by_person_moment_and_address(change: tuple[int, int, int], drops: int) -> None:
    """Another person, another millisecond or another address is another login, and the missing one is told."""
    table = log(50)
    user, moment, ip = login(table, 7)
    label = (user + "x" * change[0], moment + change[1], ip + "1" * change[2])
    left = without_compromised(table, frozenset({label}))
    assert len(table) - len(left) == drops
    assert left.notes == (() if drops else ("1 of 1 confirmed compromises are not among the usable rows",))


def test_without_labels_the_table_is_the_same() -> None:
    """Nothing is copied for nothing."""
    table = log(50)
    assert without_compromised(table, frozenset()) is table


def test_a_column_that_only_compromises_had_is_absent_afterwards() -> None:
    """What is left must not look as if it had fingerprints."""
    table = log(50)
    probe, device = objects([""] * 50), np.empty(50, object)
    device[:] = ""
    probe[3] = device[3] = "only here"
    sparse = replace(table, probe=probe, device_type=device, present=table.present | {"probe"})
    left = without_compromised(sparse, frozenset({login(table, 3)}))
    assert left.device_type is None
    assert not {"probe", "device_type"} & left.present


def test_a_log_of_nothing_but_compromises_is_refused() -> None:
    """There is nothing to learn from."""
    table = log(20)
    with pytest.raises(WrongInputError) as caught:
        without_compromised(table, frozenset(login(table, row) for row in range(20)))
    assert caught.value.code == "no_usable_rows"
