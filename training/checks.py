"""What must hold before a model is published. A model that fails one is refused, with what to change."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core import features
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.facts import AgentFacts, FingerprintFacts, IpFacts
from risk_scorer.core.features import FEATURES
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.scoring import NOBODY, score_many
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import PLACE
from training.judging import Parts, weighed
from training.refusals import TrainingRefusedError
from training.sweep import Block

Matrix = NDArray[np.float64]

LOGINS_TO_VARY = 200
STEPS = 9
WELL_KNOWN_LOGINS = 5
LOOKED_UP = frozenset({
    "ip_rep", "geo_distance", "ja4_valid", "ja4_contradicts_browser",
    "gap", "place_distance", "speed", "recent_failures", "network_people_failing",
})  # fmt: skip
"""Features of look-ups and of failures: a log whose look-ups all agree, or without failures, lacks them."""


class DeadFeature(TrainingRefusedError):
    """A declared feature that cannot move any decision."""

    def __init__(self, feature: str, why: str) -> None:
        super().__init__(
            "dead_feature",
            f"{feature} {why}; leave its column out with --without {features.COLUMN_OF_FEATURE[feature]} "
            "or train on a log in which it varies",
        )
        self.feature = feature


def varying(blocks: Sequence[Matrix], declared: Sequence[str]) -> tuple[str, ...]:
    """The declared features without the looked-up ones that are the same in every login. Raises DeadFeature.

    Asked block by block: a frequency drifts from block to block even where all logins have the same value.
    """
    kept = []
    for name in declared:
        column = FEATURES.index(name)
        if any(np.ptp(block[:, column]) > 0.0 for block in blocks):
            kept.append(name)
        elif name not in LOOKED_UP:
            raise DeadFeature(name, "is the same in every login of the log")
    return tuple(kept)


def require_living_features(
    declared: Sequence[str], parts: Parts, score_map: ScoreMap, block: Block, *, fitted: Matrix
) -> None:
    """Raises DeadFeature unless each feature, moved over its range in `fitted`, moves the score of some login."""
    places = np.unique(np.linspace(0, len(block.signals) - 1, LOGINS_TO_VARY).astype(int))
    some = replace(block, signals=block.signals[places], succeeded=block.succeeded[places])
    shared = shares(block.signals, block.scales.total, block.scales.kinds)
    seen = features.compute(block.signals, shared, block.scales)
    before = weighed(parts, some, score_map, seen=seen[places]).score
    for name in declared:
        column = FEATURES.index(name)
        for value in np.quantile(fitted[:, column], np.linspace(0.0, 1.0, STEPS)):
            moved = seen[places]
            moved[:, column] = value
            if (weighed(parts, some, score_map, seen=moved).score != before).any():
                break
        else:
            raise DeadFeature(name, "moves the score of no login")


def require_quiet_logins_pass(signals: Matrix, scores: Matrix) -> str | None:
    """Raises unless logins like a person's earlier ones score below 60. Returns a note when the log has none to ask."""
    return require_quiet(scores[usual_logins(signals)])


def usual_logins(signals: Matrix) -> NDArray[np.bool_]:
    """(n,) whether a login is like its well-known person's earlier ones."""
    usual: NDArray[np.bool_] = signals[:, PLACE["logins"]] >= WELL_KNOWN_LOGINS
    for name in ("device", "prefix", "browser_version"):
        usual &= signals[:, PLACE[f"seen_{name}"]] > 0
    return usual


def require_quiet(usual: Matrix) -> str | None:
    """Raises unless the middle of these scores of usual logins is below 60. Returns a note when there are none."""
    if not len(usual):
        return "no held-out login is like an earlier one of the same person: how quiet logins score is not known"
    middle = float(np.median(usual))
    if middle >= MEDIUM_FROM:
        raise TrainingRefusedError(
            "quiet_login_flagged",
            f"the usual login of a well-known person scores {middle:.1f}: the log cannot tell usual from unusual",
        )
    return None


def require_worst_case_denied(model: Model, best_known: UserHistory) -> float:
    """The score with every signal at its worst against this history. Raises unless it is 80 or more."""
    worst = float(score_many(model, [WORST], [best_known]).score[0])
    if worst < HIGH_FROM:
        raise TrainingRefusedError(
            "worst_case_below_deny",
            f"a login with every signal at its worst scores {worst:.1f}, below {HIGH_FROM:g}: the log's own logins are "
            "as unusual as that",
        )
    return worst


WORST = msgspec.structs.replace(
    NOBODY,
    user_id="\0",
    ip="\0",
    prefix="\0",
    asn=1,
    asn_key="\0",
    country="\0",
    device_id="\0",
    user_agent="\0",
    browser="\0",
    browser_version="\0",
    os="\0",
    device_type="\0",
    ja4="\0",
    ja4h="\0",
    ja4s="\0",
    success=False,
    ip_rep=100.0,
    network=IpFacts(latitude=-90.0, longitude=0.0, kind="tor", reputation=100.0, is_listed=True),
    agent=AgentFacts(is_bot=True),
    fingerprint=FingerprintFacts(),
)
"""Values that nobody ever had (NUL is refused everywhere else) from the worst network there is."""
