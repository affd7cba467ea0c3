"""A stream is strictly one login after another, whatever the size of its chunks, and learns from what it may."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from risk_scorer.core.history import learn
from risk_scorer.core.pressure import Crowd
from risk_scorer.core.scoring import score_many
from risk_scorer.core.signals import PLACE, table
from tests.unit.risk_scorer.core.small import model
from tests.unit.training.logs import LOOKUPS, log, objects
from training import stream
from training.observations import observations
from training.stream import Past, look_then_learn, score_table

TABLE = log(400, people=7)


def one_by_one() -> list[float]:
    """The protocol in its plainest form: score, then learn, then the next row."""
    small, histories, crowd, scores = model(), {}, Crowd(), []
    for observation in observations(TABLE, LOOKUPS):
        past, around = histories.get(observation.user_id), crowd.around(observation)
        scores.append(float(score_many(small, [observation], [past], [around]).score[0]))
        outcome = "success" if observation.success else "failure"
        histories[observation.user_id] = learn(past, observation, outcome)
        crowd.learn(observation, outcome)
    return scores


@pytest.mark.parametrize("chunk", [1, 7, 399, 400, 20_000])
def test_chunks_change_no_bit(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring in chunks is the same as row after row."""
    monkeypatch.setattr(stream, "CHUNK", chunk)
    assert score_table(model(), TABLE, LOOKUPS).tolist() == one_by_one()


def test_a_row_is_not_changed_by_what_comes_after_it() -> None:
    """Leaving out the second half leaves the scores of the first half alone."""
    half = replace(
        TABLE,
        **{
            name: getattr(TABLE, name)[:200]
            for name in TABLE.__dataclass_fields__
            if isinstance(getattr(TABLE, name), np.ndarray)
        },
    )
    assert (score_table(model(), half, LOOKUPS) == score_table(model(), TABLE, LOOKUPS)[:200]).all()


def test_a_probe_is_scored_and_never_learned_from() -> None:
    """A hypothetical attacker at row 100 leaves every later score as if the row had not been there."""
    rows = np.delete(np.arange(len(TABLE)), 100)
    probed = replace(TABLE, probe=objects(["naive" if row == 100 else "" for row in range(len(TABLE))]))
    gone = replace(
        TABLE,
        **{
            name: getattr(TABLE, name)[rows]
            for name in TABLE.__dataclass_fields__
            if isinstance(getattr(TABLE, name), np.ndarray)
        },
    )
    assert (score_table(model(), probed, LOOKUPS)[rows] == score_table(model(), gone, LOOKUPS)).all()


def test_a_model_that_learned_without_addresses_is_not_given_them() -> None:
    """What is known of an address is left out when the model's log had made-up ones."""
    blind = model(absent={"ip_facts": "made up"})
    assert (score_table(blind, TABLE, LOOKUPS) == score_table(blind, TABLE, LOOKUPS.without_networks())).all()
    assert (score_table(model(), TABLE, LOOKUPS) != score_table(blind, TABLE, LOOKUPS)).any()


def test_a_login_is_looked_at_before_it_presses_on_others() -> None:
    """The first failure at an address presses on nobody, the second login there feels the first; a probe presses never.

    So the columns are filled as in serving, where an outcome is heard after its score.
    """
    past, felt = Past(), []
    first = next(iter(observations(TABLE, LOOKUPS)))
    for is_probe in (True, False, False):
        failed = msgspec.structs.replace(first, success=False, device_id="")
        felt.append(look_then_learn(model().encoders, failed, past, is_probe=is_probe))
    columns = [PLACE["network_failures"], PLACE["network_people"], PLACE["device_failures"]]
    assert table(felt)[:, columns].tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
