"""How far numbers moved, and how far chance alone moves them."""

import numpy as np
import pytest
from scipy import stats

from risk_scorer.core.drift import (
    binned_distance,
    chance_of_distance,
    interval,
    noise,
    raw_distance,
    shift,
    stability_index,
)

EVEN = np.array([250, 250, 250, 250, 0])
HALVED = np.array([500, 500, 0, 0, 0])


def drawn(shares: list[float], logins: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(logins, shares)


def test_the_index_is_that_of_the_text_book() -> None:
    """Siddiqi's sum over the bins, with half a login more in each."""
    before, now = np.array([40, 60, 0]), np.array([70, 20, 10])
    was, has = (before + 0.5) / 101.5, (now + 0.5) / 101.5
    assert stability_index(before, now) == pytest.approx(sum((has - was) * np.log(has / was)))
    assert stability_index(before, before) == 0.0


def test_the_index_is_of_shares_and_the_same_both_ways() -> None:
    """Ten times as many logins of the same kind are nothing new."""
    assert stability_index(EVEN, HALVED) == pytest.approx(stability_index(HALVED, EVEN))
    assert stability_index(EVEN, 10 * EVEN) < 0.01


@pytest.mark.parametrize("logins", [30, 300, 30_000])
def test_chance_alone_rarely_passes_its_noise(logins: int) -> None:
    """In 200 draws from the same people two are expected above, and ten would be a wonder."""
    shares, chance = [0.3, 0.3, 0.2, 0.1, 0.09, 0.01], np.random.default_rng(1)
    before = drawn(shares, 3000, 0)
    above = 0
    for seed in range(1, 201):
        now = drawn(shares, logins, seed)
        above += float(stability_index(before, now)) > noise(before, now, chance)
    assert above < 10


def test_few_logins_make_a_large_index_that_means_nothing() -> None:
    """Thirty logins of the same people may pass the mark of the text book; their noise does, too."""
    before, few = drawn([0.05] * 20, 3000, 0), drawn([0.05] * 20, 30, 1)
    found = shift("hour", before, few)
    assert found.psi > 0.25
    assert found.psi < found.noise


@pytest.mark.parametrize("logins", [500, 5000])
def test_the_interval_holds_the_index_of_the_whole_population(logins: int) -> None:
    """In most of 100 draws; it is a bootstrap, so 80 are asked for."""
    was, has = [0.4, 0.3, 0.2, 0.1], [0.2, 0.3, 0.3, 0.2]
    true = sum((b - a) * np.log(b / a) for a, b in zip(was, has, strict=True))
    chance, held = np.random.default_rng(1), 0
    for seed in range(100):
        low, high = interval(drawn(was, 3000, seed), drawn(has, logins, 1000 + seed), chance)
        held += low <= true <= high
    assert held >= 80


def test_a_shift_tells_both_measures_and_what_is_missing() -> None:
    """The same counts and seed tell the same to the bit."""
    before, now = np.array([250, 250, 250, 250, 0]), np.array([400, 400, 0, 0, 200])
    found = shift("gap", before, now, seed=3)
    assert found == shift("gap", before, now, seed=3)
    assert (found.name, found.logins, found.missing_before, found.missing_now) == ("gap", 1000, 0.0, 0.2)
    assert found.ks == pytest.approx(0.5)
    assert found.ks_p < 1e-9
    assert found.low <= found.psi <= found.high
    assert found.psi > 1.0 > found.noise


@pytest.mark.parametrize("now", [np.zeros(5, int), np.array([0, 0, 0, 0, 9])], ids=["no logins", "all missing"])
def test_without_values_there_is_no_distance(now: np.ndarray) -> None:
    """Nothing fails, and nothing is found."""
    found = shift("gap", EVEN, now)
    assert (found.ks, found.ks_p) == (0.0, 1.0)
    assert np.isfinite([found.psi, found.low, found.high, found.noise]).all()


def test_raw_distances_are_those_of_the_library() -> None:
    """Ties among them."""
    chance = np.random.default_rng(5)
    before, now = chance.normal(size=400).round(1), chance.normal(0.3, 1.2, size=900).round(1)
    assert raw_distance(before, now) == pytest.approx(stats.ks_2samp(before, now).statistic)
    assert raw_distance(before, before) == raw_distance(before, now[:0]) == 0.0


def test_a_binned_distance_is_at_most_the_raw_one() -> None:
    """Between edges it sees nothing."""
    chance = np.random.default_rng(6)
    before, now, edges = chance.normal(size=500), chance.normal(0.2, 1.0, size=500), [-1.0, 0.0, 1.0]
    counts = [np.bincount(np.searchsorted(edges, each, side="right"), minlength=4) for each in (before, now)]
    assert 0.0 < binned_distance(*counts) <= raw_distance(before, now)


@pytest.mark.parametrize(("distance", "before", "now"), [(0.05, 1000, 1000), (0.1, 300, 200), (0.3, 40, 40)])
def test_the_chance_of_a_distance_is_about_that_of_the_library(distance: float, before: int, now: int) -> None:
    """Its limit law, with Stephens's correction for few logins, which the library does without."""
    limit = stats.kstwobign.sf(distance * np.sqrt(before * now / (before + now)))
    assert chance_of_distance(distance, before, now) == pytest.approx(limit, abs=0.06)


@pytest.mark.parametrize(("distance", "before", "now"), [(0.0, 10, 10), (0.5, 0, 10), (0.5, 10, 0), (0.001, 9, 9)])
def test_no_distance_and_no_logins_are_no_surprise(distance: float, before: int, now: int) -> None:
    """Chance alone does that always."""
    assert chance_of_distance(distance, before, now) == 1.0
