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
    _fill(signals, out)
    return out


_LISTED, _REP, _TOR, _VPN, _HOSTING = (PLACE[name] for name in ("listed", "ip_rep", "tor", "vpn", "hosting"))
_GIVEN, _PARSES, _CONTRADICTS = (PLACE[name] for name in ("ja4_given", "ja4_parses", "ja4_contradicts"))
_AUTOMATED, _SEEN_ASN, _SEEN_JA4 = (PLACE[name] for name in ("automated", "seen_asn", "seen_ja4"))
_SEEN_VERSION = PLACE["seen_browser_version"]
BAD_FROM = 50.0  # reputations below it are ordinary


@njit(cache=True, nogil=True)
def _fill(signals: Any, out: Any) -> None:
    for row in range(signals.shape[0]):
        # a network, fingerprint or client that is already the person's own says less each time it is used again
        strange_network = 1.0 / (1.0 + signals[row, _SEEN_ASN])
        strange_fingerprint = 1.0 / (1.0 + signals[row, _SEEN_JA4])
        out[row, 0] = signals[row, _LISTED]
        out[row, 1] = max(0.0, signals[row, _REP] - BAD_FROM) / (100.0 - BAD_FROM)
        out[row, 2] = signals[row, _TOR]
        out[row, 3] = signals[row, _VPN] * strange_network
        out[row, 4] = signals[row, _HOSTING] * strange_network
        out[row, 5] = signals[row, _CONTRADICTS]
        out[row, 6] = signals[row, _GIVEN] * (1.0 - signals[row, _PARSES]) * strange_fingerprint
        out[row, 7] = signals[row, _AUTOMATED] / (1.0 + signals[row, _SEEN_VERSION])
