"""Groups of accounts and signals that belong together more than with the rest.

What partitions a graph is given (Leiden). Its measure, modularity, has a resolution limit: in a large graph two small
groups that barely touch count as one, and a large group may be cut along any of its signals. So what hangs together by
a good part of its weight is joined again, and each group is looked at alone, where the limit is its own.
Source: Fortunato, Barthélemy 2007, "Resolution limit in community detection"; Traag, Waltman, van Eck 2019, "From
Louvain to Leiden".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.campaigns.links import Links
from risk_scorer.core.campaigns.window import Floats

Labels = NDArray[np.int64]
Numbers = NDArray[np.int64]

LEAST_MEMBERS: Final = 4
"""A household of three shares everything, and one of them types badly."""
HANGS_TOGETHER: Final = 0.25
"""Two groups are one when a quarter of the lighter one's weight leads into the other."""
MOST_CUTS: Final = 8


class Partition(Protocol):
    """A community detection for an undirected graph in compressed rows, both directions stored."""

    def __call__(self, starts: NDArray[np.int64], neighbours: NDArray[np.int32], weights: Floats) -> NDArray[np.int64]:
        """For each node the number of its community, from 0; the same for the same graph."""
        ...


def communities(links: Links, partition: Partition, marked: NDArray[np.bool_]) -> Iterator[Numbers]:
    """The edges (as places in `links`) of each community with LEAST_MEMBERS accounts, some of them `marked`."""
    if len(links.edges):
        account = np.unique(links.edges.account, return_inverse=True)[1].reshape(-1)
        signal = np.unique(links.edges.signal, return_inverse=True)[1].reshape(-1) + account.max() + 1
        everywhere = np.arange(len(links.edges))
        waiting = [(each, 0) for each in _cut(links, account, signal, everywhere, partition, marked)]
        while waiting:
            edges, cuts = waiting.pop()
            pieces = list(_cut(links, account, signal, edges, partition, marked)) if cuts < MOST_CUTS else [edges]
            if len(pieces) == 1 and len(pieces[0]) == len(edges):
                yield edges
            else:
                waiting += [(piece, cuts + 1) for piece in pieces]


def _cut(
    links: Links, account: Numbers, signal: Numbers, edges: Numbers, partition: Partition, marked: NDArray[np.bool_]
) -> Iterator[Numbers]:
    """The pieces of the graph of these edges, each as the edges within it."""
    nodes, places = np.unique(np.concatenate([account[edges], signal[edges]]), return_inverse=True)
    left, right = np.split(places.reshape(-1), 2)
    weights = links.weight[edges]
    labels = _joined(partition(*_rows(left, right, weights, len(nodes))), left, right, weights)
    inside = np.flatnonzero(labels[left] == labels[right])
    inside = inside[np.argsort(labels[left[inside]], kind="stable")]
    borders = np.flatnonzero(np.diff(labels[left[inside]])) + 1
    for piece in np.split(edges[inside], borders):
        members = np.unique(links.edges.account[piece])
        if len(members) >= LEAST_MEMBERS and marked[members].any():
            yield np.sort(piece)


def _rows(
    left: Numbers, right: Numbers, weights: Floats, nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    """Compressed rows of the graph, each edge in both directions."""
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.argsort(source * nodes + target, kind="stable")
    starts = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(source, minlength=nodes), out=starts[1:])
    return starts, target[order].astype(np.int32), np.concatenate([weights, weights])[order]


def _joined(labels: Labels, left: Numbers, right: Numbers, weights: Floats) -> Labels:
    """The labels with what hangs together under one, until nothing more does."""
    while True:
        count = int(labels.max()) + 1
        one, other = labels[left], labels[right]
        strength = np.bincount(one, weights, count) + np.bincount(other, weights, count)
        across = one != other
        low, high = np.minimum(one, other)[across], np.maximum(one, other)[across]
        pairs, places = np.unique(low * count + high, return_inverse=True)
        between = np.bincount(places.reshape(-1), weights[across], len(pairs))
        low, high = pairs // count, pairs % count
        together = between >= HANGS_TOGETHER * np.minimum(strength[low], strength[high])
        if not together.any():
            return labels
        labels = _merged(low[together], high[together], between[together], count)[labels]


def _merged(low: Numbers, high: Numbers, between: Floats, count: int) -> Labels:
    """A new label for each; the strongest ties first, and in one round nothing is joined to what just was."""
    kept = np.arange(count)
    is_taken = np.zeros(count, np.bool_)
    for at in np.argsort(-between, kind="stable").tolist():
        one, other = low[at], high[at]
        if not (is_taken[one] or is_taken[other]):
            kept[other] = one
            is_taken[one] = is_taken[other] = True
    return np.unique(kept, return_inverse=True)[1].reshape(-1)
