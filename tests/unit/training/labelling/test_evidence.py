"""Labelled logins are met at their moment, with what was known then, and nothing learns from them."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest

from risk_scorer.core.signals import PLACE
from tests.unit.training.logs import LOOKUPS, log, objects
from training import pair_fit
from training.labelling.bounds import EACH
from training.labelling.evidence import Evidence, evidence_of
from training.labelling.label_file import Login
from training.labelling.matching import Matched, matched
from training.labelling.standing import Label
from training.sources import EventTable
from training.sweep import BLOCKS, Sweep, sweep

TABLE = log(1000)
VICTIM, TWICE, SAFE, FIRST, LAST = 500, 700, 450, 20, 999
"""Rows of the log: two compromises, a safe login, one in the block that is not fitted, and the very last."""


def login(row: int) -> Login:
    return TABLE.user_id[row], round(float(TABLE.timestamp[row]) * 1000), TABLE.ip[row]


def label(row: int, *, is_compromised: bool = True) -> Label:
    return Label(login(row), is_compromised, "analyst", "analyst:soc", 1.0, 0.0, is_contradicted=False)


FOUND = matched(TABLE, [*map(label, (VICTIM, TWICE, FIRST, LAST)), label(SAFE, is_compromised=False)])
EVIDENCE = evidence_of(FOUND, LOOKUPS)


@cache
def the_sweep() -> Sweep:
    """The log as it is swept with what is known of its logins."""
    return sweep(FOUND.table, LOOKUPS, evidence=EVIDENCE)


def blocks(swept: Sweep) -> list[object]:
    return [*swept.fitting, *swept.held_out]


def test_a_sweep_with_evidence_learns_what_it_does_without() -> None:
    """Frequencies, histories, places, signals and strangers are the same to the bit."""
    bare = sweep(FOUND.table, LOOKUPS)
    assert the_sweep().histories == bare.histories
    assert (the_sweep().encoders, the_sweep().places) == (bare.encoders, bare.places)
    for one, other in zip((*the_sweep().fitting, *the_sweep().held_out), (*bare.fitting, *bare.held_out), strict=True):
        assert one.signals.tobytes() == other.signals.tobytes()
        assert one.strangers.tobytes() == other.strangers.tobytes()


def test_an_attack_is_kept_out_of_what_its_victim_is_known_by() -> None:
    """The log without labels has it among the victim's logins and everyone's."""
    told = sweep(TABLE, LOOKUPS)
    user = TABLE.user_id[VICTIM]
    successes = sum(int(TABLE.success[row]) for row in (VICTIM, TWICE, FIRST, LAST))
    assert told.encoders.total - the_sweep().encoders.total == successes
    gone = sum(int(TABLE.success[row]) for row in (VICTIM, TWICE, FIRST, LAST) if TABLE.user_id[row] == user)
    assert told.histories[user].logins - the_sweep().histories[user].logins == gone


def test_each_is_looked_at_in_its_block_with_the_history_before_it() -> None:
    """The one of the first block, which fills frequencies alone, teaches nothing; the last one is not lost."""
    size = len(FOUND.table) // BLOCKS
    met = {number: block.judged for number, block in enumerate((*the_sweep().fitting, *the_sweep().held_out), start=1)}
    assert {number: judged.is_compromised.tolist() for number, judged in met.items() if len(judged.weight)} == {
        SAFE // size: [False],
        VICTIM // size: [True],
        TWICE // size: [True],
        BLOCKS - 1: [True],
    }
    [weight] = met[VICTIM // size].weight
    assert weight == EACH
    row = int(np.searchsorted(FOUND.table.timestamp, TABLE.timestamp[VICTIM]))
    own = FOUND.table.user_id[:row] == TABLE.user_id[VICTIM]
    [signals] = met[VICTIM // size].signals
    assert signals[PLACE["logins"]] == (own & FOUND.table.success[:row]).sum() > 0


def test_a_safe_login_is_looked_at_before_it_is_learned() -> None:
    """It is among the logins as well, and its numbers are the same there, but for what was tried around it."""
    own = [place for name, place in PLACE.items() if not name.startswith(("network_", "device_"))]
    block = the_sweep().fitting[SAFE // (len(FOUND.table) // BLOCKS) - 1]
    assert any(block.judged.signals[0, own].tobytes() == row.tobytes() for row in block.signals[:, own])


def test_safe_logins_of_the_held_out_part_vouch_for_nothing() -> None:
    """The marks are counted on them."""
    held = matched(TABLE, [label(LAST, is_compromised=False), label(VICTIM)])
    swept = sweep(held.table, LOOKUPS, evidence=evidence_of(held, LOOKUPS))
    assert pair_fit.taught_by(swept.fitting) == {True: 1, False: 0}
    assert pair_fit.taught_by(swept.held_out) == {True: 0, False: 1}


def test_nobody_with_less_weight_is_nobody() -> None:
    """A share of nothing leaves no rows, so that a model without labels is the same to the byte."""
    judged = the_sweep().fitting[VICTIM // (len(FOUND.table) // BLOCKS) - 1].judged
    assert (len(judged.lighter(0.0).weight), judged.lighter(0.5).weight.tolist()) == (0, [EACH / 2])


def test_rows_are_seen_as_the_whole_log_is() -> None:
    """A column that only other rows have does not change what these are."""
    sparse = replace(TABLE, user_agent=objects(["" if row == VICTIM else "Agent" for row in range(1000)]))
    found: Matched = matched(sparse, [label(VICTIM)])
    assert found.rows.present == sparse.present
    assert isinstance(evidence_of(found, LOOKUPS), Evidence)


def test_every_column_of_a_row_is_kept() -> None:
    """Whoever adds a column to a log thinks of labelled rows too."""
    arrays = [field.name for field in fields(EventTable) if isinstance(getattr(TABLE, field.name), np.ndarray)]
    assert all(len(getattr(FOUND.rows, name)) == 5 for name in arrays)
    assert pytest.approx(FOUND.rows.timestamp.tolist()) == sorted(
        TABLE.timestamp[[VICTIM, TWICE, SAFE, FIRST, LAST]].tolist()
    )
