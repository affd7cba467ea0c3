"""Evidence is added, never averaged, and put on a scale that only rises."""

import numpy as np
import pytest

from risk_scorer.core.calibration import ScoreMap, Surprise, Weighed, surprises, weigh

MAP = ScoreMap(evidence=np.array([-5.0, 0.0, 4.0, 10.0]), score=np.array([5.0, 30.0, 60.0, 80.0]))
SURPRISE = Surprise(unusual=np.array([-0.2, 0.0, 0.1]), nats=np.array([0.0, 2.0, 5.0]), weight=0.5)


def weighed(*evidence: float, familiar: tuple[float, ...] | None = None) -> Weighed:
    return weigh(np.array([evidence]), np.array([familiar or (0.0,) * len(evidence)]), MAP)


@pytest.mark.parametrize(
    ("nats", "score"), [(-5.0, 5.0), (-2.5, 17.5), (0.0, 30.0), (2.0, 45.0), (4.0, 60.0), (7.0, 70.0), (10.0, 80.0)]
)
def test_the_scale_is_linear_between_its_knots(nats: float, score: float) -> None:
    """60 and 80 lie exactly where training put them."""
    assert weighed(nats).score[0] == pytest.approx(score, abs=1e-12)


def test_more_evidence_is_always_a_higher_score_inside_the_scale() -> None:
    """Strictly, from far below the first knot to far above the last, and never 0 or 100."""
    nats = np.linspace(-40.0, 60.0, 2001)[:, None]
    found = weigh(nats, np.zeros_like(nats), MAP).score
    assert (np.diff(found) > 0).all()
    assert found[0] > 0.0
    assert found[-1] < 100.0


@pytest.mark.parametrize(
    ("decision", "nats"), [(0.5, 0.0), (0.2, 0.0), (0.1, 0.5), (0.0, 1.0), (-0.05, 1.75), (-0.1, 2.5), (-0.2, 4.0)]
)
def test_the_forest_speaks_in_nats_of_how_rare_its_number_is(decision: float, nats: float) -> None:
    """Nothing before the first knot, linear between, on with the last slope beyond what training saw; half counts."""
    assert surprises(np.array([decision]), SURPRISE)[0] == pytest.approx(nats)


def test_evidence_is_added_up() -> None:
    """Signs and all: nothing is averaged away."""
    found = weighed(1.0, -3.0, 4.0, 1.0)
    assert found.evidence[0].tolist() == [1.0, -3.0, 4.0, 1.0]
    assert found.total[0] == pytest.approx(3.0)
    assert found.score[0] == pytest.approx(52.5)


def test_points_share_out_what_evidence_against_the_person_adds() -> None:
    """In proportion to nats, in whole hundredths rounded down; evidence in favour has none."""
    found = weighed(0.0, 6.0, -3.0, 1.0)
    assert found.total[0] == pytest.approx(4.0)
    gained = 60.0 - 15.0  # from 4 nats down to -3
    assert found.points[0].tolist() == [0.0, np.floor(100 * gained * 6 / 7), 0.0, np.floor(100 * gained / 7)]


def test_points_of_a_new_value_count_what_a_familiar_one_would_have_earned() -> None:
    """A term of 0 that would have been -3 has cost the person 3 nats."""
    assert weighed(0.0, 0.0, familiar=(-3.0, 0.0)).points[0].tolist() == [1500.0, 0.0]


def test_a_term_that_is_better_than_usual_has_no_points() -> None:
    """And takes none from the others."""
    assert weighed(-2.0, 4.0, familiar=(-1.0, 0.0)).points[0].tolist() == [0.0, 2500.0]  # from -2 to 2 nats: 20 to 45
    assert not weighed(-2.0, -1.0, familiar=(-1.0, -1.0)).points.any()


def test_points_never_exceed_the_score() -> None:
    """Over many mixtures their sum is at most the score in hundredths, and none is negative."""
    chance = np.random.default_rng(0)
    evidence = chance.normal(0.0, 3.0, (5000, 30))
    found = weigh(evidence, -np.abs(chance.normal(0.0, 1.0, evidence.shape)), MAP)
    assert (found.points >= 0.0).all()
    assert (found.points.sum(axis=1) <= np.floor(100.0 * found.score)).all()
    assert (found.points == np.floor(found.points)).all()
