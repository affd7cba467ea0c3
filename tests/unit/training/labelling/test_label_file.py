"""A file of labels: every word in its order, whoever wrote the file, and what is none is refused."""

import json
from pathlib import Path

import pytest

from tests.unit.training.logs import START
from training.labelling.label_file import Word, read_label_file
from training.labels import read_labels
from training.refusals import WrongInputError

GOOD = {"user_id": "u1", "timestamp": START, "ip": "10.0.0.1", "label": "compromised"}
LOGIN = ("u1", int(START) * 1000, "10.0.0.1")


def written(place: Path, *lines: object) -> Path:
    path = place / "labels.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


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


def word(verdict: str, known_at: float, by: str = "soc", source: str = "analyst") -> dict[str, object]:
    return {"verdict": verdict, "by": by, "source": source, "at": known_at, "known_at": known_at}


def test_all_words_are_read_once_and_in_their_order(tmp_path: Path) -> None:
    """Two lines about one login are one login; the file's digest is that of its bytes."""
    first = {**GOOD, "words": [word("confirmed_compromised", 30.0), word("dismissed", 50.0)]}
    again = {**GOOD, "words": [word("dismissed", 50.0), word("confirmed_safe", 40.0, "account-owner", "owner")]}
    path = written(tmp_path, first, again)
    found = read_label_file(path)
    assert [(each.verdict, each.source) for each in found.words[LOGIN]] == [
        ("confirmed_compromised", "analyst"),
        ("confirmed_safe", "owner"),
        ("dismissed", "analyst"),
    ]
    assert (found.lines, len(found.sha256)) == (2, 64)


@pytest.mark.parametrize(
    ("more", "source", "known_at"),
    [
        ({}, "analyst", 0.0),
        ({"by": "account-owner", "at": 7.0}, "owner", 7.0),
        ({"by": "soc", "at": 7.0, "known_at": 9.0}, "analyst", 9.0),
        ({"by": "x", "source": "shared_signals", "words": []}, "shared_signals", 0.0),
    ],
)
def test_a_line_without_words_is_one_word(
    tmp_path: Path, more: dict[str, object], source: str, known_at: float
) -> None:
    """As an older scorer or the engineers themselves write it; without a moment it was always known."""
    [said] = read_label_file(written(tmp_path, {**GOOD, **more})).words[LOGIN]
    assert said == Word(
        verdict="confirmed_compromised",
        by=more.get("by", "unknown"),
        source=source,
        known_at=known_at,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("until", "known"), [(29.0, False), (30.0, False), (31.0, True), (51.0, False)])
def test_what_was_not_known_yet_is_no_label(tmp_path: Path, until: float, known: bool) -> None:
    """Nor what had been withdrawn by then."""
    path = written(tmp_path, {**GOOD, "words": [word("confirmed_compromised", 30.0), word("dismissed", 50.0)]})
    assert read_labels(path, until=until) == (frozenset({LOGIN}) if known else frozenset())
