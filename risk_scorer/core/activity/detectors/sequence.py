"""In which order things are done: a Markov chain of actions, of the person, of their peers, of everyone.

Each step is held against the same person doing the same things in any order, so that rare endpoints are left to the
detector of endpoints. Shares are smoothed along person → peers → everyone → order unknown (MacKay and Peto 1995, "A
Hierarchical Dirichlet Language Model"); the session's sum is Page's (1954).
"""

import math
from functools import lru_cache
from typing import ClassVar, NamedTuple
from zlib import crc32

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.evidence import is_calm, length_nats
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, is_sampled, part_in
from risk_scorer.core.activity.seen import Seen

OWN_ENOUGH, GROUP_ENOUGH = 60, 300
"""Steps before which a chain says nothing."""
OWN_STRENGTH, GROUP_STRENGTH, WORLD_STRENGTH = 4.0, 6.0, 6.0
"""Steps' worth of back-off at each level."""
UNHEARD = 0.001
"""Share of an action that nobody has taken yet."""
WELL_KNOWN = 3
"""Times that somebody has taken a step, after which it is theirs and says nothing against them."""
PAUSE_SECONDS = 1800.0
"""After half an hour people begin something else, and no step is taken."""
LOWEST, HIGHEST = -1.5, 2.0
START_NATS = 2.0
"""What the sum of an ordinary session reaches by chance."""
ANY, TOTAL = 0, 0
"""The row of all steps, and a row's own total: no action has the mark 0."""

Rows = dict[int, dict[int, int]]
"""Mark of an action → mark of the next → steps, halved when they are many; marks are 32 bits of a digest."""


class Bound(NamedTuple):
    """How many actions have a row, and how many following ones a row has; whichever was taken least leaves first.

    The row of any action has as many as there are rows. Counts are halved at so many steps, so that old habits fade.
    """

    rows: int
    following: int
    halved_at: int

    @property
    def most_bytes(self) -> int:
        return (self.rows + 1) * (16 + self.following * 8) + self.rows * 8


OWN, GROUP = Bound(32, 12, 400), Bound(256, 32, 4_000)


class Chain(Part):
    """A person's steps."""

    most_bytes: ClassVar[int] = OWN.most_bytes
    rows: Rows = {}


class GroupChain(Part):
    """The steps of a group, or of everyone."""

    most_bytes: ClassVar[int] = GROUP.most_bytes
    rows: Rows = {}


class Walk(Part):
    """Where the session is, since when, and its sum."""

    most_bytes: ClassVar[int] = 4 * 100 + 32
    mark: int = 0
    at: float = 0.0
    sum: float = 0.0
    action: str = ""


class Sequence(Detector):
    """Steps in an order in which this person does not take them."""

    name = "sequence"
    family = "path"
    warm_up = "60 steps of the person, or 300 of people with the same roles"
    texts = {"sequence": "Usual things are done in an order in which neither this person nor their peers do them."}
    parts = {"person": Chain, "peers": GroupChain, "world": GroupChain, "session": Walk}

    def __init__(self) -> None:
        self._found: tuple[Seen | None, float] = (None, 0.0)  # what `look` made of it spares `note` the same again

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        after = _after(seen, around)
        self._found = (seen, after or 0.0)
        if after is None:
            return UNKNOWN
        if after <= START_NATS:
            return None
        nats = after - START_NATS - length_nats(around.session)
        if nats <= 0.0:
            return None
        walk: Walk = around.session["sequence"]
        return Finding("sequence", nats, f"{walk.action} → {seen.action}", "another order")

    def learn(self, seen: Seen, around: Around) -> None:
        walk: Walk | None = around.session.get("sequence")
        if walk is None or seen.ts - walk.at > PAUSE_SECONDS:
            return
        before, after = walk.mark, mark_of(seen.action)
        _add(part_in(around.person, "sequence", Chain).rows, before, after, OWN)
        if not is_calm(around.session):
            return
        peers = part_in(around.peers, "sequence", GroupChain).rows
        sampled = is_sampled(seen.ts)
        if sampled or _steps(peers) < GROUP_ENOUGH:
            _add(peers, before, after, GROUP)
        if sampled:
            _add(part_in(around.world, "sequence", GroupChain).rows, before, after, GROUP)

    def note(self, seen: Seen, around: Around) -> None:
        walk = part_in(around.session, "sequence", Walk)
        known, after = self._found
        walk.sum = after if known is seen else _after(seen, around) or 0.0
        walk.mark, walk.at, walk.action = mark_of(seen.action), seen.ts, seen.action


@lru_cache(maxsize=16_384)
def mark_of(action: str) -> int:
    """32 bits of the action, never 0; the same in every process."""
    return crc32(action.encode(errors="replace")) or 1


def _after(seen: Seen, around: Around) -> float | None:
    """The session's sum with this step; None while warming up."""
    own: Chain | None = around.person.get("sequence")
    if own is None or _steps(own.rows) < OWN_ENOUGH:
        peers: GroupChain | None = around.peers.get("sequence")
        if peers is None or _steps(peers.rows) < GROUP_ENOUGH:
            return None
    walk: Walk | None = around.session.get("sequence")
    if walk is None or not walk.mark:
        return 0.0
    if seen.ts - walk.at > PAUSE_SECONDS:
        return walk.sum
    after = mark_of(seen.action)
    if not walk.sum and own is not None and _is_well_known(own.rows, walk.mark, after):
        return 0.0
    return max(0.0, walk.sum + _ratio(walk.mark, after, around))


def _steps(rows: Rows) -> int:
    every = rows.get(ANY)
    return 0 if every is None else every[TOTAL]


def _is_well_known(rows: Rows, before: int, after: int) -> bool:
    """Whether the step is the person's own, so that a sum of nothing stays nothing."""
    row = rows.get(before)
    return row is not None and row.get(after, 0) >= WELL_KNOWN


def _ratio(before: int, after: int, around: Around) -> float:
    """Nats for somebody who takes the same steps in any order and against this person."""
    own: Chain | None = around.person.get("sequence")
    if own is not None:
        usual, row = own.rows.get(ANY), own.rows.get(before)
        if usual is not None and row is not None and row.get(after, 0) >= WELL_KNOWN:
            return min(0.0, math.log(usual.get(after, 1) * row[TOTAL] / (usual[TOTAL] * row[after])))
    any_order, in_order = UNHEARD, UNHEARD
    for memory, strength in (
        (around.world, WORLD_STRENGTH),
        (around.peers, GROUP_STRENGTH),
        (around.person, OWN_STRENGTH),
    ):
        chain: Chain | GroupChain | None = memory.get("sequence")
        every = None if chain is None else chain.rows.get(ANY)
        if chain is None or every is None:
            continue
        any_order = (every.get(after, 0) + strength * any_order) / (every[TOTAL] + strength)
        # of steps from here little may be known: half is then what is done from anywhere
        others, row = (any_order + in_order) / 2.0, chain.rows.get(before)
        in_order = others if row is None else (row.get(after, 0) + strength * others) / (row[TOTAL] + strength)
    nats = math.log(any_order / in_order)
    return LOWEST if nats < LOWEST else HIGHEST if nats > HIGHEST else nats


def _add(rows: Rows, before: int, after: int, bound: Bound) -> None:
    _add_to(rows, ANY, after, bound)
    _add_to(rows, before, after, bound)


def _add_to(rows: Rows, before: int, after: int, bound: Bound) -> None:
    most_rows, most_next, halved_at = bound
    if before == ANY:
        most_next = most_rows
    row = rows.get(before)
    if row is None:
        if len(rows) > most_rows:
            del rows[min(rows, key=lambda key: rows[key][TOTAL])]
        row = rows[before] = {TOTAL: 0}
    count = row.get(after)
    if count is None and len(row) > most_next:
        row[TOTAL] -= row.pop(min(row, key=row.__getitem__))
    row[after] = (count or 0) + 1
    row[TOTAL] += 1
    if row[TOTAL] >= halved_at:
        for key in list(row):
            row[key] = (row[key] + 1) // 2
        row[TOTAL] = sum(row.values()) - row[TOTAL]
