"""A model is judged on what came after its training, and is told when it is not."""

import numpy as np
import pytest

from risk_scorer.core.manifest import Span
from training.evaluation.provenance import is_synthetic
from training.evaluation.span import judged_from, overlap
from training.log_schemas import EVENTS, RBA
from training.refusals import WrongInputError

AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = 1_596_240_000.0, 1_598_918_400.0, 1_601_510_400.0, 1_604_188_800.0
LOG = np.array([AUGUST, SEPTEMBER, OCTOBER, NOVEMBER])
YEAR = 365 * 86_400.0


@pytest.mark.parametrize(
    ("schema", "trained", "expected"),
    [
        (EVENTS.name, Span(first=AUGUST, last=SEPTEMBER), np.nextafter(SEPTEMBER, np.inf)),
        (EVENTS.name, Span(first=AUGUST - YEAR, last=AUGUST - YEAR), AUGUST),
        (RBA.name, Span(first=AUGUST, last=SEPTEMBER - 1.0), SEPTEMBER),
        (RBA.name, Span(first=AUGUST, last=AUGUST + 1.0), SEPTEMBER),
        (RBA.name, Span(first=AUGUST, last=OCTOBER), np.nextafter(OCTOBER, np.inf)),
        (RBA.name, Span(first=AUGUST + 5 * YEAR, last=SEPTEMBER + 5 * YEAR), SEPTEMBER),
    ],
)
def test_judged_is_what_follows_the_training(schema: str, trained: Span, expected: float) -> None:
    """Of the RBA data set the protocol's months, unless the model learned from later ones."""
    assert judged_from(schema, trained, LOG) == expected


def test_a_log_that_ends_with_the_training_has_nothing_to_judge() -> None:
    """Its own training rows would flatter the model."""
    with pytest.raises(WrongInputError) as refused:
        judged_from(EVENTS.name, Span(first=AUGUST, last=NOVEMBER), LOG)
    assert refused.value.code == "nothing_to_judge"
    assert "--from" in refused.value.message


def test_rows_that_were_learned_from_are_counted_aloud() -> None:
    """Only when there are any."""
    assert overlap(SEPTEMBER, Span(first=AUGUST, last=OCTOBER), LOG) is not None
    assert str(overlap(SEPTEMBER, Span(first=AUGUST, last=OCTOBER), LOG)).startswith("2 judged rows")
    assert overlap(OCTOBER, Span(first=AUGUST, last=SEPTEMBER), LOG) is None


@pytest.mark.parametrize(
    ("notes", "expected"), [([], False), (["Logins of 2020"], False), (["a", "SYNTHETIC logins"], True)]
)
def test_a_note_that_says_synthetic_is_heard(notes: list[str], expected: bool) -> None:
    """In any case of letters, in any note."""
    assert is_synthetic(notes) is expected
