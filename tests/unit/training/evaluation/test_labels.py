"""Labels find their rows, whatever the file's order and dirt, and each value means what its schema says."""

from pathlib import Path

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from training.evaluation.labels import Truth, read_truth
from training.refusals import WrongInputError
from training.sources import read_events

OURS = "timestamp,user_id,ip,success,label\n"
RBA = "Login Timestamp,User ID,IP Address,Login Successful,Is Attack IP,Is Account Takeover,Probe\n"


def truth_of(tmp_path: Path, text: str, name: str = "log.csv") -> Truth:
    path = tmp_path / name
    path.write_text(text)
    return read_truth(path, read_events(path))


def test_each_label_but_a_legitimate_one_is_a_family(tmp_path: Path) -> None:
    """Empty, honest and benign are people; a failure of theirs is neither."""
    truth = truth_of(
        tmp_path,
        OURS
        + "2025-01-01,a,10.0.0.1,true,\n2025-01-02,a,10.0.0.1,true,Honest\n2025-01-03,b,10.0.0.2,true,stuffing\n"
        + "2025-01-04,a,10.0.0.1,false,benign\n2025-01-05,b,10.0.0.2,false,takeover\n",
    )
    assert truth.legitimate.tolist() == [True, True, False, False, False]
    assert {name: rows.tolist() for name, rows in truth.families.items()} == {
        "takeover": [False, False, False, False, True],
        "stuffing": [False, False, True, False, False],
    }
    assert truth.history.tolist() == [0, 1, 0, 2, 1]


def test_labels_follow_their_rows_through_sorting_drops_and_malformed_lines(tmp_path: Path) -> None:
    """A later row first, a row without a user, one with an impossible address, a broken and an empty line between."""
    truth = truth_of(
        tmp_path,
        OURS
        + "2025-01-09,late,10.0.0.1,true,takeover\n2025-01-02,,10.0.0.1,true,spraying\n\n"
        + "2025-01-03,x,nowhere,true,spraying\nbroken\n2025-01-01,early,10.0.0.2,true,\n"
        + "2025-01-05,middle,10.0.0.3,true,stuffing\n",
    )
    assert truth.legitimate.tolist() == [True, False, False]
    assert list(truth.families) == ["takeover", "stuffing"]
    assert truth.families["stuffing"].tolist() == [False, True, False]
    assert truth.families["takeover"].tolist() == [False, False, True]


def test_the_rba_schema_has_takeovers_and_probes(tmp_path: Path) -> None:
    """An attack address makes a login neither; probes come in the protocol's order, others after them."""
    truth = truth_of(
        tmp_path,
        RBA
        + "2020-09-01,1,10.0.0.1,True,False,False,\n2020-09-02,1,10.0.0.1,True,True,False,\n"
        + "2020-09-03,1,10.0.0.1,True,False,True,\n2020-09-04,1,10.0.0.1,True,False,False,vpn\n"
        + "2020-09-05,1,10.0.0.1,True,False,False,naive\n2020-09-06,1,10.0.0.1,True,False,False,another\n",
    )
    assert truth.legitimate.tolist() == [True, False, False, False, False, False]
    assert list(truth.families) == ["takeover", "naive", "vpn", "another"]
    assert [int(np.flatnonzero(rows)[0]) for rows in truth.families.values()] == [2, 4, 3, 5]


def test_the_published_rba_file_has_no_probes_and_is_read_all_the_same(tmp_path: Path) -> None:
    """As CSV without the column that a simulator adds."""
    head = RBA.replace(",Probe", "")
    truth = truth_of(tmp_path, head + "2020-09-01,1,10.0.0.1,True,False,True\n2020-09-02,1,10.0.0.1,True,False,False\n")
    assert (list(truth.families), truth.legitimate.tolist()) == (["takeover"], [False, True])


def test_json_keeps_its_label(tmp_path: Path) -> None:
    """In lines and as an array; a row without one is a person's own."""
    rows = [
        '{"timestamp": "2025-01-01", "user_id": "a", "ip": "10.0.0.1", "label": "takeover"}',
        '{"timestamp": "2025-01-02", "user_id": "a", "ip": "10.0.0.1"}',
    ]
    for name, text in (("log.jsonl", "\n".join(rows)), ("log.json", f"[{', '.join(rows)}]")):
        truth = truth_of(tmp_path, text, name)
        assert (truth.families["takeover"].tolist(), truth.legitimate.tolist()) == ([True, False], [False, True])


def test_parquet_gives_labels_of_any_type(tmp_path: Path) -> None:
    """A missing label is a legitimate row; a number is a name like another."""
    columns = {
        "timestamp": ["2025-01-01", "2025-01-02"],
        "user_id": ["a", "b"],
        "ip": ["10.0.0.1", "10.0.0.2"],
        "label": pyarrow.array([None, 7], pyarrow.int64()),
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "log.parquet")
    truth = read_truth(tmp_path / "log.parquet", read_events(tmp_path / "log.parquet"))
    assert (list(truth.families), truth.legitimate.tolist()) == (["7"], [True, False])


def test_a_log_without_labels_is_declined(tmp_path: Path) -> None:
    """There is nothing to judge by, and it says which column was looked for."""
    with pytest.raises(WrongInputError) as refused:
        truth_of(tmp_path, "timestamp,user_id,ip\n2025-01-01,a,10.0.0.1\n")
    assert refused.value.code == "no_labels"
    assert "label" in refused.value.message


@pytest.mark.parametrize("judged", [[True, False, False], [False, False, True], [False, False, False]])
def test_a_span_without_people_or_without_attacks_is_declined(tmp_path: Path, judged: list[bool]) -> None:
    """Neither recall nor alarms could be told."""
    truth = truth_of(
        tmp_path,
        OURS + "2025-01-01,a,10.0.0.1,true,\n2025-01-02,a,10.0.0.1,true,\n2025-01-03,b,10.0.0.2,true,takeover\n",
    )
    with pytest.raises(WrongInputError) as refused:
        truth.between(np.array(judged))
    assert refused.value.code == "nothing_to_judge"


def test_a_span_keeps_only_the_families_that_are_in_it(tmp_path: Path) -> None:
    """What happened before is no family to be caught."""
    truth = truth_of(
        tmp_path,
        OURS
        + "2025-01-01,b,10.0.0.2,true,spraying\n2025-01-02,a,10.0.0.1,true,\n2025-01-03,b,10.0.0.2,true,takeover\n",
    ).between(np.array([False, True, True]))
    assert list(truth.families) == ["takeover"]
