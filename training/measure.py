"""What a log says about its own columns: which features it can fill, how loyal people are, how often rules match."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import features, rules
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.features import COLUMN_OF_ATTRIBUTE, COLUMN_OF_FEATURE, FEATURES
from risk_scorer.core.likelihood import WORLD, Likelihood, own_share
from risk_scorer.core.model import Hours
from risk_scorer.core.rules import COLUMN_OF_RULE, RULES
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS, PLACE
from training.sources import EventTable
from training.sweep import Block, rarity_of

Matrix = NDArray[np.float64]

DAY_SECONDS = 86_400.0
STRENGTHS = np.logspace(-2, 2, 17)
HOUR_STRENGTHS = np.logspace(0, 3, 13)
DISCOUNTS = np.linspace(0.0, 0.9, 10)
ENOUGH_LOGINS = 40_000
UNKNOWN_DISTANCE_QUANTILE = 0.95  # a place that cannot be told is neither near nor impossibly far


@dataclass(frozen=True)
class Declared:
    """`features` in the scorer's order; `absent` gives the reason for every feature, level and rule left out."""

    features: tuple[str, ...]
    absent: Mapping[str, str]


def columns_of(table: EventTable, *, address_problem: str | None, without: frozenset[str]) -> dict[str, str]:
    """Reasons by column for every column that training goes without."""
    span = float(table.timestamp[-1] - table.timestamp[0])
    lacks = dict.fromkeys(("country", "asn", "device_id", "user_agent"), "the log has no such column")
    lacks |= dict.fromkeys(("ja4", "ja4h", "ja4s", "ip_rep"), "the log has no such column")
    present = set(table.present)
    present |= {"user_agent"} if table.browser is not None else set()
    if address_problem is None:
        present |= {"country", "asn", "ip_rep"}
    absent = {name: reason for name, reason in lacks.items() if name not in present}
    if address_problem is not None:
        absent["ip_facts"] = address_problem
    if span < DAY_SECONDS:
        absent["hour"] = "the log is shorter than a day"
    if span < 7 * DAY_SECONDS:
        absent["day_of_week"] = "the log is shorter than a week"
    return absent | dict.fromkeys(sorted(without), "left out on request")


def declared(absent_columns: Mapping[str, str]) -> Declared:
    """The features that these columns leave, and why the others are absent."""
    needed = {
        **COLUMN_OF_FEATURE,
        **{f"level:{level}": COLUMN_OF_ATTRIBUTE[level] for level in LEVELS},
        "term:unusual_hour": "hour",
        **{f"rule:{rule}": COLUMN_OF_RULE[rule] for rule in RULES},
    }
    absent = {name: absent_columns[column] for name, column in needed.items() if column in absent_columns}
    absent |= {name: absent_columns[name] for name in FEATURES if name in absent_columns}
    kept = tuple(name for name in FEATURES if name not in absent)
    return Declared(kept, {**absent_columns, **absent})


def unknown_km(blocks: Sequence[Block]) -> float:
    """How far away a login is taken to be when its place or the person's usual one is unknown."""
    known = [_distances(block) for block in blocks]
    far = np.concatenate(known) if known else np.empty(0)
    return float(np.quantile(far, UNKNOWN_DISTANCE_QUANTILE)) if len(far) else 0.0


def _distances(block: Block) -> Matrix:
    signals = block.signals[block.succeeded]
    shared = shares(signals, block.scales.total, block.scales.kinds)
    found = features.compute(signals, shared, block.scales)[:, features.DISTANCE]
    return found[~np.isnan(found)]


def likelihood(blocks: Sequence[Block], encoders: Encoders, absent: Mapping[str, str], *, most: float) -> Likelihood:
    """For each level the back-off that makes the log's own logins likeliest, and what rarity is worth."""
    fitted = [_loyalty(blocks, level) for level in LEVELS]
    scale, unseen = rarity_of(encoders)
    used = [0.0 if f"level:{level}" in absent else 1.0 for level in LEVELS]
    return Likelihood(
        strength=np.array([strength for strength, _ in fitted]),
        discount=np.array([discount for _, discount in fitted]),
        scale=scale,
        unseen=unseen,
        used=np.array(used),
        most=most,
    )


def _loyalty(blocks: Sequence[Block], level: str) -> tuple[float, float]:
    """The strength and discount under which people's own next values are likeliest: maximum likelihood on a grid."""
    parts = [_own_choices(block, level) for block in blocks]
    seen, logins, spread, world = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(seen) == 0:
        return 1.0, 0.0
    step = max(1, len(seen) // ENOUGH_LOGINS)
    seen, logins, spread, world = seen[::step], logins[::step], spread[::step], world[::step]
    best, choice = -np.inf, (1.0, 0.0)
    for strength in STRENGTHS.tolist():
        for discount in DISCOUNTS.tolist():
            fit = float(np.log(own_share(seen, logins, spread, world, strength, discount)).sum())
            if fit > best:
                best, choice = fit, (strength, discount)
    return choice


def _own_choices(block: Block, level: str) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    signals = block.signals[block.succeeded]
    signals = signals[signals[:, PLACE["logins"]] > 0]
    world = shares(signals, block.scales.total, block.scales.kinds)[:, WORLD[LEVELS.index(level)]]
    return signals[:, PLACE[f"seen_{level}"]], signals[:, PLACE["logins"]], signals[:, PLACE[f"spread_{level}"]], world


def hours(blocks: Sequence[Block], absent: Mapping[str, str]) -> Hours:
    """Everyone's hours in their own zones, and the back-off that makes people's own next hours likeliest."""
    signals = np.concatenate([block.signals[block.succeeded] for block in blocks])
    counted = np.bincount(signals[:, PLACE["hour_local"]].astype(int), minlength=24) + 1.0
    profile = counted / counted.sum()
    known = signals[signals[:, PLACE["hour_logins"]] > 0]
    if "hour" in absent or len(known) == 0:
        return Hours(profile=profile, strength=1.0, weight=0.0)
    everyone = profile[known[:, PLACE["hour_local"]].astype(int)]
    near, total = known[:, PLACE["hour_near"]], known[:, PLACE["hour_logins"]]
    fits = [float(np.log((near + each * everyone) / (total + each)).sum()) for each in HOUR_STRENGTHS]
    return Hours(profile=profile, strength=float(HOUR_STRENGTHS[int(np.argmax(fits))]), weight=1.0)


def match_rates(blocks: Sequence[Block], absent: Mapping[str, str]) -> dict[str, float | None]:
    """For each rule the share of successful logins that match it at all; None where the log cannot tell."""
    matched = np.concatenate([rules.matches(block.signals[block.succeeded]) for block in blocks]) > 0.0
    rates = matched.mean(axis=0) if len(matched) else np.zeros(len(RULES))
    return {
        rule: None if f"rule:{rule}" in absent else float(rate)
        for rule, rate in zip(RULES, rates.tolist(), strict=True)
    }
