"""How much speaks for abuse in a community: how much more often its accounts fail, are detected, act like one machine
or are new than all others do. Size adds nothing beyond a dozen: a large office is no attack.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.communities import LEAST_MEMBERS
from risk_scorer.core.campaigns.edges import Graph, accounts_with
from risk_scorer.core.campaigns.links import FAMILY_OF_KIND, Links
from risk_scorer.core.campaigns.past import Remembered
from risk_scorer.core.campaigns.sighting import DEVICE, RHYTHM

MARKS: Final = ("rhythm", "failures", "detections", "new_accounts", "history")
MOST_NATS: Final = {"rhythm": 24.0, "failures": 30.0, "detections": 8.0, "new_accounts": 3.0, "history": 8.0}
"""What each mark may say at most. Detections and new accounts together do not make a campaign: a team that moves to
another building is scored as unusual, and one that just started is new. Nor does the past make one of the present."""
COUNTED_MEMBERS: Final = 12
PRIOR_ACCOUNTS: Final = 50
"""As many more accounts with one marked among them are taken to be elsewhere: the least base rate is one in fifty."""
NATS: Final = (0.0, 12.0, 24.0, 48.0, 65.0)
SCORES: Final = (0.0, 60.0, 80.0, 95.0, 100.0)
OPEN_FROM: Final = 60.0
"""From here on a community is a campaign: what is seen is e^12, a hundred thousand times, likelier as one attack."""
CORE_ACCOUNTS: Final = 3
"""Among many people two share this or that by chance; what ties a campaign is shared by more of them."""
TOGETHER: Final = 0.5
"""A rhythm speaks against an account when others are at the same while it is, for half of its time."""
FAMILIES_OF_MEMBER: Final = 2
FAMILIES_OF_QUIET: Final = 3
"""Who shares no more than two kinds of signals and shows nothing bad stays out: somebody else behind the same proxy."""


class Mark(Struct, frozen=True):
    """`share` of the accounts have it, of all others `base`; `nats` is what that says, its bound applied."""

    name: str
    accounts: int
    share: float
    base: float
    nats: float


class Judged(Struct, frozen=True):
    """A community that is a campaign: `members` and `signals` by number, with each member's marks as bits of MARKS.

    `places` are the edges between them.
    """

    score: float
    marks: tuple[Mark, ...]
    overlap: float
    members: NDArray[np.int32]
    member_marks: NDArray[np.int64]
    signals: tuple[tuple[int, int], ...]
    places: NDArray[np.int64]


class Base(Struct, frozen=True):
    """Which of all accounts have each mark, in the order of MARKS."""

    has: tuple[NDArray[np.bool_], ...]
    sums: tuple[int, ...]
    past: Remembered


def base_of(graph: Graph, links: Links, past: Remembered) -> Base:
    """What is usual."""
    *of_events, _ = past.marks(graph.edges)
    found = [accounts_with(graph.edges, each, graph.accounts) for each in of_events]
    history = accounts_with(links.edges, past.marks(links.edges)[-1], graph.accounts)  # nothing of what hubs share
    has = (links.rare_rhythm & ~past.pardoned, *found, history)
    return Base(has, tuple(int(each.sum()) for each in has), past)


def judged(links: Links, places: NDArray[np.int64], base: Base, accounts: int) -> Judged | None:
    """What the community of these edges is; None where it is no campaign."""
    places = _core(links, places)
    if not len(places):
        return None
    members, place, families = _members(links, places)
    bits = np.zeros(len(members), np.int64)
    for number, chosen in enumerate(_marked(links, places, base.past)):
        np.bitwise_or.at(bits, place[chosen], 1 << number)
    found = tuple(_mark(number, bits, base, accounts) for number in range(len(MARKS)))
    score = float(np.interp(sum(mark.nats for mark in found), NATS, SCORES))
    stays = (bits > 0) | ((families >= FAMILIES_OF_QUIET) & ~base.past.pardoned[members])
    if score < OPEN_FROM or stays.sum() < LEAST_MEMBERS:
        return None
    kept = places[stays[place]]
    overlap = float(links.overlap[kept].mean())
    return Judged(score, found, overlap, members[stays], bits[stays], _signals(links, kept), kept)


def _core(links: Links, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges to what several members share, of those who share several kinds of it; until that is all."""
    while len(places):
        _, at, count = np.unique(links.edges.signal[places], return_inverse=True, return_counts=True)
        left = places[count[at.reshape(-1)] >= CORE_ACCOUNTS]
        if len(left):
            _, place, families = _members(links, left)
            left = left[families[place] >= FAMILIES_OF_MEMBER]
        if len(left) == len(places):
            break
        places = left
    return places


def _members(links: Links, places: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """The accounts of these edges, which of them each edge has, and of how many families the signals of each are; a
    device counts for two."""
    members, place = np.unique(links.edges.account[places], return_inverse=True)
    place, kinds = place.reshape(-1), links.edges.kind[places]
    seen = np.zeros(len(members), np.int64)
    for kind, family in FAMILY_OF_KIND.items():
        np.bitwise_or.at(seen, place[kinds == kind], family)
    families = sum(((seen >> bit) & 1 for bit in range(4)), (seen & FAMILY_OF_KIND[DEVICE] > 0).astype(np.int64))
    return members, place, families


def _marked(links: Links, places: NDArray[np.int64], past: Remembered) -> tuple[NDArray[np.bool_], ...]:
    """On which of these edges there is what, in the order of MARKS."""
    edges = links.edges.at(places)
    in_rhythm = (edges.kind == RHYTHM) & (links.overlap[places] >= TOGETHER) & ~past.pardoned[edges.account]
    return in_rhythm, *past.marks(edges)


def _mark(number: int, bits: NDArray[np.int64], base: Base, accounts: int) -> Mark:
    name, members = MARKS[number], len(bits)
    count = int(((bits >> number) & 1).sum())
    share = count / members
    usual = (max(0, base.sums[number] - count) + 1) / (max(0, accounts - members) + PRIOR_ACCOUNTS)
    nats = min(members, COUNTED_MEMBERS) * _divergence(share, usual) if share > usual else 0.0
    return Mark(name, count, share, usual, min(nats, MOST_NATS[name]))


def _divergence(share: float, usual: float) -> float:
    """Kullback-Leibler divergence of two yes-or-no shares, in nats: what each account adds on average."""
    yes = share * math.log(share / usual) if share else 0.0
    no = (1.0 - share) * math.log((1.0 - share) / (1.0 - usual)) if share < 1.0 else 0.0
    return yes + no


def _signals(links: Links, kept: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    """(signal, how many members show it), the most shared first; of one member alone there is nothing shared."""
    signals, counts = np.unique(links.edges.signal[kept], return_counts=True)
    order = np.lexsort((signals, -counts))
    return tuple((int(signals[at]), int(counts[at])) for at in order if counts[at] > 1)
