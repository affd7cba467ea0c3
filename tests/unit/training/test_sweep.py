"""What is fitted was gathered before it was learned, with frequencies as old as serving will have them."""

from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from risk_scorer.core.pressure import Crowd
from risk_scorer.core.signals import PLACE
from tests.unit.training.logs import LOOKUPS, PLACES, log, objects
from training.attackers import KINDS
from training.observations import observations
from training.sweep import BLOCKS, Sweep, sweep

TABLE = log(1000)


@cache
def the_sweep() -> Sweep:
    """The log as it is swept, with nothing left out."""
    return sweep(TABLE, LOOKUPS)


def test_encoders_count_the_successful_logins_of_the_whole_log() -> None:
    """As a plain count over the rows would."""
    own = [each for each in observations(TABLE, LOOKUPS) if each.success]
    assert the_sweep().encoders.total == len(own)
    assert the_sweep().encoders.user == Counter(each.user_id for each in own)
    assert the_sweep().encoders.ua == Counter(each.user_agent for each in own)
    assert the_sweep().encoders.prefix == Counter(each.prefix for each in own)
    assert the_sweep().encoders.asn == Counter(each.asn_key for each in own)


def test_a_block_sees_the_frequencies_of_the_blocks_before_it() -> None:
    """The first fitted login counts only the first tenth of the log; held-out ones only the first eight."""
    size = len(TABLE) // BLOCKS
    for block, before in zip((*the_sweep().fitting, *the_sweep().held_out), (1, 2, 3, 4, 5, 6, 7, 8, 8), strict=True):
        assert block.scales.total == TABLE.success[: before * size].sum()
        assert len(block.signals) == len(block.succeeded) == size


def test_histories_are_those_before_the_login() -> None:
    """The number of known logins of every row is how often its user had succeeded by then."""
    so_far: Counter[str] = Counter()
    expected = []
    for user, success in zip(TABLE.user_id, TABLE.success, strict=True):
        expected.append(so_far[user])
        so_far[user] += int(success)
    blocks = (*the_sweep().fitting, *the_sweep().held_out)
    found = np.concatenate([block.signals[:, PLACE["logins"]] for block in blocks])
    assert found.tolist() == expected[len(TABLE) // BLOCKS :]
    assert {user: past.logins for user, past in the_sweep().histories.items() if past.logins} == dict(so_far)


def test_the_pressure_is_carried_along_the_whole_log() -> None:
    """Every row has what failed around it before, across the edges of the blocks; to the bit as row after row."""
    crowd, expected = Crowd(), []
    for seen in observations(TABLE, LOOKUPS):
        found = crowd.around(seen)
        expected.append([found.network_failures, found.network_people, found.network_logins])
        crowd.learn(seen, "success" if seen.success else "failure")
    columns = [PLACE[name] for name in ("network_failures", "network_people", "network_logins")]
    found = np.concatenate([block.signals[:, columns] for block in (*the_sweep().fitting, *the_sweep().held_out)])
    assert found.tolist() == expected[len(TABLE) // BLOCKS :]
    assert (found > 0).any(axis=0).all()


def test_usual_places_are_means_of_what_was_looked_up() -> None:
    """Somebody who is mostly in one country has a place near it."""
    latitude, longitude = the_sweep().places["u1"]
    assert (latitude, longitude) == (pytest.approx(PLACES["US"][0], abs=10), pytest.approx(PLACES["US"][1], abs=10))


def test_absent_columns_are_not_counted() -> None:
    """Their frequencies are 0 in every explanation."""
    swept = sweep(TABLE, LOOKUPS, absent={"device_id", "ja4"})
    assert (swept.encoders.device, swept.encoders.ja4) == ({}, {})
    assert swept.encoders.ja4h == the_sweep().encoders.ja4h


def test_probes_leave_no_trace() -> None:
    """They are in nobody's history and in no frequency."""
    probed = replace(TABLE, probe=objects(["naive"] + [""] * 999))
    assert sweep(probed, LOOKUPS).encoders.total == the_sweep().encoders.total - int(TABLE.success[0])


def test_strangers_stand_in_the_place_of_people_with_a_history() -> None:
    """At the moment of a login of theirs, known as well as they were then; never in the place of a first login."""
    logins, ts = PLACE["logins"], PLACE["ts"]
    for block in (*the_sweep().fitting, *the_sweep().held_out):
        victims = block.signals[block.succeeded & (block.signals[:, logins] > 0)]
        moments = set(zip(victims[:, ts].tolist(), victims[:, logins].tolist(), strict=True))
        found = set(zip(block.strangers[:, ts].tolist(), block.strangers[:, logins].tolist(), strict=True))
        assert len(block.strangers) == len(block.stranger_kinds) > 0
        assert found <= moments
        common = np.bincount(block.stranger_kinds, minlength=len(KINDS))[: KINDS.index("stolen_device")]
        assert (common > 0.9 * len(victims)).all()  # a small log: every login of a block has its strangers


def test_a_strangers_values_are_new_to_the_victim_more_often_than_the_victims_own() -> None:
    """What is stolen or shared is the victim's own, all else is drawn from other people."""
    column = PLACE["seen_device"]
    blocks = the_sweep().held_out
    strangers = np.concatenate([block.strangers for block in blocks])
    kinds = np.concatenate([block.stranger_kinds for block in blocks])
    own = np.concatenate([block.signals[block.succeeded & (block.signals[:, PLACE["logins"]] > 0)] for block in blocks])
    is_new = {name: float((strangers[kinds == kind, column] == 0).mean()) for kind, name in enumerate(KINDS)}
    assert {name: share for name, share in is_new.items() if name != "stolen_device"} == {
        name: 1.0 for name in KINDS if name != "stolen_device"
    }
    assert is_new["stolen_device"] == pytest.approx((own[:, column] == 0).mean(), abs=0.06)


def test_strangers_teach_nothing() -> None:
    """Histories, frequencies and the numbers of the log's own logins are the same whichever strangers were drawn."""
    other = sweep(TABLE, LOOKUPS, seed=8)
    for mine, theirs in zip(
        (*the_sweep().fitting, *the_sweep().held_out), (*other.fitting, *other.held_out), strict=True
    ):
        assert mine.signals.tobytes() == theirs.signals.tobytes()
        assert mine.strangers.tobytes() != theirs.strangers.tobytes()
    assert (other.encoders, other.histories, other.places) == (
        the_sweep().encoders,
        the_sweep().histories,
        the_sweep().places,
    )


def test_the_same_seed_draws_the_same_strangers() -> None:
    """To the bit."""
    again = sweep(TABLE, LOOKUPS)
    for mine, theirs in zip(
        (*the_sweep().fitting, *the_sweep().held_out), (*again.fitting, *again.held_out), strict=True
    ):
        assert mine.strangers.tobytes() == theirs.strangers.tobytes()
        assert mine.stranger_kinds.tobytes() == theirs.stranger_kinds.tobytes()


def test_a_long_block_has_about_as_many_victims_as_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """More logins do not make training longer without end."""
    monkeypatch.setattr("training.sweep.VICTIMS_A_BLOCK", 30)
    block = sweep(TABLE, LOOKUPS).held_out[-1]
    assert 15 <= (block.stranger_kinds == KINDS.index("naive")).sum() <= 45


def test_seldom_strangers_stand_in_for_every_fourth_victim() -> None:
    """A quarter, counted in victims; a log of one person has no other strangers."""
    many = sweep(log(3000), LOOKUPS).held_out[-1]
    counts = np.bincount(many.stranger_kinds, minlength=len(KINDS))
    assert counts[KINDS.index("nobody")] == pytest.approx(counts[KINDS.index("naive")] / 4, abs=1)
    alone = sweep(log(2000, people=1), LOOKUPS).held_out[-1]
    assert (alone.stranger_kinds == KINDS.index("nobody")).sum() == pytest.approx(alone.succeeded.sum() / 4, abs=1)
