"""Labels of a log that lies in several files are those of the rows, wherever the files' borders are."""

from pathlib import Path

import numpy as np
import pytest

from training.evaluation.labels import read_truth, texts_of
from training.refusals import WrongInputError
from training.sources import read_events

HEADER = "timestamp,user_id,ip,success,label,client_id\n"
ROWS = [
    "2025-05-01T10:00:00Z,ann,203.0.113.7,true,,shop\n",
    "2025-05-01T11:00:00Z,bob,203.0.113.8,true,takeover,shop\n",
    'broken "record", with, text behind a "quote"x,,,,,,\n',
    "2025-05-01T09:00:00Z,cat,203.0.113.9,true,,desk\n",
    "2025-05-02T10:00:00Z,ann,203.0.113.7,true,stuffing,desk\n",
]


def folder_of(place: Path, *files: list[str], header: str = HEADER) -> Path:
    """A folder with these files."""
    place.mkdir()
    for number, rows in enumerate(files):
        (place / f"part-{number}.csv").write_text(header + "".join(rows))
    return place


@pytest.mark.parametrize("border", [1, 2, 3, 4])
def test_labels_follow_the_rows_over_the_files(border: int, tmp_path: Path) -> None:
    """One file or two, with a record that is none on either side of the border: the same labels."""
    whole = tmp_path / "log.csv"
    whole.write_text(HEADER + "".join(ROWS))
    parted = folder_of(tmp_path / "log", ROWS[:border], ROWS[border:])
    one, two = (read_truth(path, read_events(path)) for path in (whole, parted))
    assert [one.schema, sorted(one.families)] == [two.schema, sorted(two.families)]
    assert np.array_equal(one.legitimate, two.legitimate)
    assert all(np.array_equal(one.families[name], two.families[name]) for name in one.families)
    assert two.families["takeover"].sum() == 1
    assert list(texts_of(parted, "client_id", read_events(parted))) == list(
        texts_of(whole, "client_id", read_events(whole))
    )


def test_a_folder_without_labels_has_none(tmp_path: Path) -> None:
    """There is nothing to judge by, and that is said."""
    header = HEADER.replace("label", "other")
    folder = folder_of(tmp_path / "log", ROWS[:2], ROWS[3:], header=header)
    with pytest.raises(WrongInputError) as declined:
        read_truth(folder, read_events(folder))
    assert declined.value.code == "no_labels"
