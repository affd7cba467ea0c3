"""What an edge weighs: how rare its signal is, and how much of the time others were on that very signal, too.

Hubs weigh nothing. A hub is what many ordinary accounts show: an office, a carrier's address, a popular browser.
Accounts are ordinary on a signal when nothing speaks against them there; an attacker behind a hub is found by what
else is shared.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.crews import HUB_RHYTHM_ACCOUNTS
from risk_scorer.core.campaigns.edges import SLOTS, Edges, Graph, accounts_with
from risk_scorer.core.campaigns.past import Remembered
from risk_scorer.core.campaigns.sighting import ADDRESS, DEVICE, JA4, PREFIX, RHYTHM, USER_AGENT
from risk_scorer.core.campaigns.window import Floats

STRENGTH: Final = np.array([1.0, 0.5, 1.5, 1.0, 0.75, 0.5])
"""By kind: a prefix says less than its address, a user agent is written by whoever likes, a device id is made to be
unique; a rhythm is in two buckets, which together weigh one."""
HUB_ACCOUNTS: Final = 20
"""From so many accounts on a signal may be a hub. Fewer are a household or a team, and evidence tells."""
HUB_QUIET_SHARE: Final = 0.5
QUIET_PEOPLE: Final = 1000
"""Among how many more people a signal is taken to be as rare: of twelve accounts in all nothing would be rare."""
FULL_GROUP: Final = 3
"""What two accounts alone share ties them a third as much as what four do: rarest of all is what pairs share, and pairs
would be cut out of the attack that they belong to."""
LEAST_WEIGHT: Final = 0.02


class Links(Struct, frozen=True):
    """Edges that connect, with their weights; `overlap` is the share of an edge's time in which others were there.

    `rare_rhythm` says which accounts have the rhythm of a machine that is no hub.
    """

    edges: Edges
    weight: Floats
    overlap: Floats
    rare_rhythm: NDArray[np.bool_]


def links_of(graph: Graph, past: Remembered) -> Links:
    """The edges between accounts and signals that connect something."""
    edges = graph.edges
    users = np.bincount(edges.signal, minlength=graph.signals)
    failing, detected, _, _ = past.marks(edges)
    is_quiet = ~(failing | detected)
    is_rhythm = edges.kind == RHYTHM
    rhythm_hubs = _hubs(edges, is_quiet, users, graph.signals, HUB_RHYTHM_ACCOUNTS)
    rare_rhythm = accounts_with(edges, is_rhythm & ~rhythm_hubs[edges.signal], graph.accounts)
    hubs = _hubs(edges, is_quiet & ~rare_rhythm[edges.account], users, graph.signals, HUB_ACCOUNTS)
    is_hub = np.where(is_rhythm, rhythm_hubs[edges.signal], hubs[edges.signal])
    kept = edges.where(~is_hub & (users[edges.signal] > 1))
    overlap = _overlap(kept, graph.signals)
    people = graph.accounts + QUIET_PEOPLE
    rarity = np.log(people / users[kept.signal]) / np.log(people)
    group = np.minimum(1.0, (users[kept.signal] - 1) / FULL_GROUP)
    weight = STRENGTH[kept.kind] * rarity * overlap * group
    heavy = weight >= LEAST_WEIGHT
    return Links(kept.where(heavy), weight[heavy], overlap[heavy], rare_rhythm)


def _hubs(
    edges: Edges, is_quiet: NDArray[np.bool_], users: NDArray[np.int64], signals: int, least: int
) -> NDArray[np.bool_]:
    quiet = np.bincount(edges.signal[is_quiet], minlength=signals)
    return (users >= least) & (quiet >= HUB_QUIET_SHARE * users)


def _overlap(edges: Edges, signals: int) -> Floats:
    """For each edge the share of its slots in which another account showed the same signal."""
    shared, own = np.zeros(len(edges)), np.zeros(len(edges))
    one = np.uint64(1)
    for slot in range(SLOTS):
        is_there = ((edges.slots >> np.uint64(slot)) & one) == one
        there = np.bincount(edges.signal[is_there], minlength=signals)
        own += is_there
        shared += is_there & (there[edges.signal] > 1)
    return shared / np.maximum(own, 1.0)


FAMILY_OF_KIND: Final = {ADDRESS: 1, PREFIX: 1, DEVICE: 2, JA4: 4, USER_AGENT: 4, RHYTHM: 8}
"""Kinds of one family say the same thing twice: where, on what, with which program, when."""
