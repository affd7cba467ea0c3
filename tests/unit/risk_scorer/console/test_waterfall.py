"""The steps of a score: they begin at nothing, follow each other without a gap, and end at the score."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.contract.assessment import Reason
from risk_scorer.core.console.globe import WIDTH, arc, on_map
from risk_scorer.core.console.waterfall import waterfall


def reason(code: str, points: float) -> Reason:
    return Reason(code=code, points=points, observed="", usual="", text=code)


def test_the_steps_begin_with_the_baseline_and_end_at_the_score() -> None:
    """The weightiest reason comes right after it."""
    shown = waterfall([reason("new_device", 12.25), reason("new_country", 40.5), reason("baseline", 3.1)], 55.85)
    assert [(step.before, step.after) for step in shown.steps] == [(0.0, 3.1), (3.1, 43.6), (43.6, 55.85)]
    assert (shown.total, shown.is_whole) == (55.85, True)


def test_reasons_that_do_not_add_up_are_said_to_be_so() -> None:
    """The page never pretends."""
    assert not waterfall([reason("baseline", 3.0)], 4.0).is_whole


@given(st.lists(st.integers(-3_000, 6_000), min_size=1, max_size=12))
def test_hundredths_add_up_exactly_and_boxes_stay_on_the_scale(hundredths: list[int]) -> None:
    """However many reasons there are, and whichever way they point."""
    shown = waterfall([reason(f"code_{at}", each / 100.0) for at, each in enumerate(hundredths)], sum(hundredths) / 100)
    assert shown.is_whole
    assert all(0.0 <= step.left <= step.left + step.width <= 100.0 + 1e-9 for step in shown.steps)
    assert all(a.after == b.before for a, b in zip(shown.steps, shown.steps[1:], strict=False))


@pytest.mark.parametrize(
    ("start", "end", "lines"),
    [((48.1, 11.6), (40.7, -74.0), 1), ((35.7, 139.7), (37.8, -122.4), 2), ((1.0, 1.0), (1.0, 1.0), 1)],
)
def test_the_shortest_way_leaves_the_map_at_its_edge(
    start: tuple[float, float], end: tuple[float, float], lines: int
) -> None:
    """Tokyo to San Francisco crosses the date line: two lines, and none straight across the map."""
    found = arc(start, end).lines
    assert len(found) == lines
    for line in found:
        places = [float(point.split(",")[0]) for point in line.split()]
        assert all(abs(a - b) < WIDTH / 2 for a, b in itertools.pairwise(places))
    assert on_map((90.0, -180.0)) == (0.0, 0.0)
