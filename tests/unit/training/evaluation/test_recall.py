"""Recall is counted above one threshold, and its intervals are those of a bootstrap that was never drawn."""

import numpy as np
import pytest

from training.evaluation import recall
from training.evaluation.labels import Truth


def truth(legitimate: int, **families: int) -> Truth:
    names = np.repeat(["", *families], [legitimate, *families.values()])
    return Truth(names == "", {name: names == name for name in families}, np.zeros(len(names), int), "login events")


def test_a_score_equal_to_the_threshold_is_a_miss() -> None:
    """A hundred logins scored 0 to 99: at 1 % the threshold is 98."""
    score = np.concatenate([np.arange(100.0), [98.0, 98.5], [97.0, 200.0]])
    first = recall.at_rates(truth(100, takeover=2, vpn=2), score, np.random.default_rng(0))[0]
    assert (first["rate"], first["threshold"], first["false_positives"]) == (0.01, 98.0, 0.01)
    assert {name: found["recall"] for name, found in first["families"].items()} == {
        "takeover": 0.5,
        "vpn": 0.5,
        "macro": 0.5,
    }


def test_reaching_a_mark_is_no_miss() -> None:
    """At a mark the decision counts, and 60 is decided."""
    score = np.concatenate([np.full(10, 10.0), [60.0, 59.999, 80.0]])
    step_up, deny = recall.at_marks(truth(10, takeover=3), score, np.random.default_rng(0))
    assert step_up["families"]["takeover"]["recall"] == pytest.approx(2 / 3)
    assert deny["families"]["takeover"]["recall"] == pytest.approx(1 / 3)


def test_thresholds_are_spread_as_a_real_bootstrap_spreads_them() -> None:
    """Against two thousand samples that are drawn: the same mean and spread, within what chance allows."""
    legitimate = np.random.default_rng(5).normal(30.0, 10.0, 2000)
    chance = np.random.default_rng(6)
    drawn = [recall.threshold_at(chance.choice(legitimate, 2000), 0.02) for _ in range(2000)]
    derived = recall.resampled_thresholds(legitimate, 0.02, np.random.default_rng(7))
    assert derived.mean() == pytest.approx(np.mean(drawn), abs=0.05)
    assert derived.std() == pytest.approx(np.std(drawn), rel=0.1)
    assert set(derived) <= set(legitimate)


def test_an_interval_holds_its_estimate_and_narrows_with_more_attacks() -> None:
    """Ten attacks tell less than a thousand."""
    chance = np.random.default_rng(8)
    legitimate = chance.normal(30.0, 10.0, 1000)
    widths = []
    for attacks in (10, 1000):
        score = np.concatenate([legitimate, chance.normal(50.0, 10.0, attacks)])
        found = recall.at_rates(truth(1000, takeover=attacks), score, np.random.default_rng(0))[1]
        takeover = found["families"]["takeover"]
        assert takeover["low"] <= takeover["recall"] <= takeover["high"]
        widths.append(takeover["high"] - takeover["low"])
    assert widths[1] < widths[0]


def test_all_or_nothing_caught_is_not_certain() -> None:
    """Resampling three caught attacks gives three caught attacks; three out of three proves little."""
    score = np.concatenate([np.arange(100.0), [200.0, 200.0, 200.0]])
    found = recall.at_rates(truth(100, takeover=3), score, np.random.default_rng(0))[0]["families"]["takeover"]
    assert (found["recall"], found["high"]) == (1.0, 1.0)
    assert found["low"] == pytest.approx(0.2924, abs=1e-4)


def test_people_of_one_history_are_held_to_their_own_threshold() -> None:
    """Cold accounts are quieter here: their own threshold finds what everybody's would miss."""
    cold, warm = np.linspace(0.0, 10.0, 100), np.linspace(50.0, 60.0, 100)
    score = np.concatenate([cold, warm, [20.0, 20.0]])
    names = np.repeat(["", "takeover"], [200, 2])
    history = np.concatenate([np.zeros(100, int), np.full(100, 9), [0, 9]])
    who = Truth(names == "", {"takeover": names == "takeover"}, history, "login events")
    told = recall.by_people(who, score, np.random.default_rng(0))
    assert told["cold"]["recall"]["families"]["takeover"]["recall"] == 1.0
    assert told["warm"]["recall"]["families"]["takeover"]["recall"] == 0.0
    assert told["thin"] == {"legitimate": 0, "attacks": {}, "recall": None}
