"""Learns what tells a person's own login from a stranger's in its place, and lays it out as the scorer walks it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from risk_scorer.core import likelihood, pairs
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.pairs import CONTEXT, INPUTS, PARTS, PAUSE, RISES, Pairs
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS, PLACE
from training.attackers import IS_SELDOM, SELDOM_WEIGHT
from training.binning import Binned, binned
from training.labelling.transplant import PLACES, in_others_places
from training.sweep import Block
from training.tree_layout import breadth_first

Matrix = NDArray[np.float64]

TREES, LEAVES, PACE, RIDGE = 200, 8, 0.1, 1.0
SHARE_ASKED = 0.25
"""Share of the inputs that a split may choose from, so that levels that say the same share the word."""
MOST_IN_LEAF, LEAST_IN_LEAF, LEAVES_WORTH = 50, 5, 200
"""A leaf holds at least one in 200 of the people's own logins, between 5 and 50."""
_LEVEL_OF = np.array([-1 if name in CONTEXT else LEVELS.index(name.partition("_")[2]) for name in INPUTS])
_TOGETHER = [[place for place, level in enumerate(_LEVEL_OF) if level in (-1, asked)] for asked in range(len(LEVELS))]
NOTHING = Pairs(
    feature=np.zeros(1, np.int32),
    threshold=np.full(1, np.inf),
    child=np.zeros(1, np.int32),
    value=np.zeros(1),
    part=np.full(1, PARTS.index(PAUSE), np.int32),
    root=np.array([0, 1], np.int32),
    depth=0,
    baseline=0.0,
    usual=np.zeros(len(PARTS)),
)
"""What a log teaches in which nobody comes twice."""


def inputs(signals: Matrix, block: Block, levels: Likelihood) -> Matrix:
    """`pairs.inputs` of signals that were measured against this block's frequencies."""
    shared = shares(signals, block.scales.total, block.scales.kinds)
    return pairs.inputs(signals, likelihood.ratios(signals, shared, levels), levels.used)


def learn(blocks: Sequence[Block], levels: Likelihood, *, seed: int, later: Sequence[Block] = ()) -> Pairs:
    """The trees, from the own logins of people with a history and from the strangers drawn in their places.

    Confirmed compromises stand beside the strangers and safe logins beside the own ones, as heavy as they were weighed;
    `later` blocks teach by their compromises alone.
    """
    own = np.concatenate([inputs(_known(block.signals[block.succeeded]), block, levels) for block in blocks])
    strange = np.concatenate([inputs(block.strangers, block, levels) for block in blocks])
    if len(own) == 0 or len(strange) == 0:
        return NOTHING
    kinds = np.concatenate([block.stranger_kinds for block in blocks])
    safe, safe_share = _judged(blocks, levels, are_compromised=False)
    attacks, attack_share = _judged((*blocks, *later), levels, are_compromised=True)
    attacks = in_others_places(attacks, own, np.random.default_rng(seed))
    attack_share = np.repeat(attack_share / PLACES, PLACES)
    weights = _balanced(len(own), safe_share, np.where(np.array(IS_SELDOM)[kinds], SELDOM_WEIGHT, 1.0), attack_share)
    bins = binned(np.concatenate([own, safe, strange, attacks]), weights)
    is_strange = np.arange(len(weights)) >= len(own) + len(safe)
    fitted = HistGradientBoostingClassifier(
        max_iter=TREES,
        max_leaf_nodes=LEAVES,
        learning_rate=PACE,
        l2_regularization=RIDGE,
        min_samples_leaf=int(np.clip(len(own) // LEAVES_WORTH, LEAST_IN_LEAF, MOST_IN_LEAF)),
        monotonic_cst=list(RISES),
        interaction_cst=_TOGETHER,
        max_features=SHARE_ASKED,
        early_stopping=False,
        random_state=seed,
    )
    # Several threads wait for each other by spinning, on a busy machine most of the time; the trees are the same.
    with threadpool_limits(1, user_api="openmp"):
        fitted.fit(bins.places, is_strange.astype(np.float64), sample_weight=weights)
    return _with_usual(exported(fitted, bins), own)


def taught_by(blocks: Sequence[Block]) -> dict[bool, int]:
    """How many compromised (True) and safe logins of these blocks can teach: those of people with a history."""
    known = [block.judged.is_compromised[block.judged.signals[:, PLACE["logins"]] > 0.0] for block in blocks]
    compromised = np.concatenate([np.empty(0, bool), *known])
    return {True: int(compromised.sum()), False: int((~compromised).sum())}


def _judged(blocks: Sequence[Block], levels: Likelihood, *, are_compromised: bool) -> tuple[Matrix, Matrix]:
    """(m, 38) inputs of the compromised or of the safe logins, and the share that each weighs."""
    given, shares_of = [np.empty((0, len(INPUTS)))], [np.empty(0)]
    for block in blocks:
        told = (block.judged.is_compromised == are_compromised) & (block.judged.signals[:, PLACE["logins"]] > 0.0)
        if told.any():
            given.append(inputs(block.judged.signals[told], block, levels))
            shares_of.append(block.judged.weight[told])
    return np.concatenate(given), np.concatenate(shares_of)


def _balanced(own: int, safe_share: Matrix, strangers: Matrix, attack_share: Matrix) -> Matrix:
    """Weights of own and safe logins, strangers and attacks; both sides weigh the same together, labelled or not."""
    whole = strangers.sum()
    safe, attacks = whole * safe_share, whole * attack_share
    each_own = (whole + attacks.sum() - safe.sum()) / own
    return np.concatenate([np.full(own, each_own), safe, strangers, attacks])


def silent(learned: Pairs, levels: Likelihood) -> tuple[str, ...]:
    """The levels of the log that can move no score: no leaf speaks for them and their rarity is no evidence."""
    speaking = set(learned.part[learned.value != 0.0].tolist())
    used = zip(LEVELS, levels.used.tolist(), levels.scale.tolist(), strict=True)
    return tuple(
        level for part, (level, is_used, scale) in enumerate(used) if is_used and not scale and part not in speaking
    )


def _known(signals: Matrix) -> Matrix:
    known: Matrix = signals[signals[:, PLACE["logins"]] > 0.0]
    return known


def _with_usual(learned: Pairs, own: Matrix) -> Pairs:
    usual = np.median(pairs.parts(learned, own), axis=0)
    fields = {name: getattr(learned, name) for name in Pairs.__slots__}
    return Pairs(**{**fields, "usual": usual})


def exported(fitted: Any, bins: Binned | None = None) -> Pairs:
    """The arrays of a fitted classifier, on `bins` where it was fitted on these; `parts` add up to its decisions.

    scikit-learn offers its trees by no public name; a test holds the sum against `decision_function`.
    """
    trees = [_tree(predictor.nodes, bins) for (predictor,) in fitted._predictors]
    sizes = np.array([len(tree["child"]) for tree in trees])
    root = np.concatenate([[0], np.cumsum(sizes)])
    return Pairs(
        feature=np.concatenate([tree["feature"] for tree in trees]).astype(np.int32),
        threshold=np.concatenate([tree["threshold"] for tree in trees]),
        child=np.concatenate([tree["child"] + start for tree, start in zip(trees, root[:-1], strict=True)]).astype(
            np.int32
        ),
        value=np.concatenate([tree["value"] for tree in trees]),
        part=np.concatenate([tree["part"] for tree in trees]).astype(np.int32),
        root=root.astype(np.int32),
        depth=max(int(tree["depth"]) for tree in trees),
        baseline=float(np.ravel(fitted._baseline_prediction)[0]),
        usual=np.zeros(len(PARTS)),
    )


def _tree(nodes: Any, bins: Binned | None) -> dict[str, Any]:
    pause = PARTS.index(PAUSE)
    order, depth, parent, child = breadth_first(nodes["left"], nodes["right"], nodes["is_leaf"])
    walked = nodes[order]
    is_leaf = walked["is_leaf"].astype(bool)
    asked = np.where(is_leaf, -1, _LEVEL_OF[np.where(is_leaf, 0, walked["feature_idx"])])
    part = np.full(len(order), pause)
    for place in range(1, len(order)):  # a leaf speaks for the level that was asked about on the way to it
        above = parent[place]
        part[place] = part[above] if asked[above] < 0 else asked[above]
    return {
        "feature": np.where(is_leaf, 0, walked["feature_idx"]),
        "threshold": np.where(is_leaf, np.inf, _edges(walked, bins)),
        "child": child,
        "value": np.where(is_leaf, walked["value"], 0.0),
        "part": np.where(is_leaf, part, pause),
        "depth": depth.max(),
    }


def _edges(nodes: Any, bins: Binned | None) -> Matrix:
    between: Matrix = nodes["num_threshold"]
    if bins is None:
        return between
    asked = zip(nodes["feature_idx"].tolist(), between.tolist(), nodes["is_leaf"].tolist(), strict=True)
    return np.array([np.inf if leaf else bins.edge(column, place) for column, place, leaf in asked])
