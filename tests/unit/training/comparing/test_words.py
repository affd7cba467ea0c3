"""What a comparison says in words, where the numbers are small, alike, or of one."""

import msgspec
import pytest

from tests.unit.training.comparing.test_comparison import caught, comparison
from training.comparing.comparison import Comparison, Interval
from training.comparing.words import summary


def told(found: Comparison) -> str:
    return " ".join(summary(found))


@pytest.mark.parametrize(
    ("active", "candidate", "words"),
    [
        (10.0, 51.0, "Would prompt 41 more people a day (51 instead of 10"),
        (51.0, 10.0, "Would prompt 41 fewer people a day (10 instead of 51"),
        (3.0, 4.0, "Would prompt 1 more person a day (4 instead of 3"),
        (0.2, 0.5, "Would prompt 0.3 more people a day (0.5 instead of 0.2"),
        (7.0, 7.0, "Would prompt as many people a day (7 instead of 7"),
    ],
)
def test_prompts_are_people_a_day(active: float, candidate: float, words: str) -> None:
    """More, fewer, or as many."""
    step_up, deny = comparison().prompts
    change = candidate - active
    step_up = msgspec.structs.replace(
        step_up,
        active_a_day=active,
        candidate_a_day=candidate,
        a_day_difference=Interval(value=change, low=change - 1, high=change + 1),
    )
    assert words in told(msgspec.structs.replace(comparison(), prompts=(step_up, deny)))


def test_compromises_that_the_active_one_missed_come_first() -> None:
    """And what would be lost."""
    found = msgspec.structs.replace(
        caught("confirmed", -0.1, 0.6), attacks=6, active=2, candidate=4, only_active=1, only_candidate=3
    )
    assert (
        "Catches 3 of 4 confirmed compromises that the active one missed, misses 1 of 2 that it caught"
        " (66.7% instead of 33.3%; difference -10.0% to +60.0%)." in told(comparison(found))
    )


def test_where_nothing_was_missed_it_says_so() -> None:
    """No share of none; a narrow interval is told with more places."""
    found = msgspec.structs.replace(caught("simulated", -0.0002, 0.0003), active=10, candidate=10)
    words = told(comparison(found))
    assert "The active one missed none of 10 simulated strangers" in words
    assert "-0.020% to +0.030%" in words
    assert "No compromise is confirmed or labelled among them." in words
