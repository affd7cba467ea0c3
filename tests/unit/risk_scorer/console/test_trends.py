"""Weekly figures: which weeks there are, what an empty one is, and what is said of the one that runs."""

import pytest

from risk_scorer.core.console.trends import CHARTS, WEEK_SECONDS, Unit, monday, short, trend, weeks_until, words

MONDAY = 1_759_708_800.0  # 6 October 2025, 00:00 UTC
ATTACKS = CHARTS[0]
REMEDIATION = CHARTS[3]
BY_AGE = CHARTS[5]
STARTS = (MONDAY, MONDAY + WEEK_SECONDS, MONDAY + 2 * WEEK_SECONDS)


@pytest.mark.parametrize(
    ("moment", "began"),
    [(MONDAY, MONDAY), (MONDAY + WEEK_SECONDS - 0.001, MONDAY), (MONDAY - 0.001, MONDAY - WEEK_SECONDS)],
)
def test_a_week_begins_on_monday(moment: float, began: float) -> None:
    """At midnight, UTC."""
    assert monday(moment) == began


def test_the_last_week_is_the_one_that_runs() -> None:
    """As many as were asked for, oldest first."""
    assert weeks_until(MONDAY + WEEK_SECONDS + 1.0, 2) == STARTS[:2]
    found = trend(ATTACKS, [], STARTS)
    assert [week.is_running for week in found.weeks] == [False, False, True]


def test_a_week_without_rows_is_empty_and_not_nought() -> None:
    """Nought is a value of its own, which has no bar either."""
    rows = [{"week_at": MONDAY, "attacks": 0, "denied": 0}, {"week_at": STARTS[2], "attacks": 9, "denied": 4}]
    found = trend(ATTACKS, rows, STARTS)
    assert [week.is_empty for week in found.weeks] == [False, True, False]
    assert [week.values for week in found.weeks] == [("0", "0"), ("", ""), ("9", "4")]
    assert [(each.series, each.is_running) for each in found.bars] == [(0, True), (1, True)]
    assert not found.is_empty
    assert trend(ATTACKS, [], STARTS).is_empty


def test_what_is_compared_are_full_weeks() -> None:
    """The one that runs will grow, so it stands beside no other."""
    rows = [{"week_at": at, "attacks": 10 + n, "denied": n} for n, at in enumerate(STARTS)]
    found = trend(ATTACKS, rows, STARTS)
    assert (found.last, found.before) == (("11", "1"), ("10", "0"))
    assert trend(ATTACKS, rows[2:], STARTS[2:]).last == ("", "")


def test_bars_are_as_high_as_their_values() -> None:
    """In one scale for all series of a chart, whose top is a round number above them."""
    rows = [{"week_at": MONDAY, "attacks": 40, "denied": 20}]
    found = trend(ATTACKS, rows, STARTS)
    first, second = (each.bar for each in found.bars)
    assert first.height == pytest.approx(2 * second.height)
    assert [each for each, _ in found.ticks] == ["0", "12.5", "25", "37.5", "50"]
    assert first.y + first.height == pytest.approx(found.ticks[0][1])


def test_a_median_is_told_in_hours_and_one_that_is_unknown_is_none() -> None:
    """A week may have closed incidents and no verdict."""
    found = trend(REMEDIATION, [{"week_at": MONDAY, "verdict_seconds": None, "close_seconds": 5_400.0}], STARTS)
    assert found.weeks[0].values == ("", "1.5 h")
    assert not found.weeks[0].is_empty


def test_each_age_of_accounts_has_its_own_row() -> None:
    """A share is of what that group did; of nothing there is none."""
    rows = [
        {"week_at": MONDAY, "cohort": "new", "failures": 1, "events": 4},
        {"week_at": MONDAY, "cohort": "aged", "failures": 1, "events": 200},
        {"week_at": STARTS[1], "cohort": "new", "failures": 0, "events": 0},
    ]
    found = trend(BY_AGE, rows, STARTS)
    assert found.weeks[0].values == ("25.00 %", "0.50 %")
    assert found.weeks[1].is_empty


@pytest.mark.parametrize(
    ("value", "unit", "long", "axis"),
    [(1234.0, "count", "1,234", "1.234k"), (2e6, "count", "2,000,000", "2M"), (0.5, "hours", "0.5 h", "0.5 h")],
)
def test_numbers_are_short_on_an_axis(value: float, unit: Unit, long: str, axis: str) -> None:
    """And whole in a table."""
    assert (words(value, unit), short(value, unit)) == (long, axis)
