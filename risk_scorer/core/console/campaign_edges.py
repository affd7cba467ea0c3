"""Which accounts of a campaign show which of its signals, and how often: made anew of what they did, for a campaign is
kept without its edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from risk_scorer.core.campaigns.edges import graph_of
from risk_scorer.core.campaigns.rhythm import rhythms_of, told
from risk_scorer.core.campaigns.sighting import KINDS, RHYTHM, Sighting
from risk_scorer.core.campaigns.window import Window

SHORTEST_SECONDS: Final = 1.0


class Edge(Struct, frozen=True, kw_only=True):
    """One account on one signal: so many events, so many of which failed, from the first to the last."""

    account: str
    kind: str
    value: str
    events: int
    failed: int
    first: float
    last: float


def edges_of(sightings: Sequence[Sighting], signals: Sequence[tuple[str, str]]) -> tuple[Edge, ...]:
    """The edges between whoever was seen and these signals (kind, value), as the search for campaigns makes them."""
    window = Window()
    window.add(sightings)
    columns, names = window.columns(), window.names
    if not len(columns):
        return ()
    accounts, began = len(names.accounts), float(columns.moment.min())
    seconds = max(SHORTEST_SECONDS, float(columns.moment.max()) - began)
    rhythms = rhythms_of(columns, accounts)
    graph = graph_of(columns, rhythms, accounts=accounts, signals=len(names.values), began=began, seconds=seconds)
    wanted = set(signals)
    found: dict[tuple[str, str, str], Edge] = {}
    edges = graph.edges
    for place in range(len(edges)):
        number = int(edges.signal[place])
        if number < len(names.values):
            signal = (KINDS[names.kinds[number]], names.values[number])
        else:
            signal = (KINDS[RHYTHM], told(int(graph.rhythm_buckets[number - len(names.values)])))
        if signal in wanted:
            account = names.accounts[int(edges.account[place])]
            found[account, *signal] = Edge(
                account=account,
                kind=signal[0],
                value=signal[1],
                events=int(edges.events[place]),
                failed=int(edges.failed[place]),
                first=float(edges.first[place]),
                last=float(edges.last[place]),
            )
    return tuple(found.values())
