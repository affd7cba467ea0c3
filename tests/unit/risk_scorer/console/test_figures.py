"""The overview's figures: what a share proves beside its budget, what detections point at, how slow answers were."""

import math

import pytest

from risk_scorer.contract.attack import BY_REASON, BY_SIGNAL, TECHNIQUES
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.console.figures import (
    MOST_DETECTIONS,
    Standing,
    detections,
    found_in_sessions,
    median,
    p95,
    prompted,
    rate,
)
from risk_scorer.core.reasons import CODES


@pytest.mark.parametrize(
    ("count", "among", "standing"),
    [
        (0, 0, "unknown"),
        (0, 10, "open"),  # ten people without a prompt prove nothing about 2 %
        (1, 1_000, "within"),
        (20, 1_000, "open"),
        (60, 1_000, "above"),
    ],
)
def test_a_share_is_within_its_budget_only_where_its_limits_prove_it(
    count: int, among: int, standing: Standing
) -> None:
    """And above it likewise; between the two it is open."""
    found = prompted(count, among, 0.02)
    assert found.standing == standing
    assert found.low <= found.share <= found.high


def test_detections_point_at_the_technique_that_their_events_name() -> None:
    """The same that a SIEM is told of: their own, else what every risky login may be a sign of."""
    found = {each.code: each for each in detections(["tor_exit new_device", "tor_exit", ""])}
    assert [(each.code, each.count) for each in found.values()] == [("tor_exit", 2), ("new_device", 1)]
    assert (found["tor_exit"].technique.id, found["tor_exit"].is_own) == ("T1090.003", True)
    assert (found["new_device"].technique.name, found["new_device"].is_own) == ("Valid Accounts", False)
    assert len(detections([" ".join(CODES)])) == MOST_DETECTIONS


def test_what_was_found_in_sessions_has_its_technique() -> None:
    """Its own, else that somebody else has the session."""
    found = {each.code: each for each in found_in_sessions(["volume unusual_hour", "volume"])}
    assert [(each.code, each.count) for each in found.values()] == [("volume", 2), ("unusual_hour", 1)]
    assert (found["volume"].technique.id, found["volume"].is_own) == ("T1020", True)
    assert (found["unusual_hour"].technique.name, found["unusual_hour"].is_own) == ("Steal Web Session Cookie", False)


def test_every_signal_with_a_technique_is_one_that_detectors_give() -> None:
    """A code that was renamed would point at nothing for ever."""
    assert BY_SIGNAL.keys() <= {code for detector in ALL for code in detector.texts}
    assert set(BY_SIGNAL.values()) <= TECHNIQUES.keys()


def test_every_reason_with_a_technique_is_one_that_scores_have() -> None:
    """A code that was renamed would point at nothing for ever."""
    assert BY_REASON.keys() <= set(CODES)
    assert set(BY_REASON.values()) <= TECHNIQUES.keys()


def test_the_minute_that_runs_is_not_the_last_one() -> None:
    """It is drawn, and its number would look like a fall."""
    found = rate({100: 7, 101: 2, 41: 9}, 101 * 60.0 + 5.0, width=60.0, height=10.0)
    assert (found.last, found.most, len(found.minutes), found.minutes[-1]) == (7, 7, 60, 2)
    assert rate({42: 9}, 101 * 60.0, width=60.0, height=10.0).minutes[0] == 9


NOW = {0.001: 50.0, 0.01: 96.0, 0.1: 99.0, math.inf: 100.0}


@pytest.mark.parametrize(
    ("before", "count", "at_most_ms"),
    [
        ({}, 100, 10.0),
        ({0.001: 50.0, 0.01: 90.0, 0.1: 90.0, math.inf: 90.0}, 10, None),  # the slowest of ten took longer than that
        ({0.001: 49.0, 0.01: 90.0, 0.1: 92.0, math.inf: 93.0}, 7, 100.0),
        (NOW, 0, None),
    ],
)
def test_a_p95_is_the_bound_of_a_bucket(before: dict[float, float], count: int, at_most_ms: float | None) -> None:
    """Of what came since then; nothing is said of what is slower than the last bound."""
    found = p95(NOW, before)
    assert found.count == count
    if before != NOW and at_most_ms is None:
        assert found.at_most_ms is None
    elif at_most_ms is not None:
        assert found.at_most_ms == pytest.approx(at_most_ms)


def test_a_median_is_the_middle() -> None:
    """Of two in the middle their mean, and of nothing nothing."""
    assert [median(each) for each in ([3.0, 1.0, 9.0], [1.0, 3.0], [])] == [3.0, 2.0, None]
