"""Logins are counted where their numbers fall: each once, and only those that say something about people."""

import msgspec
import numpy as np
import pytest

from risk_scorer.core.features import FEATURES, WIDTH
from risk_scorer.core.reference import Counts, Reference, Spread, named
from risk_scorer.core.scoring import NOBODY
from risk_scorer.core.signals import COLUMNS, PLACE
from risk_scorer.core.tally import MISSING_AT, Tally, is_counted
from tests.unit.risk_scorer.core.watched import REFERENCE


def counted(
    rows: list[dict[str, float]], reference: Reference = REFERENCE, *, score: float = 10.0, kept: bool = True
) -> Counts:
    """The counts of logins with these features or signals, all else being 1; `total` is their evidence."""
    features, signals = np.ones((len(rows), WIDTH)), np.ones((len(rows), len(COLUMNS)))
    total = np.zeros(len(rows))
    for place, row in enumerate(rows):
        for name, value in row.items():
            if name == "total":
                total[place] = value
            if name in FEATURES:
                features[place, FEATURES.index(name)] = value
            if name in PLACE:
                signals[place, PLACE[name]] = value
    tally = Tally(reference)
    tally.take((features, signals, total, np.full(len(rows), score)), np.full(len(rows), kept))
    return named(reference, tally.counts)


@pytest.mark.parametrize(
    ("hour", "bin_"), [(-9.0, 0), (5.9, 0), (6.0, 1), (11.9, 1), (12.0, 2), (17.9, 2), (18.0, 3), (99.0, 3)]
)
def test_an_edge_belongs_to_the_bin_above_it(hour: float, bin_: int) -> None:
    """Both sides of each edge; what lies outside is in the outermost bins."""
    assert counted([{"hour": hour}]).spreads["hour"].tolist() == np.eye(5, dtype=int)[bin_].tolist()


@pytest.mark.parametrize(("total", "bin_"), [(-1.1, 0), (-1.0, 1), (0.5, 2), (5.0, 3)])
def test_the_score_is_counted_by_its_evidence(total: float, bin_: int) -> None:
    """So that another scale for the same evidence changes no bin."""
    assert counted([{"total": total}]).spreads["score"].tolist() == np.eye(5, dtype=int)[bin_].tolist()


@pytest.mark.parametrize(
    ("score", "prompted", "denied"), [(59.99, 0, 0), (60.0, 1, 0), (79.99, 1, 0), (80.0, 1, 1), (100.0, 1, 1)]
)
def test_prompts_and_denials_are_counted_at_the_marks(score: float, prompted: int, denied: int) -> None:
    """A denied login is a prompted one too."""
    found = counted([{}], score=score)
    assert (found.prompted, found.denied) == (prompted, denied)


def test_a_value_that_nobody_had_is_unknown() -> None:
    """By the frequencies of the model, and only where the log had the column."""
    found = counted([{"count_ip": 0.0, "count_ua": 0.0}, {"count_ip": 1.0}])
    assert found.unknown == {"ip": 1, "user": 0}


@pytest.mark.parametrize("name", MISSING_AT)
@pytest.mark.parametrize(("told", "flag_is_missing", "else_is_missing"), [(np.nan, 1, 1), (0.0, 1, 0), (1.0, 0, 0)])
def test_what_was_filled_in_is_missing(name: str, told: float, flag_is_missing: int, else_is_missing: int) -> None:
    """A pause of no seconds is one, and a latitude of 0 a place; no fingerprint and no history are nothing."""
    reference = msgspec.structs.replace(
        REFERENCE, spreads={**REFERENCE.spreads, name: Spread(edges=(0.5,), counts=(50, 50, 0))}
    )
    is_flag = MISSING_AT[name] in ("ja4_given", "logins")
    expected = flag_is_missing if is_flag else else_is_missing
    found = counted([{name: 1.0, MISSING_AT[name]: told}], reference).spreads[name]
    assert (found[-1], found.sum()) == (expected, 1)


def test_what_is_not_kept_is_not_counted() -> None:
    """And nothing else of it either."""
    found = counted([{}], kept=False)
    assert found.logins == 0
    assert all(not bins.any() for bins in found.spreads.values())


def test_every_login_is_in_one_bin_of_each_number() -> None:
    """However many come at once."""
    found = counted([{"hour": float(hour)} for hour in range(24)])
    assert found.logins == 24
    assert all(bins.sum() == 24 for bins in found.spreads.values())
    assert found.spreads["hour"].tolist() == [6, 6, 6, 6, 0]


def test_a_tally_that_was_drained_begins_anew() -> None:
    """Nothing is told twice."""
    tally = Tally(REFERENCE)
    one = (np.ones((1, WIDTH)), np.ones((1, len(COLUMNS))), np.zeros(1), np.zeros(1))
    tally.take(one, np.ones(1, bool))
    assert named(REFERENCE, tally.drain()).logins == 1
    assert named(REFERENCE, tally.drain()).logins == 0


@pytest.mark.parametrize(
    ("success", "kind", "counts"),
    [(True, "login", True), (False, "login", False), (True, "refresh", False), (True, "step_up", False)],
)
def test_only_people_who_logged_in_count(success: bool, kind: str, counts: bool) -> None:
    """Whoever guesses passwords does not shift what people look like."""
    seen = msgspec.structs.replace(NOBODY, success=success, kind=kind)
    assert is_counted([seen]).tolist() == [counts]
