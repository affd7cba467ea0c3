"""Whose login it is, as a sum of one part for each level: what scikit-learn fitted, never lower for stranger logins."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from risk_scorer.core.encoders import kinds
from risk_scorer.core.history import learn
from risk_scorer.core.likelihood import ratios
from risk_scorer.core.pairs import (
    CONTEXT,
    ENOUGH_LOGINS,
    INPUTS,
    NEVER,
    PARTS,
    PAUSE,
    RISES,
    ROWS_A_BLOCK,
    Pairs,
    inputs,
    parts,
)
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS, gather, table
from tests.unit.risk_scorer.core import small
from tests.unit.risk_scorer.core.small import HOME, NEW, NOON, OWN, STRANGE, encoders, known, likelihood, seen
from training.pair_fit import exported

Matrix = Any
KINDS = ("ratio", "share", "age")
OF_LEVEL = {level: [INPUTS.index(f"{kind}_{level}") for kind in KINDS] for level in LEVELS}


def random_inputs(rows: int, seed: int) -> Matrix:
    """Logins of people with a history, all of whose numbers are drawn by themselves."""
    chance = np.random.default_rng(seed)
    out = np.zeros((rows, len(INPUTS)))
    out[:, 0] = np.log1p(chance.integers(1, 51, rows))
    out[:, 1] = np.log1p(chance.exponential(10 * 86_400.0, rows))
    for place, name in enumerate(INPUTS[2:], 2):
        out[:, place] = {
            "ratio": lambda: chance.normal(0.0, 3.0, rows),
            "share": lambda: chance.random(rows).round(2),
            "age": lambda: np.where(chance.random(rows) < 0.3, NEVER, np.log1p(chance.exponential(1e6, rows))),
        }[name.partition("_")[0]]()
    return out


@lru_cache(maxsize=1)
def fitted() -> Any:
    """Trees that had every input to ask about, each leaf one level beside the context."""
    given, chance = random_inputs(4000, 1), np.random.default_rng(2)
    spread = given.std(axis=0)
    stranger = (given / spread * np.array(RISES)).sum(axis=1) + 10.0 * np.sin(4.0 * given[:, 0] / spread[0])
    answers = stranger + chance.normal(0.0, 3.0, len(given)) > np.quantile(stranger, 0.7)
    together = [[0, 1, *OF_LEVEL[level]] for level in LEVELS]
    classifier = HistGradientBoostingClassifier(
        max_iter=80,
        max_leaf_nodes=8,
        monotonic_cst=list(RISES),
        interaction_cst=together,
        early_stopping=False,
        random_state=3,
    )
    return classifier.fit(given, answers)


@lru_cache(maxsize=1)
def learned() -> Pairs:
    return exported(fitted())


def given_for(*logins: tuple[Any, Any], used: Matrix | None = None) -> Matrix:
    """`inputs` of these (observation, history)."""
    rows = table([gather(encoders(), observation, history) for observation, history in logins])
    levels = likelihood() if used is None else likelihood(used=used)
    shared = shares(rows, 1000.0, kinds(encoders()))
    return inputs(rows, ratios(rows, shared, levels), levels.used)


def named(row: Matrix) -> dict[str, float]:
    return dict(zip(INPUTS, row.tolist(), strict=True))


def test_the_parts_add_up_to_what_was_fitted() -> None:
    """scikit-learn's decision function, on logins that it never saw."""
    fresh = random_inputs(2000, 9)
    found = parts(learned(), fresh)
    assert learned().baseline != 0.0
    assert found.shape == (2000, len(PARTS))
    assert found.sum(axis=1) == pytest.approx(fitted().decision_function(fresh), abs=1e-9)
    assert (np.ptp(found, axis=0) > 0.1).all()  # no part is a constant


def test_numbers_exactly_on_a_threshold_go_left_as_in_scikit_learn() -> None:
    """Every threshold that was fitted, and its neighbours on both sides."""
    pairs = learned()
    inner = np.flatnonzero(np.isfinite(pairs.threshold))[:300]
    rows = random_inputs(3 * len(inner), 10)
    for place, node in enumerate(inner):
        at = pairs.threshold[node]
        rows[3 * place : 3 * place + 3, pairs.feature[node]] = at, np.nextafter(at, 1e9), np.nextafter(at, -1e9)
    rows[:, 0] = np.maximum(rows[:, 0], math.log1p(1.0))
    assert parts(pairs, rows).sum(axis=1) == pytest.approx(fitted().decision_function(rows), abs=1e-9)


@pytest.mark.parametrize("name", [name for name, rises in zip(INPUTS, RISES, strict=True) if rises])
def test_a_stranger_number_never_lowers_any_part(name: str) -> None:
    """Moved alone, in any login, by any amount; and somewhere it raises what its own level says."""
    column, chance = INPUTS.index(name), np.random.default_rng(4)
    rows = random_inputs(1500, 5)
    stranger = rows.copy()
    stranger[:, column] += RISES[column] * chance.exponential(np.abs(rows[:, column]).mean(), len(rows))
    gained = parts(learned(), stranger) - parts(learned(), rows)
    assert (gained >= 0.0).all()
    assert (gained.sum(axis=1) > 0.0).any()


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_moves_its_own_part_alone(level: str) -> None:
    """To the bit: whatever the device is, it is not told as the country."""
    rows, others = random_inputs(400, 6), random_inputs(400, 7)
    changed = rows.copy()
    changed[:, OF_LEVEL[level]] = others[:, OF_LEVEL[level]]
    moved = (parts(learned(), changed) != parts(learned(), rows)).any(axis=0)
    assert {name for name, has in zip(PARTS, moved.tolist(), strict=True) if has} == {level}


def test_what_is_strange_is_said_for_every_input() -> None:
    """A larger ratio, a smaller share, a longer time since; how long a history is speaks neither way."""
    strange = dict(zip(INPUTS, RISES, strict=True))
    assert [strange[name] for name in CONTEXT] == [0, 0]
    for level in LEVELS:
        assert [strange[f"{kind}_{level}"] for kind in KINDS] == [1, -1, 1]


def test_without_history_all_is_nothing() -> None:
    """No input and no part, the baseline among them, beside people who are known."""
    given = given_for((STRANGE, None), (STRANGE, known()), (HOME, None))
    assert not given[[0, 2]].any()
    found = parts(small.pairs(), given)
    assert not found[[0, 2]].any()
    assert found[1].all()


def test_inputs_are_shares_and_times_of_the_person() -> None:
    """Twenty logins an hour apart, the last of them from another device; each number written out."""
    past = learn(known(19), seen(device_id="dev-2", ts=NOON - 1800.0), "success")
    own, new = map(named, given_for((HOME, past), (seen(device_id="dev-9"), past)))
    assert own["logins"] == pytest.approx(math.log1p(20.0))
    assert own["gap"] == pytest.approx(math.log1p(1800.0))
    assert own["share_device"] == pytest.approx(19.0 / 20.0)
    assert own["age_device"] == pytest.approx(math.log1p(3600.0))
    assert own["age_country"] == pytest.approx(math.log1p(1800.0))
    assert own["ratio_device"] < 0.0 < new["ratio_device"]
    assert (new["share_device"], new["age_device"]) == (0.0, NEVER)
    assert {name for name in INPUTS if own[name] != new[name]} == {f"{kind}_device" for kind in KINDS}


@pytest.mark.parametrize(("logins", "counted"), [(1, 1), (50, 50), (51, 50), (80, 50)])
def test_past_enough_logins_one_more_says_nothing(logins: int, counted: int) -> None:
    """A history of fifty logins is a long one."""
    assert counted <= ENOUGH_LOGINS
    assert named(given_for((HOME, known(logins)))[0])["logins"] == pytest.approx(math.log1p(counted))


def test_a_level_that_the_log_lacks_is_no_input() -> None:
    """All three of its numbers are 0, and no other's are."""
    used = np.where(np.array(LEVELS) == "device", 0.0, 1.0)
    with_it, without = given_for((STRANGE, known())), given_for((STRANGE, known()), used=used)
    assert not without[0, OF_LEVEL["device"]].any()
    kept = [place for place in range(len(INPUTS)) if place not in OF_LEVEL["device"]]
    assert (with_it[0, kept] == without[0, kept]).all()


@pytest.mark.parametrize("at", [0, ROWS_A_BLOCK - 1, ROWS_A_BLOCK, 2 * ROWS_A_BLOCK, 599])
def test_one_row_is_walked_to_the_same_bits_as_in_a_batch(at: int) -> None:
    """Neither its neighbours nor its place in a block matter to a row."""
    rows = random_inputs(600, 8)
    rows[::4, 0] = 0.0  # nobody known, in every block
    assert (parts(learned(), rows[at : at + 1])[0] == parts(learned(), rows)[at]).all()


@pytest.mark.parametrize("rows", [0, 1, ROWS_A_BLOCK, ROWS_A_BLOCK + 1, 600])
def test_every_row_of_every_block_is_answered(rows: int) -> None:
    """Backwards gives the same, turned around."""
    given = random_inputs(rows, 11)
    assert (parts(learned(), given)[::-1] == parts(learned(), given[::-1])).all()
    assert parts(learned(), given).all(axis=1).all()


def test_the_small_model_says_what_it_was_built_to_say() -> None:
    """Own values excuse, new ones accuse, an absence of more than a month is strange by itself."""
    away = seen(ts=NOON + 40 * 86_400.0)
    own, strange, late = parts(small.pairs(), given_for((HOME, known()), (STRANGE, known()), (away, known())))
    pause = PARTS.index(PAUSE)
    assert own == pytest.approx(np.append(np.full(len(LEVELS), OWN), OWN + 0.1))
    assert strange == pytest.approx(np.append(np.full(len(LEVELS), NEW), OWN + 0.1))
    assert late[pause] == pytest.approx(NEW + 0.1)
