"""Labels are as heavy as they may be: what they cost in recall of simulated strangers is bounded."""

import pytest

from training.labelling.teaching import MOST_LOST, TRIED, as_heavy_as_may_be, costs_too_much

MANY = {"naive": 100_000, "housemate": 100_000}


@pytest.mark.parametrize(
    ("lost_at_full", "share"), [(0.0, 1.0), (0.0499, 1.0), (0.0501, 0.5), (0.19, 0.25), (0.75, 0.0625), (0.9, 0.0)]
)
def test_the_largest_share_that_costs_little_enough_is_taken(lost_at_full: float, share: float) -> None:
    """Where even a sixteenth costs too much, the labels weigh nothing; a fit without them is made first."""
    asked: list[float] = []

    def fitted(of: float) -> float:
        asked.append(of)
        return of

    found = as_heavy_as_may_be(fitted, lambda of: {"naive": 1.0, "housemate": 0.9 - lost_at_full * of}, MANY)
    assert found == (share, share, 0.0)
    assert asked[0] == 0.0
    assert asked[1:] == [of for of in TRIED if of >= share]


@pytest.mark.parametrize(("strangers", "too_much"), [(50, False), (100_000, True)])
def test_what_may_be_chance_is_no_cost(strangers: int, too_much: bool) -> None:
    """Eight points of fifty strangers are four of them; of many they are the labels' doing."""
    assert costs_too_much({"vpn": 0.8}, {"vpn": 0.72}, {"vpn": strangers}) is too_much


def test_a_gain_elsewhere_pays_for_no_loss() -> None:
    """Each kind is held by itself."""
    before, after = {"naive": 0.5, "vpn": 0.9}, {"naive": 1.0, "vpn": 0.9 - MOST_LOST - 0.01}
    assert costs_too_much(before, after, {"naive": 10**6, "vpn": 10**6})
    assert not costs_too_much(after, after, {"naive": 10**6, "vpn": 10**6})
