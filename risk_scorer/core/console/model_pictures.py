"""Where the lines of a model's report stand, in a box of 320 by 200; templates draw them as SVG, beside a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log10
from typing import Final

from msgspec import Struct

from risk_scorer.core.evaluation import Bin, Curves

WIDTH, HEIGHT = 320.0, 200.0
LEAST: Final = 1e-4
"""The left edge of a logarithmic axis: one legitimate login in ten thousand."""
SHOWN_RATES: Final = (0.001, 0.005, 0.01, 0.02, 0.05)
SHOWN_RECALLS: Final = (0.25, 0.5, 0.75, 0.9)


class Line(Struct, frozen=True):
    """A family's line: the `points` of a polyline, and what its table says."""

    name: str
    points: str
    area: float
    cells: tuple[float, ...]


class Dot(Struct, frozen=True):
    """A bin of the score: where it stands, with its limits, and what its table says."""

    x: float
    y: float
    low: float
    high: float
    bin: Bin


Ticks = tuple[tuple[float, str], ...]
RATE_TICKS: Final[Ticks] = tuple((round(_at, 2), _text) for _at, _text in (
    (0.0, "0.01 %"), (WIDTH / 4, "0.1 %"), (WIDTH / 2, "1 %"), (WIDTH * 0.75, "10 %"), (WIDTH, "100 %"),
))  # fmt: skip
SHARE_TICKS: Final[Ticks] = ((HEIGHT, "0"), (HEIGHT / 2, "50 %"), (0.0, "100 %"))
RECALL_TICKS: Final[Ticks] = ((0.0, "0"), (WIDTH / 2, "50 %"), (WIDTH, "100 %"))
SCORE_TICKS: Final[Ticks] = tuple((WIDTH * at / 100.0, str(at)) for at in (0, 20, 40, 60, 80, 100))


def roc_lines(curves: Mapping[str, Curves]) -> tuple[Line, ...]:
    """Recall over false positives, the few of them that matter drawn wide; cells are recall at `SHOWN_RATES`."""
    return tuple(
        Line(
            name,
            _points((rate_x(rate), share_y(recall)) for rate, recall in zip(*_roc(each), strict=False) if rate > 0.0),
            each.roc.area,
            tuple(_reached(each.roc.false_positive_rate, each.roc.recall, rate) for rate in SHOWN_RATES),
        )
        for name, each in curves.items()
    )


def precision_lines(curves: Mapping[str, Curves]) -> tuple[Line, ...]:
    """Precision over recall; cells are precision at `SHOWN_RECALLS`."""
    return tuple(
        Line(
            name,
            _points(
                (recall * WIDTH, share_y(precision))
                for recall, precision in zip(
                    each.precision_recall.recall, each.precision_recall.precision, strict=False
                )
            ),
            each.precision_recall.average_precision,
            tuple(
                _from(each.precision_recall.recall, each.precision_recall.precision, recall) for recall in SHOWN_RECALLS
            ),
        )
        for name, each in curves.items()
    )


def reliability_dots(bins: Sequence[Bin]) -> tuple[Dot, ...]:
    """What share of each bin of the score are attacks."""
    return tuple(
        Dot(
            round((each.since + each.until) / 200.0 * WIDTH, 2),
            share_y(each.share),
            share_y(each.low),
            share_y(each.high),
            each,
        )
        for each in bins
    )


def rate_x(rate: float) -> float:
    """Where a small share stands on the logarithmic axis."""
    return round(WIDTH * (1.0 - log10(max(rate, LEAST)) / log10(LEAST)), 2)


def share_y(share: float) -> float:
    """Where a share stands on the upright axis."""
    return round(HEIGHT * (1.0 - min(1.0, max(0.0, share))), 2)


def _roc(curves: Curves) -> tuple[Sequence[float], Sequence[float]]:
    return curves.roc.false_positive_rate, curves.roc.recall


def _reached(rates: Sequence[float], recalls: Sequence[float], rate: float) -> float:
    """The recall at the last point that does not exceed the rate."""
    found = [recall for at, recall in zip(rates, recalls, strict=False) if at <= rate * (1.0 + 1e-9)]
    return found[-1] if found else 0.0


def _from(recalls: Sequence[float], precisions: Sequence[float], recall: float) -> float:
    """The precision at the first point that reaches the recall."""
    pairs = zip(recalls, precisions, strict=False)
    return next((precision for at, precision in pairs if at >= recall - 1e-9), 0.0)


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
