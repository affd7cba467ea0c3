"""Fits a session model on an activity log: habits, forest, predictor, then the scale on later sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from risk_scorer.contract.activity import FREEZE_FROM, LOGOUT_FROM, RESET_FROM, STEP_UP_FROM
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.forest import Forest, decision_function
from risk_scorer.core.session_model.manifest import PredictorNumbers
from risk_scorer.core.session_model.sequence import FOUND, STEPS
from training.activity.gathering import GatheredSequences
from training.calibrate import Mark, mark, surprise
from training.forest_export import export
from training.refusals import TrainingRefusedError

Matrix = NDArray[np.float64]

TREES, SAMPLES = 200, 256
"""Source: Liu, Ting, Zhou 2008, section 5; 200 trees, since a window has few features and scores should be even."""
PERCENTILE = 0.98
CONTAMINATION = 1.0 - PERCENTILE
MOST_DIFFERENCE = 1e-9
"""By which the exported forest may differ from scikit-learn's own scores."""
STRENGTH = 0.3
"""Inverse of the ridge penalty of the logistic regression, on scaled inputs."""
LEAST_WINDOWS, LEAST_ATTACKS = 500, 10
BUDGETS: Mapping[str, float] = {"step_up": 0.02, "deny": 0.001}
QUIET_SCORE = 2.0
ABOVE_RESET = ((3.0, LOGOUT_FROM), (7.0, FREEZE_FROM))
"""Nats beyond the mark of 80, and their scores: what one more strong finding adds, and two more."""
LEAST_GAP_NATS = 0.5


@dataclass(frozen=True)
class FittedWindows:
    """Scaler, forest, mark and rarity of windows."""

    mean: Matrix
    spread: Matrix
    forest: Forest
    threshold: float
    rarity: tuple[tuple[float, float], ...]
    difference: float


def fitted_windows(rows: Sequence[Sequence[float]], seed: int) -> FittedWindows:
    """No label is read. Raises TrainingRefusedError: too_few_sessions, scores_differ."""
    if len(rows) < LEAST_WINDOWS:
        raise TrainingRefusedError("too_few_sessions", f"{len(rows)} windows; at least {LEAST_WINDOWS} are needed")
    windows = np.array(rows)
    scaler = StandardScaler().fit(windows)
    isolation = IsolationForest(
        n_estimators=TREES, max_samples=min(SAMPLES, len(windows)), contamination=CONTAMINATION, random_state=seed,
        n_jobs=1,
    ).fit(scaler.transform(windows))  # fmt: skip
    forest = export(isolation, np.arange(windows.shape[1]))
    scores = -decision_function(forest, (windows - scaler.mean_) / scaler.scale_)
    theirs = -isolation.decision_function(scaler.transform(windows))
    difference = float(np.abs(scores - theirs).max())
    if difference > MOST_DIFFERENCE:
        raise TrainingRefusedError("scores_differ", f"the exported forest differs from the fitted one by {difference}")
    rare = surprise(scores, 1.0)
    return FittedWindows(
        mean=scaler.mean_,
        spread=scaler.scale_,
        forest=forest,
        threshold=float(np.quantile(scores, PERCENTILE)),
        rarity=tuple(zip(rare.unusual.tolist(), rare.nats.tolist(), strict=True)),
        difference=difference,
    )


def fitted_predictor(gathered: GatheredSequences, detectors: Sequence[Detector]) -> PredictorNumbers:
    """The predictor of attack-like sequences; silent where no label says what an attack is."""
    sessions = len(set(gathered.sessions))
    attacks = len({name for name, bad in zip(gathered.sessions, gathered.is_hostile, strict=True) if bad})
    if attacks < LEAST_ATTACKS:
        return PredictorNumbers(weights={}, intercept=0.0, prior=0.0, sessions=sessions, attacks=attacks)
    names = [*STEPS, *(FOUND + each.name for each in detectors)]
    hostile, weights = np.array(gathered.is_hostile), gathered.weights()
    rows = gathered.matrix(names)
    kept = [place for place in range(len(names)) if rows[:, place].std() > 0]
    while True:
        fit, spread = _regression(rows[:, kept], hostile, weights)
        wrong = [place for place, each in zip(kept, fit.coef_[0], strict=True) if _excuses(names[place], each)]
        if not wrong:
            break
        kept = [place for place in kept if place not in wrong]
    share = float(weights[hostile].sum() / weights.sum())
    slopes = fit.coef_[0] / spread.scale_
    return PredictorNumbers(
        weights={names[place]: float(each) for place, each in zip(kept, slopes, strict=True)},
        intercept=float(fit.intercept_[0] - (slopes * spread.mean_).sum()),
        prior=float(np.log(share / (1.0 - share))),
        sessions=sessions,
        attacks=attacks,
    )


def _regression(rows: Matrix, hostile: NDArray[np.bool_], weights: Matrix) -> tuple[Any, Any]:
    scaler = StandardScaler().fit(rows)
    fit = LogisticRegression(C=STRENGTH, max_iter=2_000).fit(scaler.transform(rows), hostile, weights)
    return fit, scaler


def _excuses(name: str, weight: float) -> bool:
    """A finding must never speak for the session, whatever it was found together with."""
    return name.startswith(FOUND) and weight < 0.0


def fitted_marks(benign: Matrix) -> tuple[Mark, Mark]:
    """Where 60 and 80 lie for these sessions' highest evidence."""
    return mark(benign, BUDGETS["step_up"]), mark(benign, BUDGETS["deny"])


def fitted_scale(step_up: Mark, deny: Mark) -> Scale:
    """60 and 80 at their marks, straight from no evidence up to there, ever nearer to 100 above."""
    medium = max(LEAST_GAP_NATS, step_up.evidence)
    high = max(deny.evidence, medium + LEAST_GAP_NATS)
    return Scale(
        name="fitted",
        nats=(0.0, medium, high, *(high + more for more, _ in ABOVE_RESET)),
        score=(QUIET_SCORE, STEP_UP_FROM, RESET_FROM, *(score for _, score in ABOVE_RESET)),
    )
