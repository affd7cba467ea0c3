"""Named rules with their weights in nats. They need no training; training measures how often each one matches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

WEIGHTS = {
    "listed_network": 4.0,
    "bad_reputation": 2.5,
    "tor_exit": 4.0,
    "anonymous_vpn": 1.5,
    "hosting_network": 2.0,
    "fingerprint_contradicts_browser": 2.5,
    "unparseable_fingerprint": 0.7,
    "automated_client": 2.0,
}
"""Every rule there is, in order, with its weight: the log of how much likelier an attacker matches than a person does.

Judgement, not measurement: unlabelled logins cannot tell. A manifest may carry other weights; 0 is report-only.
"""
RULES = tuple(WEIGHTS)
COLUMN_OF_RULE = {
    "listed_network": "ip_facts", "bad_reputation": "ip_rep", "tor_exit": "ip_facts", "anonymous_vpn": "ip_facts",
    "hosting_network": "ip_facts", "fingerprint_contradicts_browser": "ja4", "unparseable_fingerprint": "ja4",
    "automated_client": "user_agent",
}  # fmt: skip
"""The column that a log must have for training to measure a rule."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The weight of each of `RULES`, (8,) nats."""

    weight: Matrix


def matches(signals: Matrix) -> Matrix:
    """(n, 8) from 0 (does not match) to 1 (matches in full)."""
    out = np.empty((len(signals), len(RULES)))
    _fill(signals, _AT, out)
    return out


BAD_FROM = 50.0  # reputations below it are ordinary
_AT = np.array(
    [
        PLACE[name]
        for name in (
            "listed", "ip_rep", "tor", "vpn", "hosting", "ja4_contradicts", "ja4_given", "ja4_parses", "automated",
            "seen_asn", "seen_ja4", "seen_browser_version",
        )
    ]
)  # fmt: skip
# Given to the kernel as an argument: see `features`.


@njit(cache=True, nogil=True)
def _fill(signals: Any, at: Any, out: Any) -> None:
    for row in range(signals.shape[0]):
        # a network, fingerprint or client that is already the person's own says less each time it is used again
        strange_network = 1.0 / (1.0 + signals[row, at[9]])
        strange_fingerprint = 1.0 / (1.0 + signals[row, at[10]])
        strange_client = 1.0 / (1.0 + signals[row, at[11]])
        out[row, 0] = signals[row, at[0]]
        out[row, 1] = max(0.0, signals[row, at[1]] - BAD_FROM) / (100.0 - BAD_FROM)
        out[row, 2] = signals[row, at[2]]
        out[row, 3] = signals[row, at[3]] * strange_network
        out[row, 4] = signals[row, at[4]] * strange_network
        out[row, 5] = signals[row, at[5]]
        out[row, 6] = signals[row, at[6]] * (1.0 - signals[row, at[7]]) * strange_fingerprint
        out[row, 7] = signals[row, at[8]] * strange_client
