"""Which rows of a log a model is judged on: later ones than it was trained on."""

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.manifest import Span
from training.evaluate import TEST_STARTS
from training.log_schemas import RBA
from training.refusals import WrongInputError
from training.reports import iso

PROTOCOL_STARTS = float(TEST_STARTS.astype("datetime64[s]").astype(np.int64))


def judged_from(schema: str, trained: Span, moments: NDArray[np.float64]) -> float:
    """The moment from which rows are judged when nobody says: just after the model's training span.

    Of the RBA data set it is the protocol's 2020-09-01, unless the model learned from later rows. Raises
    WrongInputError("nothing_to_judge") for a log that ends before that.
    """
    first, last = float(moments[0]), float(moments[-1])
    just_after = float(np.nextafter(trained.last, np.inf))
    learned_later = trained.first <= last and trained.last >= PROTOCOL_STARTS
    starts = PROTOCOL_STARTS if schema == RBA.name and not learned_later else just_after
    if starts > last:
        raise WrongInputError(
            "nothing_to_judge",
            f"the log ends at {iso(last)} and the model was trained on logins until {iso(trained.last)}: "
            "train with --until, or say --from",
        )
    return max(starts, first)


def overlap(starts: float, trained: Span, moments: NDArray[np.float64]) -> str | None:
    """A warning when judged rows lie within the model's training span, else None."""
    inside = int(((moments >= max(starts, trained.first)) & (moments <= trained.last)).sum())
    if not inside:
        return None
    return f"{inside} judged rows lie within the model's training span: if it learned from them, the figures flatter it"
