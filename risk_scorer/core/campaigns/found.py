"""From a window of events to campaigns, by name."""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.account_scores import AccountScore, account_scores
from risk_scorer.core.campaigns.communities import Partition, communities
from risk_scorer.core.campaigns.crews import crews_apart
from risk_scorer.core.campaigns.edges import graph_of
from risk_scorer.core.campaigns.evidence import MARKS, Judged, Mark, base_of, judged
from risk_scorer.core.campaigns.links import Links, links_of
from risk_scorer.core.campaigns.names import Names
from risk_scorer.core.campaigns.past import NO_PAST, Past, in_numbers
from risk_scorer.core.campaigns.rhythm import rhythms_of, told
from risk_scorer.core.campaigns.sighting import KINDS, RHYTHM
from risk_scorer.core.campaigns.window import Window

MOST_MEMBERS: Final = 5000
MOST_SIGNALS: Final = 100
MOST_CAMPAIGNS: Final = 1000
"""Of each the strongest; whoever attacks with more than that is told of all the same, and fills no table."""


class Member(Struct, frozen=True, kw_only=True):
    """An account of a campaign, what speaks against it there (of MARKS), and when it was seen on its signals."""

    user_id: str
    marks: tuple[str, ...]
    first_seen: float
    last_seen: float


class SharedSignal(Struct, frozen=True, kw_only=True):
    """What members share: `accounts` of them."""

    kind: str
    value: str
    accounts: int


class FoundCampaign(Struct, frozen=True, kw_only=True):
    """A campaign as one look found it: `score` 0-100, `overlap` how much of their time members share their signals."""

    score: float
    overlap: float
    marks: tuple[Mark, ...]
    members: tuple[Member, ...]
    members_in_all: int
    signals: tuple[SharedSignal, ...]
    first_seen: float
    last_seen: float


class Look(Struct, frozen=True, kw_only=True):
    """All that one look at a window found."""

    events: int
    accounts: int
    campaigns: tuple[FoundCampaign, ...]
    scores: tuple[AccountScore, ...]


def look_at(window: Window, partition: Partition, *, began: float, seconds: float, past: Past = NO_PAST) -> Look:
    """What the window, which began then and is so long, has in it; the strongest campaign first."""
    columns, names = window.columns(), window.names
    accounts = len(names.accounts)
    if not len(columns):
        return Look(events=0, accounts=0, campaigns=(), scores=())
    rhythms = rhythms_of(columns, accounts)
    graph = graph_of(columns, rhythms, accounts=accounts, signals=len(names.values), began=began, seconds=seconds)
    graph = crews_apart(graph)
    remembered = in_numbers(past, names, signals=graph.signals)
    links = links_of(graph, remembered)
    base = base_of(graph, links, remembered)
    is_marked = base.has[0] | base.has[1] | base.has[2] | base.has[4]
    strong = [
        each
        for places in communities(links, partition, is_marked)
        if (each := judged(links, places, base, accounts)) is not None
    ]
    strong.sort(key=lambda each: (-each.score, -len(each.members), int(each.members[0])))
    return Look(
        events=len(columns),
        accounts=int((np.bincount(columns.account, minlength=accounts) > 0).sum()),
        campaigns=tuple(_named(each, links, names, graph.rhythm_buckets) for each in strong[:MOST_CAMPAIGNS]),
        scores=account_scores(columns, graph, rhythms, links, names, remembered),
    )


def _named(judged: Judged, links: Links, names: Names, rhythm_buckets: NDArray[np.int64]) -> FoundCampaign:
    edges = links.edges
    place = np.searchsorted(judged.members, edges.account[judged.places])
    first = np.full(len(judged.members), np.inf)
    last = np.full(len(judged.members), -np.inf)
    np.minimum.at(first, place, edges.first[judged.places])
    np.maximum.at(last, place, edges.last[judged.places])
    weightiest = np.lexsort((judged.members, -judged.member_marks))[:MOST_MEMBERS]
    members = tuple(
        Member(
            user_id=names.accounts[judged.members[at]],
            marks=tuple(name for number, name in enumerate(MARKS) if judged.member_marks[at] >> number & 1),
            first_seen=float(first[at]),
            last_seen=float(last[at]),
        )
        for at in weightiest.tolist()
    )
    return FoundCampaign(
        score=round(judged.score, 2),
        overlap=round(judged.overlap, 3),
        marks=judged.marks,
        members=members,
        members_in_all=len(judged.members),
        signals=tuple(_signal(each, names, rhythm_buckets) for each in judged.signals[:MOST_SIGNALS]),
        first_seen=float(first.min()),
        last_seen=float(last.max()),
    )


def _signal(found: tuple[int, int], names: Names, rhythm_buckets: NDArray[np.int64]) -> SharedSignal:
    number, accounts = found
    if number < len(names.values):
        return SharedSignal(kind=KINDS[names.kinds[number]], value=names.values[number], accounts=accounts)
    bucket = int(rhythm_buckets[number - len(names.values)])
    return SharedSignal(kind=KINDS[RHYTHM], value=told(bucket), accounts=accounts)
