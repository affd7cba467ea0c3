"""Crews that have one rhythm by chance, taken apart before so many accounts look like an application with a timer."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.campaigns.edges import Edges, Graph
from risk_scorer.core.campaigns.sighting import JA4, RHYTHM

HUB_RHYTHM_ACCOUNTS: Final = 50
"""A timer in an application gives all its users one rhythm, and among very many people chance does."""
CREW_ACCOUNTS: Final = 4
CREW_SHARE: Final = 0.5
"""A crew is most of those who use one JA4, all in one rhythm, and fewer than a hub. In an application with a timer most
users have a popular program instead: such a rhythm stays whole."""


def crews_apart(graph: Graph) -> Graph:
    """The graph in which each crew has its rhythm for itself, where without them it would be nobody's hub."""
    edges = graph.edges
    rhythm, ja4 = _programs(edges)
    users = np.bincount(edges.signal, minlength=graph.signals)
    pairs, at, count = np.unique(
        (edges.signal[rhythm].astype(np.int64) << 32) | ja4, return_inverse=True, return_counts=True
    )
    is_crew = (count >= CREW_ACCOUNTS) & (count < HUB_RHYTHM_ACCOUNTS)
    is_crew &= count >= CREW_SHARE * users[pairs & 0xFFFFFFFF]
    of_crew = np.full(len(edges), -1)
    chosen = is_crew[at.reshape(-1)]
    of_crew[rhythm[chosen]] = at.reshape(-1)[chosen]
    others = np.bincount(edges.signal[of_crew < 0], minlength=graph.signals)
    is_crowd = (users >= HUB_RHYTHM_ACCOUNTS) & (others < HUB_RHYTHM_ACCOUNTS)
    moves = (of_crew >= 0) & is_crowd[edges.signal]
    crews, places = np.unique(of_crew[moves], return_inverse=True)
    if not len(crews):
        return graph
    signal = edges.signal.copy()
    signal[moves] = graph.signals + places.reshape(-1)
    first_rhythm = graph.signals - len(graph.rhythm_buckets)
    buckets = graph.rhythm_buckets[(pairs[crews] >> 32) - first_rhythm]
    return Graph(
        graph.accounts,
        graph.signals + len(crews),
        msgspec.structs.replace(edges, signal=signal),
        np.concatenate([graph.rhythm_buckets, buckets]),
    )


def _programs(edges: Edges) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of an edge to a rhythm, by its place, and a JA4 that its account shows, by its number."""
    rhythm, program = np.flatnonzero(edges.kind == RHYTHM), np.flatnonzero(edges.kind == JA4)
    owners = edges.account[program]  # in order
    first, last = (np.searchsorted(owners, edges.account[rhythm], side=side) for side in ("left", "right"))
    many = last - first
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    return np.repeat(rhythm, many), edges.signal[program[np.repeat(first, many) + within]].astype(np.int64)
