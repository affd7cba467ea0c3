"""Differences of shares that were counted on the same logins, and how sure they are."""

import numpy as np
import pytest

from training.comparing.comparison import NOTHING_KNOWN, Interval
from training.comparing.paired import difference, mcnemar, newcombe, times


def flags(*, both: int, active: int, candidate: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """So many logins that both flag, one of them alone, or neither."""
    ones = np.repeat([True, True, False, False], [both, active, candidate, neither])
    others = np.repeat([True, False, True, False], [both, active, candidate, neither])
    return ones, others


def test_newcombes_interval_is_the_published_one() -> None:
    """Cavo et al. 2012, complete response before and after consolidation: 59, 6, 16, 80 (Fagerland, Lydersen and Laake
    2017, "Statistical Analysis of Contingency Tables", chapter 8)."""
    found = newcombe(59, 6, 16, 161)
    assert [round(each, 4) for each in (found.value, found.low, found.high)] == [-0.0621, -0.1186, -0.0046]


def test_the_order_of_the_models_turns_the_interval_round() -> None:
    """Nothing in it prefers one of them."""
    one, other = newcombe(59, 6, 16, 161), newcombe(59, 16, 6, 161)
    assert other.value == -one.value
    assert other.low == pytest.approx(-one.high)
    assert other.high == pytest.approx(-one.low)


def test_models_that_never_differ_on_few_logins_are_not_proven_alike() -> None:
    """A bootstrap alone would say that they are alike for certain."""
    found = difference(*flags(both=2, active=0, candidate=0, neither=18), range(20), np.random.default_rng(0))
    assert found.value == 0.0
    assert found.low < -0.03 < 0.03 < found.high


def test_logins_of_one_person_prove_less_than_those_of_many() -> None:
    """Forty attacks on two people are nearly two, and forty on forty people are forty."""
    pair = flags(both=20, active=0, candidate=20, neither=0)
    one_each = difference(*pair, range(40), np.random.default_rng(0))
    of_two = difference(*pair, [0] * 20 + [1] * 20, np.random.default_rng(0))
    assert one_each.low > 0.3
    assert of_two.low == 0.0
    assert of_two.high == 1.0


def test_the_same_seed_gives_the_same_interval() -> None:
    """Chance is an argument."""
    pair = flags(both=5, active=9, candidate=2, neither=40)
    people = [place % 13 for place in range(56)]
    found = [difference(*pair, people, np.random.default_rng(3)) for _ in range(2)]
    assert found[0] == found[1]


def test_of_no_login_nothing_is_known() -> None:
    """An empty part of a log proves nothing."""
    nobody = np.zeros(0, bool)
    assert difference(nobody, nobody, [], np.random.default_rng(0)) == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("only_active", "only_candidate", "p"), [(0, 0, 1.0), (1, 0, 1.0), (0, 6, 0.03125), (5, 5, 1.0)]
)
def test_mcnemars_test_is_exact(only_active: int, only_candidate: int, p: float) -> None:
    """Six of six one way is two in sixty-four."""
    assert mcnemar(only_active, only_candidate) == pytest.approx(p)


def test_intervals_cover_what_is_true_about_as_often_as_they_say(is_long: bool) -> None:
    """Of people with ten logins each, who differ among themselves, at least 93 of 100 intervals hold the true one."""
    rounds, chance, held = (400 if is_long else 60), np.random.default_rng(11), 0
    people = np.repeat(np.arange(80), 10)
    for _ in range(rounds):
        active = chance.random(800) < 0.05
        of_person = np.repeat(chance.random(80) < 0.1, 10)
        candidate = active | (of_person & (chance.random(800) < 0.6))
        found = difference(active, candidate, people.tolist(), chance)
        held += found.low <= 0.1 * 0.6 * 0.95 <= found.high
    assert held >= 0.9 * rounds


def test_times_takes_the_limits_along() -> None:
    """Prompts a day are shares times logins a day."""
    assert times(Interval(value=0.5, low=0.25, high=1.0), 4.0) == Interval(value=2.0, low=1.0, high=4.0)
