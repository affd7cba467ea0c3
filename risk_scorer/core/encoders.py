"""How often each value occurs in everyone's logins, frozen at training, and how surprising that makes a value."""

from collections.abc import Mapping

import numpy as np
from msgspec import UNSET, Struct, UnsetType, json
from numpy.typing import NDArray

Counts = dict[str, int]

COUNTED = (
    "user", "ip", "prefix", "asn", "country", "device", "ua", "browser", "browser_version", "os", "device_type",
    "ja4", "ja4h", "ja4s",
)  # fmt: skip
"""Attributes with frequencies, in the order of every array that has one entry for each."""

SMOOTHING = 0.5  # Krichevsky-Trofimov: half a login for every value, seen or not


class Rest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not listed of an attribute: how many values, each seldom, and in how many logins together."""

    values: int
    logins: int


class Encoders(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logins in the training log by value. A missing value ("") is a value of its own.

    Of a large log only the most frequent values are listed; the others count as never seen, in training as in
    serving, and `rest` says by attribute how many there are.
    """

    total: int = 0
    user: Counts = {}
    ip: Counts = {}
    prefix: Counts = {}
    asn: Counts = {}
    country: Counts = {}
    device: Counts = {}
    ua: Counts = {}
    browser: Counts = {}
    browser_version: Counts = {}
    os: Counts = {}
    device_type: Counts = {}
    ja4: Counts = {}
    ja4h: Counts = {}
    ja4s: Counts = {}
    rest: dict[str, Rest] | UnsetType = UNSET

    def counts(self, attribute: str) -> Counts:
        """The counts of one of `COUNTED`."""
        found: Counts = getattr(self, attribute)
        return found


def encode(encoders: Encoders) -> bytes:
    """The encoders as JSON, keys in order, so that the same log gives the same bytes."""
    return json.encode(encoders, order="deterministic")


def decode(stored: bytes) -> Encoders:
    """The inverse of `encode`. Raises msgspec.DecodeError or ValidationError."""
    return json.decode(stored, type=Encoders)


def kinds(encoders: Encoders) -> NDArray[np.float64]:
    """How many distinct values each of `COUNTED` has, (14,)."""
    rest = {} if encoders.rest is UNSET else encoders.rest
    unlisted = [rest[name].values if name in rest else 0 for name in COUNTED]
    return np.array([float(len(encoders.counts(name)) + more) for name, more in zip(COUNTED, unlisted, strict=True)])


def uniform_ratios(counts: Mapping[str, int]) -> tuple[float, float]:
    """How much likelier than a login of this log a value is when drawn evenly from all values there are.

    Returns (scale, unseen): a value seen c times is scale / c times likelier, one never seen is `unseen` times.
    Source: Good-Turing for the share of logins with values never seen; Chao 1984 for how many such values there are.
    """
    return ratios_of(np.fromiter(counts.values(), np.float64, len(counts)))


def ratios_of(occurring: NDArray[np.float64]) -> tuple[float, float]:
    """`uniform_ratios` of (values,) counts."""
    total = occurring.sum()
    if total == 0:
        return 1.0, 1.0
    once, twice = float((occurring == 1).sum()), float((occurring == 2).sum())
    hidden = max(1.0, once * (once - 1.0) / (2.0 * (twice + 1.0)))
    values = len(occurring) + hidden
    scale, unseen = float(total / values), float(hidden / values / (max(once, 1.0) / total))
    return scale, max(scale, unseen)  # the estimate is rough; never seen is not less rare than seen once
