"""The Leiden algorithm of graspologic-native (MIT, no Python code), seeded: the same graph has the same communities.

The library is an extra, installed where campaigns are looked for; serving and scoring never load it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SEED: Final = 9
ITERATIONS: Final = 2
"""The second looks once more at what the first put together."""
MISSING: Final = "campaign detection needs the extra 'campaigns': pip install 'riskgate[campaigns]'"


class LibraryMissing(Exception):
    """The library for communities is not installed here; the text is one line for the operator."""


class Leiden:
    """Communities by modularity. Raises: LibraryMissing."""

    def __init__(self) -> None:
        try:
            import graspologic_native
        except ImportError:
            raise LibraryMissing(MISSING) from None
        self._library: Any = graspologic_native

    def __call__(
        self, starts: NDArray[np.int64], neighbours: NDArray[np.int32], weights: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """For each node the number of its community, from 0."""
        nodes = len(starts) - 1
        _, found = self._library.leiden_csr(
            starts, neighbours, weights, nodes, seed=SEED, iterations=ITERATIONS, use_modularity=True
        )
        labels = np.fromiter((found.get(node, -1) for node in range(nodes)), np.int64, nodes)
        alone = labels < 0
        labels[alone] = labels.max(initial=-1) + 1 + np.arange(int(alone.sum()))
        return np.unique(labels, return_inverse=True)[1].reshape(-1)
