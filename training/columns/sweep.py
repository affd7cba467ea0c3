"""`training.sweep` for a large log: the drawn people's logins, against what all logins of the log say."""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.features import Scales
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import table as as_matrix
from training.columns import crowd
from training.columns.counts import MOST_VALUES, Counts
from training.columns.crowd import AskedCrowd
from training.columns.facts import Facts
from training.labelling.evidence import NO_EVIDENCE, Evidence, Waiting
from training.lookups import Lookups
from training.stream import Past, Progress, quiet
from training.sweep import BLOCKS, HELD_OUT_BLOCKS, Block, Sweep, gathered, groups_of, judged_of, last_of, seen_in

Rows = NDArray[np.int64]


def sweep_sample(
    facts: Facts,
    rows: Rows,
    lookups: Lookups,
    *,
    absent: Container[str] = (),
    seed: int = 0,
    most_values: int = MOST_VALUES,
    evidence: Evidence = NO_EVIDENCE,
    progress: Progress = quiet,
) -> Sweep:
    """The blocks of these rows of the log, cut where tenths of all rows are; histories and places are left out.

    Frequencies and pressure are those of all logins; `most_values` bounds what is known of each attribute.
    """
    log = facts.log
    sample = log.table(rows)
    counts = Counts(facts, absent, most_values)
    asked_crowd = AskedCrowd()
    past = Past(crowd=asked_crowd)
    chance = np.random.default_rng(seed)
    edges = np.linspace(0, len(log), BLOCKS + 1).astype(int).tolist()
    blocks: list[Block] = []
    waiting = Waiting(evidence)
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        is_held_out = number >= BLOCKS - HELD_OUT_BLOCKS
        seen = seen_in(sample, lookups, *np.searchsorted(rows, (start, stop)).tolist())
        block = _block(seen, rows, counts, past, chance, waiting, last_of(log.timestamp, stop))
        blocks.append(replace(block, groups=groups_of(seen)) if is_held_out else block)
        if not is_held_out:
            counts.add(start, stop)
        progress("sweep", (number + 1) / BLOCKS)
    counts.add(edges[-1 - HELD_OUT_BLOCKS], edges[-1])
    _with_pressure(facts, asked_crowd, rows, blocks)
    return Sweep(
        fitting=tuple(blocks[1:-HELD_OUT_BLOCKS]),
        held_out=tuple(blocks[-HELD_OUT_BLOCKS:]),
        encoders=counts.encoders(),
        histories={},
        places={},
    )


def _block(
    seen: Sequence[Observation],
    rows: Rows,
    counts: Counts,
    past: Past,
    chance: np.random.Generator,
    evidence: Waiting,
    last: float,
) -> Block:
    """The block of these logins, whose `event_id` is their place among the sample's `rows`."""
    encoders = counts.encoders(rows[np.array([int(login.event_id) for login in seen], np.int64)])
    own, strangers, judged = gathered(seen, encoders, past, chance, evidence, last)
    return Block(
        signals=as_matrix(own),
        scales=Scales(total=float(counts.total), kinds=counts.kinds(), unknown_km=0.0),
        rarity=counts.rarity(),
        succeeded=np.array([login.success for login in seen], dtype=bool),
        strangers=as_matrix([row for _, row in strangers]),
        stranger_kinds=np.array([kind for kind, _ in strangers], dtype=np.int64),
        judged=judged_of(judged),
    )


def _with_pressure(facts: Facts, asked: AskedCrowd, rows: Rows, blocks: list[Block]) -> None:
    """Writes what was being tried around each login and stranger, in the order in which they were gathered."""
    found = crowd.pressures(facts, asked.asked, rows)
    is_own = asked.asked.own()
    own, strange = found[is_own], found[~is_own]
    at_own = at_strange = 0
    for block in blocks:
        crowd.put_in(block.signals, own[at_own : at_own + len(block.signals)])
        crowd.put_in(block.strangers, strange[at_strange : at_strange + len(block.strangers)])
        at_own, at_strange = at_own + len(block.signals), at_strange + len(block.strangers)
