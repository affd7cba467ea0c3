"""Whoever labels can move a model so far and no further: a flood by one mouth or of one network meets its bound."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from tests.unit.training.logs import LOOKUPS, log
from training.calibrate import upper_bound
from training.fit import fit
from training.labelling.bounds import MOST_OF_ALL, SHARES
from training.labelling.evidence import Evidence, evidence_of
from training.labelling.label_file import LabelFile, Word
from training.labelling.matching import matched
from training.labelling.standing import standing
from training.labelling.teaching import MOST_LOST
from training.marked import Budgets
from training.sweep import Sweep, sweep

TABLE = log(2000)
FEW, MANY = 20, 200
"""Verdicts of one analyst: what would fill all that labels may weigh, and as many as there are logins there."""


def flood(count: int, verdict: str) -> Evidence:
    """One analyst says so of the successful logins from one operator's network."""
    rows = np.flatnonzero(TABLE.success & (TABLE.asn == TABLE.asn[0]))[:count]
    words = {
        (TABLE.user_id[row], round(float(TABLE.timestamp[row]) * 1000), TABLE.ip[row]): (
            Word(verdict=verdict, by="soc", source="analyst", known_at=1.0),  # type: ignore[arg-type]
        )
        for row in rows.tolist()
    }
    found = matched(TABLE, standing(LabelFile(words, count, "").words).labels)
    return evidence_of(found, LOOKUPS)


@pytest.mark.parametrize("verdict", ["confirmed_compromised", "confirmed_safe"])
def test_a_flood_weighs_what_a_few_do(verdict: str) -> None:
    """Beyond the share of its operator, its network and its mouth, not a digit more."""
    few, many = (flood(count, verdict) for count in (FEW, MANY))
    for found in (few, many):
        total = found.compromised.weights.sum() + found.safe.weights.sum()
        assert total <= MOST_OF_ALL * min(SHARES["operator"], SHARES["mouth"]) + 1e-12
        assert all(found.largest[kind] <= share + 1e-9 for kind, share in SHARES.items())
    assert len(many.told) > 5 * len(few.told)
    assert many.compromised.cut + many.safe.cut == len(many.told)


@cache
def plain() -> Sweep:
    return sweep(TABLE, LOOKUPS, seed=7)


def recall(swept: Sweep) -> dict[str, float]:
    return dict(fit(swept, {}, seed=7, budgets=Budgets()).simulated)


@pytest.mark.parametrize("verdict", ["confirmed_compromised", "confirmed_safe"])
def test_a_flood_costs_no_more_recall_than_it_may_and_prompts_nobody_more(verdict: str) -> None:
    """What is usual stays usual, and strangers are caught as before, up to the bound and chance."""
    told = sweep(TABLE, LOOKUPS, seed=7, evidence=flood(MANY, verdict))
    assert told.histories == plain().histories
    before, fitted = recall(plain()), fit(told, {}, seed=7, budgets=Budgets())
    kinds = np.concatenate([block.stranger_kinds for block in told.held_out])
    for number, (kind, share) in enumerate(before.items()):
        strangers = max(1, int((kinds == number).sum()))
        chance = 1.645 * np.sqrt(2 * max(share * (1 - share), 1 / strangers) / strangers)
        assert fitted.simulated[kind] >= share - max(MOST_LOST, chance) - 1e-9, kind
    mark = fitted.marks["step_up"]
    assert mark.bound <= mark.budget or mark.is_extrapolated
    assert upper_bound(mark.prompted, mark.logins) == mark.bound


def test_labels_that_are_no_evidence_change_no_byte(tmp_path: Path) -> None:
    """A file of withdrawn labels is a training without labels."""
    words = {("u1", 1, "10.0.0.1"): (Word(verdict="dismissed", by="soc", source="analyst", known_at=1.0),)}
    found = matched(TABLE, standing(words).labels)
    swept = sweep(found.table, LOOKUPS, seed=7, evidence=evidence_of(found, LOOKUPS))
    of = partial(fit, absent={}, seed=7, budgets=Budgets())
    assert of(swept).parts.pairs.value.tobytes() == of(plain()).parts.pairs.value.tobytes()
