"""The trees that tell a person's login from a stranger's: learned without a label, the same every time."""

from dataclasses import fields, replace
from functools import lru_cache

import numpy as np
import pytest

from risk_scorer.core import pairs
from risk_scorer.core.pairs import INPUTS, PARTS, RISES, Pairs
from risk_scorer.core.signals import LEVELS, PLACE
from risk_scorer.core.trees import problem
from tests.unit.risk_scorer.core.small import likelihood
from tests.unit.risk_scorer.core.small import pairs as pairs_of_every_level
from tests.unit.training.logs import LOOKUPS, log, objects
from training import measure, pair_fit
from training.attackers import KINDS
from training.sources import EventTable
from training.sweep import Sweep, sweep

TABLE = log(2000)


@lru_cache(maxsize=1)
def swept() -> Sweep:
    return sweep(TABLE, LOOKUPS, seed=5)


@lru_cache(maxsize=1)
def learned() -> Pairs:
    return taught(swept())


def taught(found: Sweep, seed: int = 5) -> Pairs:
    levels = measure.likelihood(found.fitting, found.encoders, {}, most=6.0)
    return pair_fit.learn(found.fitting, levels, seed=seed)


def content(of: Pairs) -> list[bytes]:
    return [np.asarray(getattr(of, field.name)).tobytes() for field in fields(Pairs)]


def own_and_strange() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the trees say in all of the held-out logins and strangers, and the strangers' kinds."""
    found, own, strange = swept(), [], []
    levels = measure.likelihood(found.fitting, found.encoders, {}, most=6.0)
    for block in found.held_out:
        known = block.signals[block.succeeded & (block.signals[:, PLACE["logins"]] > 0)]
        own.append(pairs.parts(learned(), pair_fit.inputs(known, block, levels)).sum(axis=1))
        strange.append(pairs.parts(learned(), pair_fit.inputs(block.strangers, block, levels)).sum(axis=1))
    kinds = np.concatenate([block.stranger_kinds for block in found.held_out])
    return np.concatenate(own), np.concatenate(strange), kinds


def test_strangers_who_were_never_seen_are_told_from_owners() -> None:
    """Of held-out logins, far more of every common kind of stranger are stranger than all but 2 % of the owners."""
    own, strange, kinds = own_and_strange()
    mark = np.quantile(own, 0.98)
    for kind, name in enumerate(KINDS[:3]):
        assert (strange[kinds == kind] > mark).mean() > 0.7, name
    assert np.median(own) < 0.0 < np.median(strange)


def test_what_was_learned_can_be_walked() -> None:
    """Sound trees, each leaf for a part, as many as were asked for."""
    found = learned()
    assert problem(found, (found.value,), trees_said=pair_fit.TREES, inputs=len(INPUTS)) is None
    assert set(np.unique(found.part).tolist()) <= set(range(len(PARTS)))
    assert len({PARTS[part] for part in found.part[found.value != 0.0]} & set(LEVELS)) > 3


@pytest.mark.long
def test_the_same_seed_gives_the_same_bytes() -> None:
    """Sweep and fit once more from the start; other strangers give other trees."""
    assert content(taught(sweep(TABLE, LOOKUPS, seed=5))) == content(learned())
    assert content(taught(sweep(TABLE, LOOKUPS, seed=6))) != content(learned())


def test_usual_is_what_ordinary_logins_of_known_people_say() -> None:
    """The median of each part over the people's own logins that were fitted; mostly it speaks for them."""
    found = swept()
    levels = measure.likelihood(found.fitting, found.encoders, {}, most=6.0)
    own = np.concatenate(
        [
            pair_fit.inputs(block.signals[block.succeeded & (block.signals[:, PLACE["logins"]] > 0)], block, levels)
            for block in found.fitting
        ]
    )
    assert learned().usual == pytest.approx(np.median(pairs.parts(learned(), own), axis=0), abs=1e-12)
    assert learned().usual.sum() < 0.0


def test_stranger_numbers_never_lower_what_was_learned() -> None:
    """The direction of every input holds in the trees of a real log as well."""
    found = swept()
    levels = measure.likelihood(found.fitting, found.encoders, {}, most=6.0)
    given = pair_fit.inputs(found.held_out[0].signals, found.held_out[0], levels)
    before = pairs.parts(learned(), given)
    for column, rises in enumerate(RISES):
        moved = given.copy()
        moved[:, column] += 2.0 * rises
        assert (pairs.parts(learned(), moved) >= before).all(), INPUTS[column]


def test_levels_that_the_log_lacks_are_never_asked_about() -> None:
    """Their part is 0 whatever comes."""
    levels = measure.likelihood(swept().fitting, swept().encoders, {"level:device": "no"}, most=6.0)
    found = pair_fit.learn(swept().fitting, levels, seed=5)
    assert not found.value[found.part == PARTS.index("device")].any()
    assert learned().value[learned().part == PARTS.index("device")].any()


def test_levels_that_can_move_no_score_are_found() -> None:
    """No leaf speaks for them and rarity is nothing there; who is not in the log or is rare is not silent."""
    small = pairs_of_every_level()
    assert pair_fit.silent(small, likelihood()) == ()
    of = {level: LEVELS.index(level) for level in ("device", "asn", "ja4")}
    muted = replace(small, value=np.where(np.isin(small.part, list(of.values())), 0.0, small.value))
    assert pair_fit.silent(muted, likelihood()) == ("device", "ja4")  # rarity is worth something at the operator
    used = np.where(np.array(LEVELS) == "ja4", 0.0, 1.0)
    assert pair_fit.silent(muted, likelihood(used=used)) == ("device",)
    assert pair_fit.silent(pair_fit.NOTHING, likelihood()) == tuple(level for level in LEVELS if level != "asn")


def everyone_once(rows: int) -> EventTable:
    return replace(log(rows), user_id=objects([f"u{row}" for row in range(rows)]))


def test_where_nobody_comes_twice_nothing_is_learned() -> None:
    """No own login to learn from: no evidence for or against anybody, in a form that can be walked."""
    found = taught(sweep(everyone_once(600), LOOKUPS, seed=5))
    assert content(found) == content(pair_fit.NOTHING)
    assert problem(found, (found.value,), trees_said=1, inputs=len(INPUTS)) is None
    some = np.ones((3, len(INPUTS)))
    assert not pairs.parts(found, some).any()


def test_no_failure_and_no_label_is_learned_from() -> None:
    """What failed logins and marked probes brought may change at will: the same bytes are learned."""
    probed = np.arange(len(TABLE)) % 10 == 3
    unread = objects([f"Agent of {row}" for row in range(len(TABLE))])
    marked = replace(TABLE, probe=objects(["naive" if each else "" for each in probed]))
    other = replace(
        marked,
        probe=objects(["vpn" if each else "" for each in probed]),
        user_agent=np.where(probed, unread, TABLE.user_agent),
        device_id=np.where(probed | ~TABLE.success, unread, TABLE.device_id),
    )
    same = taught(sweep(marked, LOOKUPS.without_networks(), seed=5))
    found = taught(sweep(other, LOOKUPS.without_networks(), seed=5))
    assert content(found) == content(same)
    assert content(found) != content(learned())


def test_owners_and_strangers_count_the_same_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither side is likelier beforehand, however many were drawn; what the seldom kinds weigh matters."""
    assert learned().baseline == pytest.approx(0.0, abs=1e-9)
    monkeypatch.setattr(pair_fit, "SELDOM_WEIGHT", 1.0)
    assert content(taught(swept())) != content(learned())
