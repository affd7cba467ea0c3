"""The pictures of an evaluation, each drawn from its part of the facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.report.plot import Axis, Plot, series

Facts = Mapping[str, Any]

SHARES = [(0.0, "0"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (1.0, "100 %")]
SMALL_SHARES = [(0.0001, "0.01 %"), (0.001, "0.1 %"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %")]
SCORES = [(0.0, "0"), (20.0, "20"), (40.0, "40"), (60.0, "60"), (80.0, "80"), (100.0, "100")]
MODEL = "this model"


@dataclass(frozen=True)
class Figure:
    """A picture, the words under it and what its lines are: (class, name) each."""

    svg: str
    title: str
    caption: str
    legend: Sequence[tuple[str, str]] = ()


def roc(curves: Facts, at_marks: Sequence[Facts]) -> Figure:
    """Recall over false positives for each family, with the few false positives that matter drawn wide, and where the
    two marks are on it."""
    plot = Plot(_small("legitimate logins flagged"), _share("attacks caught"), "ROC curve of each family")
    legend = []
    for number, (name, curve) in enumerate(curves.items()):
        drawn = curve["roc"]
        points = list(zip(drawn["false_positive_rate"], drawn["recall"], strict=True))
        plot.line(points[1:], kind=series(number))
        plot.dots([(at["false_positives"], at["families"][name]["recall"]) for at in at_marks], kind=series(number))
        legend.append((series(number), f"{name}, area {drawn['area']:.3f}"))
    caption = (
        "Each threshold's false positives, on a logarithmic axis, against the share of a family above it. "
        "Dots are the marks: denied from 80 on the left, asked from 60 on the right."
    )
    return Figure(plot.svg(), "ROC", caption, legend)


def precision_recall(curves: Facts, at_marks: Sequence[Facts], counts: Facts) -> Figure:
    """Precision over recall for each family at the log's own mix, and where the two marks are on it; `counts` has the
    rows that are legitimate and those of each family."""
    plot = Plot(_share("attacks caught"), _share("attacks among those flagged"), "precision and recall of each family")
    legend = []
    for number, (name, curve) in enumerate(curves.items()):
        drawn = curve["precision_recall"]
        plot.line(list(zip(drawn["recall"], drawn["precision"], strict=True)), kind=series(number))
        attacks = counts["families"][name]["rows"]
        plot.dots([_precise(at, name, attacks, counts["legitimate"]) for at in at_marks], kind=series(number))
        legend.append((series(number), f"{name}, average precision {drawn['average_precision']:.3f}"))
    caption = (
        "Each family against all legitimate logins. Precision depends on how many attacks the log holds; yours differs."
        " Dots are the marks at 60 and 80."
    )
    return Figure(plot.svg(), "Precision and recall", caption, legend)


def reliability(bins: Sequence[Facts]) -> Figure:
    """What share of the labelled rows in each bin of the score are attacks."""
    plot = Plot(_score(), _share("attacks among labelled rows"), "share of attacks in each bin of the score")
    points = [((each["from"] + each["to"]) / 2, each["share"]) for each in bins]
    plot.line(points, kind="s0 thin")
    plot.dots(points, [(each["low"], each["high"]) for each in bins], kind="s0")
    _marks(plot)
    caption = "A score that means something rises. Bars are 95 % limits (Clopper–Pearson); the level is the log's mix."
    return Figure(plot.svg(), "What a score is worth", caption)


def promised(points: Sequence[Facts]) -> Figure:
    """The share of legitimate logins at or above each fixed point of the scale: expected at training, and found."""
    plot = Plot(
        _small("expected at training"), _small("found in this span"), "expected and found shares of legitimate logins"
    )
    plot.line([(0.0001, 0.0001), (1.0, 1.0)], kind="even")
    budgets = [each for each in points if each["is_budget"]]
    others = [each for each in points if not each["is_budget"]]
    for each in (others, budgets):
        kind = "s1" if each is budgets else "s0"
        plot.dots([(at["expected"], at["share"]) for at in each], [(at["low"], at["high"]) for at in each], kind=kind)
    legend = [
        ("dot s0", "quantiles of the scale"),
        ("dot s1", "budgets at 60 and 80: on or under the line is as promised"),
    ]
    caption = "Both axes are logarithmic; bars are 95 % limits. Above the line, more people are asked than promised."
    return Figure(plot.svg(), "Promised and found", caption, legend)


def histogram(edges: Sequence[float], counts: Mapping[str, Sequence[int]], family: str, number: int) -> Figure:
    """How the scores of one family lie beside those of legitimate logins; the fullest bin of each is as high."""
    plot = Plot(
        _score(), Axis("share of the fullest bin", 0.0, 1.0, SHARES), f"scores of legitimate logins and {family}"
    )
    plot.steps(edges, _scaled(counts["legitimate"]), kind="people", is_filled=True)
    plot.steps(edges, _scaled(counts[family]), kind=series(number))
    _marks(plot)
    legend = [
        ("people", f"legitimate, {sum(counts['legitimate']):,}"),
        (series(number), f"{family}, {sum(counts[family]):,}"),
    ]
    return Figure(plot.svg(), family, "", legend)


def compared(model: Facts, baselines: Sequence[Facts]) -> Figure:
    """Mean recall over the families against false positives: the model and what it must beat."""
    plot = Plot(
        _small("legitimate logins flagged"), _share("mean recall of the families"), "the model and the baselines"
    )
    legend = []
    for number, (name, curve) in enumerate([(MODEL, model), *((each["title"], each["macro"]) for each in baselines)]):
        points = list(zip(curve["false_positive_rate"], curve["recall"], strict=True))
        plot.line(points[1:], kind=series(number))
        legend.append((series(number), name))
    return Figure(plot.svg(), "Against the baselines", "Every family weighs the same.", legend)


def _precise(at: Facts, family: str, attacks: int, legitimate: int) -> tuple[float, float]:
    """Recall and precision of a family at a mark."""
    recall = at["families"][family]["recall"]
    caught, wrong = recall * attacks, at["false_positives"] * legitimate
    return recall, caught / (caught + wrong) if caught + wrong else 1.0


def _scaled(counts: Sequence[int]) -> list[float]:
    return [count / (max(counts) or 1) for count in counts]


def _marks(plot: Plot) -> None:
    plot.upright(60.0, "asked")
    plot.upright(80.0, "refused")


def _share(title: str) -> Axis:
    return Axis(title, 0.0, 1.0, SHARES)


def _small(title: str) -> Axis:
    return Axis(title, 0.0001, 1.0, SMALL_SHARES, is_log=True)


def _score() -> Axis:
    return Axis("score", 0.0, 100.0, SCORES)
