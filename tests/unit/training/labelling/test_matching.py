"""Labelled logins in a log: a confirmed compromise is never learned from, and the others stay as they are."""

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.training.logs import START, log, objects
from training.labelling.matching import MOST_KEPT_OUT, matched, without_compromised
from training.labelling.standing import Label
from training.refusals import TrainingRefusedError, WrongInputError
from training.sources import EventTable


def login(table: EventTable, row: int) -> tuple[str, int, str]:
    return table.user_id[row], round(float(table.timestamp[row]) * 1000), table.ip[row]


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


def label(login: tuple[str, int, str], *, is_compromised: bool = True) -> Label:
    return Label(
        login=login,
        is_compromised=is_compromised,
        source="analyst",
        mouth="analyst:soc",
        worth=1.0,
        known_at=START,
        is_contradicted=False,
    )


def test_safe_logins_stay_and_both_kinds_are_evidence() -> None:
    """The compromise leaves the log, and each labelled row is kept with its label in time order."""
    table = log(100)
    found = matched(table, [label(login(table, 30)), label(login(table, 5), is_compromised=False)])
    assert (len(found.table), found.kept_out, found.missed) == (99, 1, 0)
    assert found.rows.row_order.tolist() == [5, 30]
    assert [each.is_compromised for each in found.labels] == [False, True]
    assert found.table.dropped == {"confirmed_compromised": 1}


def test_a_log_of_whole_seconds_finds_its_logins_and_the_compromise_counts() -> None:
    """Milliseconds are cut off; where two logins become one so, it is kept out."""
    table = replace(log(50), timestamp=np.floor(log(50).timestamp))
    user, moment, ip = login(table, 7)
    found = matched(table, [label((user, moment + 250, ip)), label((user, moment + 750, ip), is_compromised=False)])
    assert (found.kept_out, [each.is_compromised for each in found.labels]) == (1, [True])


def test_labels_of_another_log_are_counted_and_change_nothing() -> None:
    """They may be of later months."""
    table = log(50)
    found = matched(table, [label(("nobody", 0, "10.0.0.1")), label(("no", 0, "10.0.0.1"), is_compromised=False)])
    assert (found.missed, found.kept_out, len(found.rows)) == (2, 0, 0)
    assert found.table.notes == ("1 of 1 confirmed compromises are not among the usable rows",)


@pytest.mark.parametrize(("rows", "refused"), [(10, False), (11, True)])
def test_more_than_a_tenth_compromised_is_doubted(rows: int, refused: bool) -> None:
    """Somebody labels what they should not, or the log is one of attacks."""
    table = log(100)
    labels = [label(login(table, row)) for row in range(rows)]
    assert MOST_KEPT_OUT == 0.1
    if not refused:
        assert matched(table, labels).kept_out == rows
        return
    with pytest.raises(TrainingRefusedError) as caught:
        matched(table, labels)
    assert caught.value.code == "too_many_compromised"
