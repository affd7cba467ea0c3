"""The forest: one row and 100,000 rows against scikit-learn's decision_function, on one core."""

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from benchmarks.report import Figure
from risk_scorer.core.features import FEATURES, WIDTH
from risk_scorer.core.forest import decision_function
from training.forest_export import export


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The mean of `repeats` calls."""
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


def fitted(rows: NDArray[np.float64]) -> IsolationForest:
    """scikit-learn's forest, as large as the scorer's."""
    return IsolationForest(n_estimators=100, max_samples=256, random_state=0, n_jobs=1).fit(rows)


def measure(rounds: int) -> Iterator[Figure]:
    """The same fitted forest, walked by both."""
    chance = np.random.default_rng(0)
    rows = chance.gamma(1.5, 2.0, size=(100_000, WIDTH))
    sklearn_rows = np.ascontiguousarray(rows[:, : len(FEATURES)])
    theirs = fitted(sklearn_rows[:20_000])
    ours = export(theirs, np.arange(len(FEATURES)))
    difference = np.abs(decision_function(ours, rows) - theirs.decision_function(sklearn_rows)).max()
    if difference > 1e-12:
        raise AssertionError(f"the two walks differ by {difference}")
    for name, count, repeats, target in (("one row", 1, 2_000, "≥ 500×"), ("100,000 rows", 100_000, 1, "≥ 1.5×")):
        some, sklearn_some = rows[:count], sklearn_rows[:count]
        pairs = [
            (
                seconds(lambda some=some: decision_function(ours, some), repeats) * 1e6 / count,  # type: ignore[misc]
                seconds(lambda some=sklearn_some: theirs.decision_function(some), max(1, repeats // 40)) * 1e6 / count,  # type: ignore[misc]
            )
            for _ in range(rounds)
        ]
        yield Figure(
            f"forest, {name}",
            "µs a row",
            "scikit-learn decision_function",
            [pair[0] for pair in pairs],
            [pair[1] for pair in pairs],
            target,
            more_is_better=False,
        )
