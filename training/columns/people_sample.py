"""Which people a large log is fitted on: drawn by a digest of their ids, each with every login they ever had."""

from __future__ import annotations

from collections.abc import Container
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from training.columns.log import CodedLog

WHOLE_LOG_ROWS = 250_000
"""Up to so many logins everybody is fitted on; beyond, people with so many together."""


MOST_FIRST = 0.1
MOST_OF_ONE = 2_500
"""Whoever has more logins is a machine: few of these would be everybody."""


def sampled_rows(
    log: CodedLog,
    seed: int,
    *,
    most: int = WHOLE_LOG_ROWS,
    most_of_one: int = MOST_OF_ONE,
    first: Container[str] = frozenset(),
) -> NDArray[np.int64]:
    """The rows of the drawn people, in time order, at most so many.

    People come in the order of a digest of `seed` and their id, so who is drawn depends on nothing that they did but
    `most_of_one`. Those `first` come before all others, as far as they fill a tenth: what is labelled says something
    beside its person's other logins alone.
    """
    if len(log) <= most:
        return np.arange(len(log))
    users = log.codes["user_id"]
    rows = np.bincount(users, minlength=len(log.texts["user_id"]))
    people = np.flatnonzero((rows > 0) & (rows <= most_of_one))
    key = seed.to_bytes(16, signed=True)
    texts = log.texts["user_id"]
    digests = [blake2b(text.encode(), key=key, digest_size=8).digest() for text in texts.texts(people.tolist())]
    order = np.argsort(np.array([int.from_bytes(each) for each in digests], np.uint64), kind="stable")
    is_first = np.array([text in first for text in texts.texts(people.tolist())], bool)[order]
    people = people[order]
    is_first[is_first] = np.cumsum(rows[people[is_first]]) <= most * MOST_FIRST
    people = np.concatenate([people[is_first], people[~is_first]])
    together = np.cumsum(rows[people])
    drawn = np.zeros(len(rows), bool)
    drawn[people[together <= most]] = True
    return np.flatnonzero(drawn[users])
