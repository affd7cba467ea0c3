"""The two-sided graph: an edge for each account and each signal that it showed, with when and what happened on it."""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.names import NONE
from risk_scorer.core.campaigns.rhythm import Rhythms
from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, IN_EVENTS, NEW, RHYTHM
from risk_scorer.core.campaigns.window import Columns, Floats, Ints

SLOTS: Final = 64
"""Into how many slots the window is cut; which of them an edge was seen in are the bits of one number."""
MOST_SIGNALS: Final = 64
"""Signals of one kind that count for an account, the most used first: whoever changes them at will makes no graph."""

Bits = NDArray[np.uint64]


class Edges(Struct, frozen=True):
    """Arrays over edges. `slots`, `first` and `last` say when, `events` how often, `failed`, `detected` and `new` how
    many of them were."""

    account: Ints
    signal: Ints
    kind: NDArray[np.uint8]
    slots: Bits
    events: Ints
    failed: Ints
    detected: Ints
    new: Ints
    first: Floats
    last: Floats

    def __len__(self) -> int:
        return len(self.account)

    def where(self, kept: NDArray[np.bool_]) -> Edges:
        """Those edges."""
        return self.at(np.flatnonzero(kept))

    def at(self, places: NDArray[np.int64]) -> Edges:
        """The edges at these places."""
        return Edges(*(getattr(self, name)[places] for name in self.__struct_fields__))


class Graph(Struct, frozen=True):
    """All edges, and where the window's signals end: what comes after them are rhythms, by `rhythm_buckets`."""

    accounts: int
    signals: int
    edges: Edges
    rhythm_buckets: NDArray[np.int64]


def graph_of(columns: Columns, rhythms: Rhythms, *, accounts: int, signals: int, began: float, seconds: float) -> Graph:
    """The edges of a window that began then and is so long."""
    at = np.clip((columns.moment - began) * (SLOTS / seconds), 0, SLOTS - 1).astype(np.uint64)
    slot = np.left_shift(np.uint64(1), at)
    found = [_of_kind(columns, kind, slot) for kind in range(len(IN_EVENTS))]
    buckets, numbers = np.unique(rhythms.bucket, return_inverse=True)
    found.append(_of_rhythms(rhythms, columns, slot, numbers.reshape(-1) + signals, accounts))
    names = Edges.__struct_fields__
    joined = Edges(*(np.concatenate([getattr(each, name) for each in found]) for name in names))
    return Graph(accounts, signals + len(buckets), joined, buckets)


def _of_kind(columns: Columns, kind: int, slot: Bits) -> Edges:
    signal = columns.signals[kind]
    shown = np.flatnonzero(signal != NONE)
    keys = (columns.account[shown].astype(np.int64) << 32) | signal[shown]
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], shown[order]
    first = _starts(keys)
    edges = _summed(columns, rows, first, slot, (keys[first] & 0xFFFFFFFF).astype(np.int32), kind)
    return edges.where(_among_most_used(edges))


def _summed(
    columns: Columns, rows: NDArray[np.int64], first: NDArray[np.int64], slot: Bits, signal: Ints, kind: int
) -> Edges:
    if not len(first):
        ints, floats = np.empty(0, np.int32), np.empty(0)
        return Edges(ints, ints, np.empty(0, np.uint8), np.empty(0, np.uint64), ints, ints, ints, ints, floats, floats)
    marks, moment = columns.marks[rows], columns.moment[rows]
    failed, detected, new = (
        np.add.reduceat(((marks & mark) != 0).astype(np.int32), first) for mark in (FAILED, DETECTED, NEW)
    )
    return Edges(
        account=columns.account[rows[first]],
        signal=signal,
        kind=np.full(len(first), kind, np.uint8),
        slots=np.bitwise_or.reduceat(slot[rows], first),
        events=np.diff(np.append(first, len(rows))).astype(np.int32),
        failed=failed,
        detected=detected,
        new=new,
        first=np.minimum.reduceat(moment, first),
        last=np.maximum.reduceat(moment, first),
    )


def _of_rhythms(rhythms: Rhythms, columns: Columns, slot: Bits, signal: NDArray[np.int64], accounts: int) -> Edges:
    """An account shows its rhythm whenever it is seen."""
    is_machine = np.zeros(accounts, np.bool_)
    is_machine[rhythms.account] = True
    rows = np.flatnonzero(is_machine[columns.account])
    rows = rows[np.argsort(columns.account[rows], kind="stable")]
    once = _summed(columns, rows, _starts(columns.account[rows]), slot, np.empty(0, np.int32), RHYTHM)
    place = np.searchsorted(once.account, rhythms.account)
    placed = {name: getattr(once, name)[place] for name in once.__struct_fields__ if name != "signal"}
    return Edges(signal=signal.astype(np.int32), **placed)


def _starts(keys: NDArray[np.int64] | Ints) -> NDArray[np.int64]:
    """Where in these sorted keys each new one begins."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


def _among_most_used(edges: Edges) -> NDArray[np.bool_]:
    """Which edges are among the MOST_SIGNALS most used of their account; edges are in the order of accounts."""
    first = _starts(edges.account)
    many = np.diff(np.append(first, len(edges)))
    kept = np.ones(len(edges), np.bool_)
    for start, count in zip(first[many > MOST_SIGNALS].tolist(), many[many > MOST_SIGNALS].tolist(), strict=True):
        used = np.argsort(-edges.events[start : start + count], kind="stable")
        kept[start + used[MOST_SIGNALS:]] = False
    return kept


def marked(edges: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """On which edges most events failed, something was detected, the account was new."""
    return edges.failed * 2 > edges.events, edges.detected > 0, edges.new > 0


def accounts_with(edges: Edges, chosen: NDArray[np.bool_], accounts: int) -> NDArray[np.bool_]:
    """Which accounts have one of the chosen edges."""
    has_one = np.zeros(accounts, np.bool_)
    has_one[edges.account[chosen]] = True
    return has_one
