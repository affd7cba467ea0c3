"""An attack in other people's places: what was new stays the attack's, the rest is the other person's."""

import numpy as np

from risk_scorer.core.pairs import INPUTS
from risk_scorer.core.signals import LEVELS
from training.labelling.transplant import PLACES, in_others_places

COLUMN = {name: place for place, name in enumerate(INPUTS)}
NEW, KNOWN = LEVELS[0], LEVELS[1]


def test_new_levels_are_the_attacks_and_all_else_is_the_persons() -> None:
    """Ratio, share and age go together; how long the person is known and was away is their own."""
    own = np.arange(3.0 * len(INPUTS)).reshape(3, -1) + 1000.0
    attack = np.full((1, len(INPUTS)), 0.5)
    for level in LEVELS:
        attack[0, COLUMN[f"share_{level}"]] = 0.0 if level == NEW else 0.5
    found = in_others_places(attack, own, np.random.default_rng(1))
    assert found.shape == (PLACES, len(INPUTS))
    changed = {COLUMN[f"{kind}_{NEW}"] for kind in ("ratio", "share", "age")}
    for row in found:
        [whose] = [person for person in own if person[0] == row[0]]
        assert {column for column in range(len(INPUTS)) if row[column] != whose[column]} == changed
        assert [row[COLUMN[f"{kind}_{NEW}"]] for kind in ("ratio", "share", "age")] == [0.5, 0.0, 0.5]
        assert row[COLUMN[f"ratio_{KNOWN}"]] == whose[COLUMN[f"ratio_{KNOWN}"]]


def test_the_same_chance_draws_the_same_people_and_no_attack_is_nobody() -> None:
    """Training repeats to the byte."""
    own = np.random.default_rng(0).random((50, len(INPUTS)))
    attacks = np.zeros((2, len(INPUTS)))
    one, other = (in_others_places(attacks, own, np.random.default_rng(7)) for _ in range(2))
    assert one.tobytes() == other.tobytes()
    assert len(one) == 2 * PLACES
    assert len(in_others_places(attacks[:0], own, np.random.default_rng(7))) == 0
