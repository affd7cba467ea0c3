"""The events of the last hours as columns of numbers: 37 bytes an event, and each name once.

Ten million events are 370 MB and their names; nothing grows without bound: beyond `most_events` the oldest go.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.names import NONE, Names
from risk_scorer.core.campaigns.sighting import DEVICE, IN_EVENTS, JA4, USER_AGENT, Page

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

MOST_EVENTS: Final = 12_000_000
SPARE_NAMES: Final = 100_000
"""Names that nothing points at any more and that are not worth renumbering all others for."""


class Columns(Struct, frozen=True):
    """Rows of events: `signals` is (kinds of events, n) with NONE where an event shows no signal of that kind. A
    window's are in the order of accounts, and of time within an account."""

    account: Ints
    signals: Ints
    moment: Floats
    marks: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.account)

    def where(self, kept: NDArray[np.bool_]) -> Columns:
        """Those rows."""
        return Columns(self.account[kept], self.signals[:, kept], self.moment[kept], self.marks[kept])

    def in_order(self) -> Columns:
        """The same rows in order; what is in order already, and what follows it in time, costs little."""
        order = np.argsort(self.account, kind="stable")
        ordered = self._at(order)
        if np.any((np.diff(ordered.moment) < 0.0) & (np.diff(ordered.account) == 0)):
            return self._at(np.lexsort((self.moment, self.account)))
        return ordered

    def _at(self, places: NDArray[np.int64]) -> Columns:
        return Columns(self.account[places], self.signals[:, places], self.moment[places], self.marks[places])


class Window:
    """What was lately seen. Not safe for threads."""

    def __init__(self, most_events: int = MOST_EVENTS) -> None:
        self._most = most_events
        self._chunks: list[Columns] = []
        self._is_ordered = False
        self.names = Names()

    def __len__(self) -> int:
        return sum(map(len, self._chunks))

    def add(self, page: Page) -> None:
        """Take these events in."""
        if not page:
            return
        names = self.names
        account = np.fromiter((names.account(each.account) for each in page), np.int32, len(page))
        network, signal = names.network, names.signal
        rows = [
            (
                *network(each.address),
                signal(DEVICE, each.device),
                signal(JA4, each.ja4),
                signal(USER_AGENT, each.user_agent),
            )
            for each in page
        ]
        signals = np.ascontiguousarray(np.array(rows, np.int32).T)
        moment = np.fromiter((each.moment for each in page), np.float64, len(page))
        marks = np.fromiter((each.marks for each in page), np.uint8, len(page))
        self._chunks.append(Columns(account, signals, moment, marks))
        self._is_ordered = False
        while len(self) - len(self._chunks[0]) >= self._most:
            del self._chunks[0]

    def expire(self, before: float) -> None:
        """Forget what was seen before that time or is more than may be, and the names that nothing shows any more."""
        if len(self) > self._most:
            moments = np.concatenate([each.moment for each in self._chunks])
            before = max(before, float(np.partition(moments, len(moments) - self._most)[len(moments) - self._most]))
        kept = (each.where(each.moment >= before) for each in self._chunks)
        self._chunks = [each for each in kept if len(each)]
        self._rename()

    def columns(self) -> Columns:
        """All of it as one, in order."""
        if len(self._chunks) != 1 or not self._is_ordered:
            self._chunks = [_joined(self._chunks).in_order()]
            self._is_ordered = True
        return self._chunks[0]

    def _rename(self) -> None:
        """Renumber what is left once most names are of nothing that is left."""
        now = self.columns()
        accounts = _used(now.account, len(self.names.accounts))
        signals = _used(now.signals[now.signals != NONE], len(self.names.values))
        if len(self.names) - len(accounts) - len(signals) <= max(SPARE_NAMES, len(self.names) // 2):
            return
        self.names = self.names.only(accounts.tolist(), signals.tolist())
        new_signals = np.where(now.signals == NONE, NONE, np.searchsorted(signals, now.signals)).astype(np.int32)
        new_accounts = np.searchsorted(accounts, now.account).astype(np.int32)
        self._chunks = [Columns(new_accounts, new_signals, now.moment, now.marks)]  # numbers keep their order


def _used(numbers: Ints, up_to: int) -> NDArray[np.int64]:
    is_used = np.zeros(up_to, np.bool_)
    is_used[numbers] = True
    return np.flatnonzero(is_used)


def _joined(chunks: list[Columns]) -> Columns:
    if not chunks:
        nothing = np.empty(0, np.int32)
        return Columns(nothing, np.empty((len(IN_EVENTS), 0), np.int32), np.empty(0), np.empty(0, np.uint8))
    return Columns(
        np.concatenate([each.account for each in chunks]),
        np.concatenate([each.signals for each in chunks], axis=1),
        np.concatenate([each.moment for each in chunks]),
        np.concatenate([each.marks for each in chunks]),
    )
