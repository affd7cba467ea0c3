"""How unusual an account is among all others of the window, 0-100.

Half of it is how far it lies out in single measures (robust z-scores), half how easily it is told from all others by
several at once (isolation forest).

Unusual is not guilty: this ranks accounts for a person to look at, and raises nobody's risk by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from risk_scorer.core.campaigns.edges import Graph
from risk_scorer.core.campaigns.isolation import grown
from risk_scorer.core.campaigns.links import Links
from risk_scorer.core.campaigns.names import Names
from risk_scorer.core.campaigns.past import Remembered
from risk_scorer.core.campaigns.rhythm import Rhythms
from risk_scorer.core.campaigns.sighting import DETECTED, DEVICE, FAILED, JA4, PREFIX, USER_AGENT
from risk_scorer.core.campaigns.window import Columns, Floats
from risk_scorer.core.forest import decision_function

MEASURES: Final = (
    "events", "failed_share", "detected_share", "prefixes", "devices", "fingerprints", "user_agents", "regularity",
    "sharing", "history",
)  # fmt: skip
LEAST_ACCOUNTS: Final = 50
"""Among fewer there is no usual."""
SEED: Final = 5
OUTLIER: Final = 3.5
"""A modified z-score beyond it is an outlier; it is 50 points here. Source: Iglewicz, Hoaglin 1993."""
MOST_Z: Final = 10.0
STRONGEST: Final = 3
PARDONED_SHARE: Final = 0.5
"""What is left of the score of an account that somebody looked at, and it was the person."""
AVERAGE_ISOLATION, FULL_ISOLATION = 0.4, 0.8
"""Scores of the forest that are 0 and 100 points: far below and far above those of average points, 0.5."""
KEPT_FROM: Final = 50.0
MOST_KEPT: Final = 2000


class AccountScore(Struct, frozen=True, kw_only=True):
    """An account among the most unusual: the blend, its two halves, and the measures that lie out, the furthest first;
    STRONGEST of them at most."""

    user_id: str
    score: float
    z_score: float
    isolation: float
    furthest: tuple[str, ...]


def account_scores(
    columns: Columns, graph: Graph, rhythms: Rhythms, links: Links, names: Names, past: Remembered
) -> tuple[AccountScore, ...]:
    """The accounts from KEPT_FROM on, the highest first, MOST_KEPT at most."""
    present = np.flatnonzero(np.bincount(columns.account, minlength=graph.accounts))
    if len(present) < LEAST_ACCOUNTS:
        return ()
    history = past.of_accounts(links.edges)
    rows = np.column_stack([_measures(columns, graph, rhythms, links), history])[present]
    z = _robust_z(rows)
    by_z = 100.0 * (1.0 - 2.0 ** (-np.sort(z, axis=1)[:, -STRONGEST:].mean(axis=1) / OUTLIER))
    isolation = 0.5 - decision_function(grown(rows, SEED), rows)
    by_forest = 100.0 * np.clip((isolation - AVERAGE_ISOLATION) / (FULL_ISOLATION - AVERAGE_ISOLATION), 0.0, 1.0)
    blend = (0.5 * by_z + 0.5 * by_forest) * np.where(past.pardoned[present], PARDONED_SHARE, 1.0)
    chosen = np.lexsort((present, -blend))[:MOST_KEPT]
    return tuple(
        AccountScore(
            user_id=names.accounts[present[at]],
            score=round(float(blend[at]), 1),
            z_score=round(float(by_z[at]), 1),
            isolation=round(float(by_forest[at]), 1),
            furthest=tuple(
                MEASURES[place] for place in np.argsort(-z[at], kind="stable")[:STRONGEST] if z[at, place] > 0.0
            ),
        )
        for at in chosen.tolist()
        if blend[at] >= KEPT_FROM
    )


def _measures(columns: Columns, graph: Graph, rhythms: Rhythms, links: Links) -> Floats:
    """A row for each account, a column for each of MEASURES but the last."""
    count = graph.accounts
    events = np.bincount(columns.account, minlength=count)
    shares = [
        np.bincount(columns.account[(columns.marks & mark) != 0], minlength=count) / np.maximum(events, 1)
        for mark in (FAILED, DETECTED)
    ]
    edges = graph.edges
    several = [
        np.log1p(np.bincount(edges.account[edges.kind == kind], minlength=count))
        for kind in (PREFIX, DEVICE, JA4, USER_AGENT)
    ]
    regularity = -np.log(np.clip(rhythms.spread, 0.01, 10.0))
    known = regularity[~np.isnan(regularity)]
    regularity = np.where(np.isnan(regularity), np.median(known) if len(known) else 0.0, regularity)
    sharing = np.log1p(np.bincount(links.edges.account, links.weight, minlength=count))
    return np.column_stack([np.log1p(events), *shares, *several, regularity, sharing])


def _robust_z(rows: Floats) -> Floats:
    """How far each value lies above the usual, in robust standard deviations; below is not unusual."""
    away = rows - np.median(rows, axis=0)
    scale = 1.4826 * np.median(np.abs(away), axis=0)
    instead = 1.2533 * np.abs(away).mean(axis=0)
    scale = np.where(scale > 1e-9, scale, np.maximum(instead, 1e-3))
    return np.clip(away / scale, 0.0, MOST_Z)
