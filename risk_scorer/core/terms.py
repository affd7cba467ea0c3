"""The terms that evidence is added up from, in the one order that every array of evidence and points has."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.pairs import PARTS
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS, PLACE

Matrix = NDArray[np.float64]

UNUSUAL, HOUR = "unusual_combination", "unusual_hour"
TERMS = (UNUSUAL, *PARTS, HOUR, *RULES)
"""The forest, each level, the pause, the hour, each rule."""
TERM = {name: place for place, name in enumerate(TERMS)}

NETWORK_LEVELS = ("country", "asn", "prefix", "ip")
_OF_OPERATOR = np.array([TERM["country"], TERM["asn"]])
_OF_ADDRESS = np.array([TERM["prefix"], TERM["ip"]])
_OF_CLIENT = np.array([TERM[level] for level in LEVELS if level not in NETWORK_LEVELS])
_OF_BOTH = np.array([TERM[UNUSUAL], TERM[HOUR]])
_PARDONS = np.array([PLACE[name] for name in ("pardoned_network", "pardoned_client", "logins")])
# Given to the kernel as arguments: see `features`.


@dataclass(frozen=True, slots=True)
class Found:
    """What each part of a model found in (n,) logins, in nats: see `TERMS` for the meaning of each."""

    surprise: Matrix
    parts: Matrix
    rarity: Matrix
    hour: Matrix
    rules: Matrix


def together(signals: Matrix, found: Found, usual: Matrix) -> tuple[Matrix, Matrix]:
    """(n, terms) evidence, and (n, terms) what it would be had everything been usual for this person.

    A context that somebody confirmed as the person's own speaks no more against them than their usual one does.
    A person without history is usual in nothing: what a known person's habits would have said for them is missing.
    """
    rows = len(signals)
    evidence, familiar = np.empty((rows, len(TERMS))), np.zeros((rows, len(TERMS)))
    _fill(
        signals,
        found.surprise,
        found.parts,
        found.rarity,
        found.hour,
        found.rules,
        usual,
        _PARDONS,
        (_OF_OPERATOR, _OF_ADDRESS, _OF_CLIENT, _OF_BOTH),
        evidence,
        familiar,
    )
    return evidence, familiar


@njit(cache=True, nogil=True)
def _fill(
    signals: Any,
    surprise: Any,
    parts: Any,
    rarity: Any,
    hour: Any,
    rules: Any,
    usual: Any,
    at: Any,
    pardoned: Any,
    evidence: Any,
    familiar: Any,
) -> None:
    of_operator, of_address, of_client, of_both = pardoned
    levels, pause = rarity.shape[1], parts.shape[1]
    for row in range(signals.shape[0]):
        evidence[row, 0] = surprise[row]
        is_known = signals[row, at[2]] > 0.0
        for part in range(pause):
            evidence[row, 1 + part] = parts[row, part] + (rarity[row, part] if part < levels else 0.0)
            if is_known:
                familiar[row, 1 + part] = usual[part]
            else:
                familiar[row, pause] += usual[part]
        evidence[row, 1 + pause] = hour[row]
        familiar[row, 1 + pause] = min(0.0, hour[row])
        for rule in range(rules.shape[1]):
            evidence[row, 2 + pause + rule] = rules[row, rule]
        # a pardoned operator is less than a pardoned address of it
        operator, address = signals[row, at[0]] > 0.0, signals[row, at[0]] == 1.0
        client = signals[row, at[1]] > 0.0
        if operator:
            _at_most(evidence[row], familiar[row], of_operator)
        if address:
            _at_most(evidence[row], familiar[row], of_address)
        if client:
            _at_most(evidence[row], familiar[row], of_client)
        if address and client:
            _at_most(evidence[row], familiar[row], of_both)


@njit(cache=True, nogil=True)
def _at_most(evidence: Any, familiar: Any, terms: Any) -> None:
    for term in terms:
        evidence[term] = min(evidence[term], familiar[term])
