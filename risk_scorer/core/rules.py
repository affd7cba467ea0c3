"""Named rules with their weights in nats. They need no training; training measures how often each one matches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.signals import PLACE
from risk_scorer.core.travel import speeds_kmh

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
    "impossible_travel": 3.5,
    "malicious_fingerprint": 3.0,
    "stuffing_in_progress": 3.0,
    "account_under_attack": 1.5,
    "confirmed_attacker": 10.0,
    "session_client_changed": 9.0,
    "session_network_changed": 1.5,
}
"""Every rule there is, in order, with its weight: the log of how much likelier an attacker matches than a person does.

Judgement, not measurement: unlabelled logins cannot tell. A manifest may carry other weights; 0 is report-only.
"""
RULES = tuple(WEIGHTS)
COLUMN_OF_RULE = {
    "listed_network": "ip_facts", "bad_reputation": "ip_rep", "tor_exit": "ip_facts", "anonymous_vpn": "ip_facts",
    "hosting_network": "ip_facts", "fingerprint_contradicts_browser": "ja4", "unparseable_fingerprint": "ja4",
    "automated_client": "user_agent", "impossible_travel": "ip_facts", "malicious_fingerprint": "ja4",
    "stuffing_in_progress": "", "account_under_attack": "", "confirmed_attacker": "", "session_client_changed": "",
    "session_network_changed": "",
}  # fmt: skip
"""The column that a log must have for training to measure a rule, "" for what needs no column."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The weight of each of `RULES`, (15,) nats."""

    weight: Matrix


BAD_FROM = 50.0  # reputations below it are ordinary
POSSIBLE_KMH, IMPOSSIBLE_KMH = 900.0, 2000.0
"""Airliners cruise at 900 km/h; from 2000 on even a place that is wrong by hours of flight does not explain it."""
HEATED_FROM, HEATED = 3.0, 10.0
"""Failures of the last hours: people mistype a few times."""
CROWD_FROM, CROWD = 4.0, 16.0
"""People failed for at one network or device: households share an address, and stuffing goes through lists."""
_LIMITS = (BAD_FROM, POSSIBLE_KMH, IMPOSSIBLE_KMH, HEATED_FROM, HEATED, CROWD_FROM, CROWD)


def _places(*names: str) -> tuple[int, ...]:
    return tuple([PLACE[name] for name in names])


_STANDING = _places(
    "listed", "ip_rep", "tor", "vpn", "hosting", "ja4_contradicts", "ja4_given", "ja4_parses", "automated",
    "seen_asn", "seen_ja4", "seen_browser_version", "pardoned_network", "pardoned_client",
)  # fmt: skip
_GOING_ON = _places(
    "seen_asn", "seen_prefix", "seen_device", "malicious", "heat", "condemned", "session_client", "session_network",
    "pardoned_network", "pardoned_client",
)  # fmt: skip
_AROUND = _places("network_people", "network_failures", "network_logins")
_THROUGH = _places("device_people", "device_failures", "device_logins")
# Given to the kernels as arguments: see `features`.


def matches(signals: Matrix) -> Matrix:
    """(n, len(RULES)) from 0 (does not match) to 1 (matches in full).

    A pardoned network silences what is said of networks, a pardoned client what is said of clients. Operators are
    large: where only the operator is pardoned, what is said of the single address stays.
    """
    out = np.empty((len(signals), len(RULES)))
    _of_networks_and_clients(signals, BAD_FROM, _STANDING, out)
    _of_what_goes_on(signals, speeds_kmh(signals), _LIMITS, _GOING_ON, _AROUND, _THROUGH, out)
    return out


@njit(cache=True, nogil=True)
def _between(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on; 0 for NaN."""
    return min(1.0, (value - low) / (high - low)) if value > low else 0.0


@njit(cache=True, nogil=True)
def _of_networks_and_clients(signals: Any, bad_from: float, at: Any, out: Any) -> None:
    (listed, ip_rep, tor, vpn, hosting, contradicts, given, parses, automated, asn, ja4, version,
     pardoned_network, pardoned_client) = at  # fmt: skip
    for row in range(signals.shape[0]):
        here = signals[row]
        # a network, fingerprint or client that is already the person's own says less each time it is used again
        strange_network = 1.0 / (1.0 + here[asn])
        strange_fingerprint = 1.0 / (1.0 + here[ja4])
        strange_client = 1.0 / (1.0 + here[version])
        address = 0.0 if here[pardoned_network] == 1.0 else 1.0
        operator = 0.0 if here[pardoned_network] > 0.0 else 1.0
        client = 1.0 - here[pardoned_client]
        out[row, 0] = here[listed] * address
        out[row, 1] = max(0.0, here[ip_rep] - bad_from) / (100.0 - bad_from) * address
        out[row, 2] = here[tor] * address
        out[row, 3] = here[vpn] * strange_network * operator
        out[row, 4] = here[hosting] * strange_network * operator
        out[row, 5] = here[contradicts] * client
        out[row, 6] = here[given] * (1.0 - here[parses]) * strange_fingerprint * client
        out[row, 7] = here[automated] * strange_client * client


@njit(cache=True, nogil=True)
def _of_what_goes_on(
    signals: Any, speeds: Any, limits: Any, at: Any, around_at: Any, through_at: Any, out: Any
) -> None:
    _, possible, impossible, heated_from, heated, crowd_from, crowd = limits
    (asn, prefix, device, malicious, heat, condemned, session_client, session_network,
     pardoned_network, pardoned_client) = at  # fmt: skip
    for row in range(signals.shape[0]):
        here = signals[row]
        strange_network, strange_device = 1.0 / (1.0 + here[asn]), 1.0 / (1.0 + here[device])
        # a telephone comes out at one gateway of its operator or another: those that are the person's own say less
        strange_prefix = 1.0 / (1.0 + here[prefix])
        address = 0.0 if here[pardoned_network] == 1.0 else 1.0
        client = 1.0 - here[pardoned_client]
        out[row, 8] = _between(speeds[row], possible, impossible) * strange_prefix * address
        out[row, 9] = here[malicious] * client
        around = _crowd(here, around_at, crowd_from, crowd) * strange_network * address
        through = _crowd(here, through_at, crowd_from, crowd) * strange_device * client
        out[row, 10] = max(around, through)
        # the owner comes from a device or an operator of their own, and is not locked out by what others try
        is_strange = here[device] == 0.0 and here[asn] == 0.0
        out[row, 11] = _between(here[heat], heated_from, heated) if is_strange else 0.0
        out[row, 12] = here[condemned]
        out[row, 13] = here[session_client] * client
        out[row, 14] = here[session_network] * strange_network * address


@njit(cache=True, nogil=True)
def _crowd(here: Any, at: Any, crowd_from: float, crowd: float) -> float:
    """How many people are failed for there, times the share of attempts that fail: in an office, few do.

    The share counts as a fifth at least, or an attacker would hide his failures among logins to an account of his own.
    """
    people, failures, logins = at
    tried = here[failures] + here[logins]
    return _between(here[people], crowd_from, crowd) * max(0.2, here[failures] / tried) if tried > 0.0 else 0.0
