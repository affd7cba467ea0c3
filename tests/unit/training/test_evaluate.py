"""The verdict follows the protocol to the row: who is judged, against which threshold, and what a tie is."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from training.evaluate import evaluate_file, history_lengths, read_labels
from training.refusals import WrongInputError

BEFORE, AFTER = "2020-08-31T23:59:59", "2020-09-01T00:00:00"


def row(**fields: Any) -> dict[str, Any]:
    plain = {
        "Login Timestamp": AFTER,
        "User ID": 1,
        "Login Successful": True,
        "Is Attack IP": False,
        "Is Account Takeover": False,
        "Probe": "",
    }
    return {**plain, **fields}


ATTACKS = [row(**{"Is Account Takeover": True}), *(row(Probe=name) for name in ("naive", "vpn", "targeted"))]


def write(folder: Path, rows: list[dict[str, Any]], risk: list[float]) -> tuple[Path, Path]:
    columns = {name: [each[name] for each in rows] for name in rows[0]}
    columns["Login Timestamp"] = np.array(columns["Login Timestamp"], dtype="datetime64[us]")
    parquet.write_table(pyarrow.table(columns), folder / "labels.parquet")
    parquet.write_table(pyarrow.table({"risk": np.array(risk, dtype=float)}), folder / "scores.parquet")
    return folder / "labels.parquet", folder / "scores.parquet"


def test_recall_is_counted_above_one_threshold_for_all_families(tmp_path: Path) -> None:
    """A hundred legitimate logins scored 0 to 99: at 1 % the threshold is 98, and a score equal to it is a miss."""
    paths = write(tmp_path, [row() for _ in range(100)] + ATTACKS, [*map(float, range(100)), 98.0, 98.5, 0.0, 200.0])
    first = evaluate_file(*paths).splitlines()[0]
    assert first.startswith("FPR 1% (actual 0.0100): takeover 0.000 naive 1.000 vpn 0.000 targeted 1.000 | macro 0.500")


def test_five_percent_is_judged_by_its_own_threshold(tmp_path: Path) -> None:
    """The last line uses the 5 % threshold: 94."""
    paths = write(tmp_path, [row() for _ in range(100)] + ATTACKS, [*map(float, range(100)), 94.5, 94.0, 95.0, 0.0])
    last = evaluate_file(*paths).splitlines()[-1]
    assert last.startswith("FPR 5% (actual 0.0500): takeover 1.000 naive 0.000 vpn 1.000 targeted 0.000 | macro 0.500")


@pytest.mark.parametrize(
    "fields",
    [
        {"Login Timestamp": BEFORE},
        {"Login Successful": False},
        {"Is Attack IP": True},
        {"Is Account Takeover": True},
        {"Probe": "vpn"},
    ],
)
def test_only_successful_logins_of_the_test_months_are_legitimate(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Training months, failures, attack addresses, takeovers and probes are not false alarms."""
    labels, _ = write(tmp_path, [row(), row(**fields), *ATTACKS], [0.0] * 6)
    assert read_labels(labels).legitimate.tolist() == [True, False, False, False, False, False]


def test_a_takeover_in_the_training_months_is_not_judged(tmp_path: Path) -> None:
    """It could have been learned from."""
    early = row(**{"Login Timestamp": BEFORE, "Is Account Takeover": True})
    labels, _ = write(tmp_path, [early, row(), *ATTACKS], [0.0] * 6)
    assert read_labels(labels).families["takeover"].tolist() == [False, False, True, False, False, False]


def test_history_counts_what_was_learned_before_the_row() -> None:
    """Logins that do not teach do not count, and a row does not count itself."""
    lengths = history_lengths(np.array([1, 1, 2, 1, 1]), np.array([True, False, True, True, True]))
    assert lengths.tolist() == [0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    ("risk", "code"), [([0.0] * 4, "scores_do_not_fit"), ([0.0] * 4 + [float("nan")], "scores_do_not_fit")]
)
def test_scores_that_do_not_fit_the_labels_are_refused(tmp_path: Path, risk: list[float], code: str) -> None:
    """One finite score a row."""
    with pytest.raises(WrongInputError) as refused:
        evaluate_file(*write(tmp_path, [row(), *ATTACKS], risk))
    assert refused.value.code == code


def test_files_that_cannot_be_judged_are_named(tmp_path: Path) -> None:
    """No Parquet, no labels, no attack to find: each says so."""
    labels, scores = write(tmp_path, [row(), *ATTACKS], [0.0] * 5)
    (tmp_path / "text.parquet").write_text("no")
    parquet.write_table(parquet.read_table(labels).drop_columns(["Probe"]), tmp_path / "unlabelled.parquet")
    no_attack, _ = write(tmp_path / ".", [row(), row()], [0.0] * 2)
    cases = [
        ("text.parquet", "not_parquet"),
        ("unlabelled.parquet", "unknown_columns"),
        (no_attack, "nothing_to_judge"),
    ]
    for path, code in cases:
        with pytest.raises(WrongInputError) as refused:
            evaluate_file(tmp_path / path, scores)
        assert refused.value.code == code
