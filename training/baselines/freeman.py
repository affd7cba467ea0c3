"""The likelihood ratio of Freeman et al. with the weights that were published for the RBA data set.

How likely everyone's logins have this address and this client, over how likely this person's do. Each probability is a
weighted mean along a hierarchy, so that a new address of a known operator is not wholly new. Counting goes on row by
row, each row looked at before it counts. Our reading of the papers, not their code.
"""

import numpy as np
from numpy.typing import NDArray

from training.baselines.counting import kinds_before, pairs, seen_before
from training.baselines.log_columns import LogColumns

SOURCE = (
    "Freeman, Jain, Dürmuth, Biggio, Giacinto 2016, “Who Are You?”, NDSS, equation 7 without attack data; weights: "
    "Wiefling, Jørgensen, Thunem, Lo Iacono 2022, “Pump Up Password Security!”, ACM TOPS 26(1)"
)
HIERARCHIES = (
    {"ip": 0.6, "asn": 0.3, "country": 0.1},
    {
        "user_agent": 0.5386653840551359,
        "browser": 0.2680451498625666,
        "os": 0.18818295100109536,
        "device_type": 0.0051065150812021525,
    },
)
"""Weights of Wiefling et al. 2022, from the finest level to the coarsest."""
NEVER_HAD = 0.25
"""What a person who never had any level of it is taken to have of everyone's share. Source: the same, edge cases."""

Scores = NDArray[np.float64]


def score(log: LogColumns, _judged: NDArray[np.bool_]) -> Scores:
    """(n,) log of the ratio; of a person without a login nothing is known, so that only how active they are counts."""
    logins: Scores = np.cumsum(log.teaches, dtype=np.float64) - log.teaches
    own = seen_before(log.user, log.teaches).astype(np.float64)
    ratio = np.zeros(len(log))
    for weights in HIERARCHIES:
        everyone, person = np.zeros(len(log)), np.zeros(len(log))
        for name, weight in weights.items():
            codes = getattr(log, name)
            everyone += weight * _world_share(codes, log.teaches, logins)
            person += weight * seen_before(pairs(log.user, codes), log.teaches) / np.maximum(own, 1.0)
        person = np.where(person > 0.0, person, NEVER_HAD * everyone)
        ratio += np.where(own > 0.0, np.log(everyone / person), 0.0)
    people = np.maximum(kinds_before(log.user, log.teaches), 1)
    is_chosen = 1.0 / people  # every account is as likely to be attacked
    logs_in = np.maximum(own, 1.0) / np.maximum(logins, 1.0)
    combined: Scores = ratio + np.log(is_chosen / logs_in)
    return combined


def _world_share(codes: NDArray[np.int64], teaches: NDArray[np.bool_], logins: Scores) -> Scores:
    """Among all logins so far the share of a value; as many logins as there are values are kept for new ones."""
    seen = seen_before(codes, teaches)
    room = kinds_before(codes, teaches) + 1.0
    return np.where(seen > 0, seen, 1.0) / (logins + room)
