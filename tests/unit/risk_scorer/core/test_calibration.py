"""Evidence is added, never averaged, and put on a scale that only rises."""

import numpy as np
import pytest

from risk_scorer.core.calibration import ScoreMap, Surprise, Weighed, weigh

MAP = ScoreMap(evidence=np.array([-5.0, 0.0, 4.0, 10.0]), score=np.array([5.0, 30.0, 60.0, 80.0]))
SURPRISE = Surprise(unusual=np.array([-0.2, 0.0, 0.1]), nats=np.array([0.0, 2.0, 5.0]), weight=0.5)


def weighed(
    decision: float = 0.2,
    likelihood: tuple[float, ...] = (0.0,),
    rule: float = 0.0,
    familiar: tuple[float, ...] = (0.0,),
) -> Weighed:
    return weigh(
        np.array([decision]),
        np.array([likelihood]),
        np.array([familiar]),
        np.array([[rule]]),
        np.array([2.0]),
        surprise=SURPRISE,
        score_map=MAP,
    )


@pytest.mark.parametrize(
    ("nats", "score"), [(-5.0, 5.0), (-2.5, 17.5), (0.0, 30.0), (2.0, 45.0), (4.0, 60.0), (7.0, 70.0), (10.0, 80.0)]
)
def test_the_scale_is_linear_between_its_knots(nats: float, score: float) -> None:
    """60 and 80 lie exactly where training put them."""
    assert weighed(likelihood=(nats,)).score[0] == pytest.approx(score, abs=1e-12)


def test_more_evidence_is_always_a_higher_score_inside_the_scale() -> None:
    """Strictly, from far below the first knot to far above the last, and never 0 or 100."""
    nats = np.linspace(-40.0, 60.0, 2001)
    zeros = np.zeros((len(nats), 1))
    found = weigh(
        np.full(len(nats), 0.2), nats[:, None], zeros, zeros, np.array([1.0]), surprise=SURPRISE, score_map=MAP
    ).score
    assert (np.diff(found) > 0).all()
    assert found[0] > 0.0
    assert found[-1] < 100.0


@pytest.mark.parametrize(
    ("decision", "nats"), [(0.5, 0.0), (0.2, 0.0), (0.1, 0.5), (0.0, 1.0), (-0.05, 1.75), (-0.1, 2.5), (-0.2, 4.0)]
)
def test_the_forest_speaks_in_nats_of_how_rare_its_number_is(decision: float, nats: float) -> None:
    """Nothing before the first knot, linear between, on with the last slope beyond what training saw; half counts."""
    assert weighed(decision=decision).evidence[0, 0] == pytest.approx(nats)


def test_evidence_is_added_up() -> None:
    """Forest, likelihood and weighted rules, signs and all: nothing is averaged away."""
    found = weighed(decision=0.0, likelihood=(-3.0, 4.0), rule=0.5, familiar=(0.0, 0.0))
    assert found.evidence[0].tolist() == pytest.approx([1.0, -3.0, 4.0, 1.0])
    assert found.total[0] == pytest.approx(3.0)


def test_points_share_out_what_evidence_against_the_person_adds() -> None:
    """In proportion to nats, in whole hundredths rounded down; evidence in favour has none."""
    found = weighed(likelihood=(6.0, -3.0), rule=0.5, familiar=(0.0, 0.0))
    assert found.total[0] == pytest.approx(4.0)
    gained = 60.0 - 15.0  # from 4 nats down to -3
    assert found.points[0].tolist() == [0.0, np.floor(100 * gained * 6 / 7), 0.0, np.floor(100 * gained / 7)]


def test_points_of_a_new_value_count_what_a_familiar_one_would_have_earned() -> None:
    """A term of 0 that would have been -3 has cost the person 3 nats."""
    found = weighed(likelihood=(0.0,), familiar=(-3.0,))
    assert found.points[0].tolist() == [0.0, 1500.0, 0.0]
