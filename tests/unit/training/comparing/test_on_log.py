"""Two models on one log: scores as the stream gives them, labels where there are any, strangers for both alike."""

from dataclasses import replace
from functools import cache

import msgspec
import numpy as np
import pytest

from risk_scorer.core.artefact import load
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.manifest import Manifest, Span
from risk_scorer.core.model import Model
from tests.integration.risk_scorer.published import PUBLIC_KEY, model_files
from tests.unit.risk_scorer.core.small import model
from tests.unit.training.logs import LOOKUPS, START, log, objects
from training.comparing import replay
from training.comparing.comparison import Comparison
from training.comparing.on_log import Log, compared
from training.comparing.replay import replayed
from training.comparing.words import summary, table_of_events
from training.evaluation.labels import Truth
from training.refusals import WrongInputError
from training.stream import score_table

DAY = 86_400.0
TABLE = log(600, people=9)
EVERY = np.ones(len(TABLE), bool)
JUDGED_FROM = START + 30 * DAY


@cache
def manifest() -> Manifest:
    """The manifest of a model that learned from the first twenty days."""
    found = load(model_files(), [PUBLIC_KEY]).manifest
    return msgspec.structs.replace(found, span=Span(first=START, last=START + 20 * DAY))


def strict(stricter_by: float = 0.0, version: str = "active", **changes: object) -> Model:
    """A model that takes so much less evidence to prompt, another named as such."""
    scale = ScoreMap(evidence=np.array([-12.0, 0.0, 5.0, 15.0]) - stricter_by, score=np.array([5.0, 40.0, 60.0, 80.0]))
    return model(version=version, manifest=manifest(), score_map=scale, **changes)


def found(candidate: Model, given: Log | None = None, starts: float | None = JUDGED_FROM) -> Comparison:
    """The active model beside that candidate."""
    return compared(strict(), candidate, given or Log("log", TABLE, LOOKUPS), starts=starts)


def test_each_login_has_the_score_that_the_stream_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, by both models, in chunks, with strangers among them."""
    monkeypatch.setattr(replay, "CHUNK", 250)
    one, other = strict(), strict(3.0, "candidate")
    both = replayed(one, other, TABLE, LOOKUPS, judged=EVERY, taught=EVERY)
    assert (both.scores.active == score_table(one, TABLE, LOOKUPS)).all()
    assert (both.scores.candidate == score_table(other, TABLE, LOOKUPS)).all()
    assert both.strangers is not None
    assert len(both.strangers.kinds) > len(TABLE)


def test_a_model_is_as_good_as_itself() -> None:
    """Nothing differs, and no interval is off zero."""
    told = found(strict(version="same"))
    assert told.differing == 0
    assert told.events == ()
    assert all(each.difference.value == 0.0 for each in told.caught)
    assert told.at("step_up").a_day_difference.value == 0.0
    assert told.recall_difference.high > 0.0


def test_a_stricter_model_prompts_more_people_and_catches_more_strangers() -> None:
    """Both are counted on the judged days alone, and said in words."""
    told = found(strict(8.0, "candidate"))
    prompts = told.at("step_up")
    assert prompts.only_active == 0 < prompts.only_candidate == prompts.candidate - prompts.active
    assert prompts.a_day_difference.value == pytest.approx(prompts.candidate_a_day - prompts.active_a_day)
    assert prompts.logins == int((TABLE.success & (TABLE.timestamp >= JUDGED_FROM)).sum())
    assert told.days == pytest.approx(30.0, abs=1.0)
    whole = told.caught_of("simulated")
    assert whole is not None
    assert whole.difference.low > 0.0
    assert told.recall_difference == whole.difference
    assert whole.attacks == sum(each.attacks for each in told.caught if each.kind)
    words = " ".join(summary(told))
    assert "more people a day" in words
    assert f"of {whole.attacks - whole.active:,} simulated strangers that the active one missed" in words


def test_a_laxer_model_is_worse_beyond_doubt() -> None:
    """The interval that the gate reads lies wholly below zero."""
    told = found(strict(-6.0, "candidate"))
    assert told.recall_difference.high < 0.0
    assert "fewer" in " ".join(summary(told))


def test_the_events_that_differ_are_listed_with_both_decisions() -> None:
    """Each with its place in the file; attacks first; as many lines as were asked for."""
    told = found(strict(8.0, "candidate"))
    assert told.differing == len(told.events) > 3
    for event in told.events:
        assert event.active != event.candidate
        assert event.row is not None
        assert TABLE.user_id[event.row] == event.user_id
    lines = table_of_events(told, most=2)
    assert "allow" in lines[0]
    assert lines[-1].startswith(f"… and {told.differing - 2}")


def test_labels_of_the_log_are_attacks_and_no_prompts() -> None:
    """A labelled takeover counts as caught or missed, and not among the legitimate."""
    late = TABLE.timestamp >= JUDGED_FROM
    takeover = np.zeros(len(TABLE), bool)
    takeover[np.flatnonzero(late & TABLE.success)[:5]] = True
    truth = Truth(TABLE.success & ~takeover, {"takeover": takeover}, np.zeros(len(TABLE), np.int64), "ours")
    told = found(strict(8.0, "candidate"), Log("log", TABLE, LOOKUPS, truth=truth))
    labelled = told.caught_of("labelled")
    assert labelled is not None
    assert labelled.attacks == 5
    assert told.at("step_up").logins == int((TABLE.success & late).sum()) - 5


def test_confirmed_compromises_are_counted_and_teach_nothing() -> None:
    """They are found by person, address and moment; what comes after them is scored as if they had not been there."""
    row = int(np.flatnonzero((TABLE.timestamp >= JUDGED_FROM) & TABLE.success)[0])
    login = (TABLE.user_id[row], round(TABLE.timestamp[row] * 1000), TABLE.ip[row])
    told = found(strict(8.0, "candidate"), Log("log", TABLE, LOOKUPS, confirmed=frozenset([login])))
    confirmed = told.caught_of("confirmed")
    assert confirmed is not None
    assert confirmed.attacks == 1
    untaught = EVERY.copy()
    untaught[row] = False
    probed = replace(TABLE, probe=objects(["x" if place == row else "" for place in range(len(TABLE))]))
    both = replayed(strict(), strict(8.0), TABLE, LOOKUPS, judged=EVERY, taught=untaught)
    assert (both.scores.active == score_table(strict(), probed, LOOKUPS)).all()


def test_what_comes_after_both_trainings_is_judged_unless_somebody_says_otherwise() -> None:
    """Judging what was learned from is possible, and told."""
    assert not any("training span" in note for note in found(strict(version="b"), starts=None).notes)
    assert any("training span" in note for note in found(strict(version="b"), starts=START).notes)
    later = msgspec.structs.replace(manifest(), span=Span(first=START, last=START + 90 * DAY))
    with pytest.raises(WrongInputError, match="nothing_to_judge"):
        found(replace(strict(version="b"), manifest=later), starts=None)


def test_models_that_see_addresses_differently_are_compared_without_strangers() -> None:
    """Each is scored as it would be by itself, and the missing part is told."""
    blind = strict(0.0, "blind", absent={"ip_facts": "made up"})
    told = found(blind)
    assert told.caught == ()
    assert any("no simulated strangers" in note for note in told.notes)
    both = replayed(strict(), blind, TABLE, LOOKUPS, judged=EVERY, taught=EVERY)
    assert (both.scores.candidate == score_table(blind, TABLE, LOOKUPS)).all()
