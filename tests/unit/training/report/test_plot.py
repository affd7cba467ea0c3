"""Pictures are well-formed, put things where they belong, and let no word become markup."""

from xml.etree import ElementTree

import pytest

from training.report import figures
from training.report.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, Plot

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = """</text><script>alert("1")</script>&'"""


def axis(title: str = "share") -> Axis:
    return Axis(title, 0.0, 1.0, [(0.0, "0"), (1.0, "1")])


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 what we have just drawn


def test_corners_of_the_data_are_corners_of_the_frame() -> None:
    """The lowest values lie at the bottom left, the highest at the top right, and what is outside at the edge."""
    plot = Plot(axis(), axis(), "corners")
    plot.line([(0.0, 0.0), (1.0, 1.0), (7.0, -3.0)], kind="s0")
    line = parsed(plot.svg()).find(f"{SVG}polyline")
    assert line is not None
    assert line.get("points") == (f"{LEFT},{HEIGHT - BOTTOM} {WIDTH - RIGHT},{TOP} {WIDTH - RIGHT},{HEIGHT - BOTTOM}")


@pytest.mark.parametrize(("value", "share"), [(0.0, 0.0), (0.0001, 0.0), (0.01, 0.5), (1.0, 1.0)])
def test_a_logarithmic_axis_gives_each_decade_the_same_room(value: float, share: float) -> None:
    """And 0, which has no logarithm, its lower end."""
    assert Axis("share", 0.0001, 1.0, [], is_log=True).share(value) == pytest.approx(share)


def test_words_never_become_markup() -> None:
    """Titles, ticks, labels and names of marks come from a log; the picture stays a picture."""
    plot = Plot(axis(HOSTILE), Axis(HOSTILE, 0.0, 1.0, [(0.5, HOSTILE)]), HOSTILE)
    plot.upright(0.5, HOSTILE)
    root = parsed(plot.svg())
    assert root.get("aria-label") == HOSTILE
    assert [node.tag for node in root.iter() if "script" in node.tag] == []
    assert sum(node.text == HOSTILE for node in root.iter(f"{SVG}text")) == 4


def test_dots_have_their_limits_as_bars() -> None:
    """From the lower to the upper limit, through the dot."""
    plot = Plot(axis(), axis(), "dots")
    plot.dots([(0.5, 0.5)], [(0.25, 0.75)], kind="s1")
    root = parsed(plot.svg())
    assert [circle.get("class") for circle in root.iter(f"{SVG}circle")] == ["dot s1"]
    bar = root.find(f"{SVG}polyline")
    assert bar is not None
    assert len(str(bar.get("points")).split()) == 2


def curve(area: float) -> dict[str, object]:
    return {
        "roc": {"false_positive_rate": [0.0, 0.01, 1.0], "recall": [0.0, 0.5, 1.0], "area": area},
        "precision_recall": {"recall": [0.0, 1.0], "precision": [1.0, 0.1], "average_precision": 0.4},
    }


def test_every_figure_is_one_well_formed_picture() -> None:
    """With many families, with hostile names, with empty bins and with bins of nobody."""
    families = {HOSTILE: curve(0.9), **{f"family {number}": curve(0.5) for number in range(8)}}
    share = {"expected": 0.02, "is_budget": True, "share": 0.01, "low": 0.0, "high": 0.03}
    caught = {name: {"recall": 0.5} for name in families}
    at_marks = [{"false_positives": wrong, "families": caught} for wrong in (0.02, 0.001)]
    counts = {"legitimate": 1000, "families": {name: {"rows": 40} for name in families}}
    drawn = [
        figures.roc(families, at_marks),
        figures.precision_recall(families, at_marks, counts),
        figures.reliability([{"from": 0.0, "to": 5.0, "share": 0.2, "low": 0.1, "high": 0.3}]),
        figures.promised([share, {**share, "is_budget": False}]),
        figures.histogram([0.0, 50.0, 100.0], {"legitimate": [4, 0], HOSTILE: [0, 0]}, HOSTILE, 3),
        figures.compared({"false_positive_rate": [0.0, 1.0], "recall": [0.0, 1.0]}, []),
    ]
    for figure in drawn:
        root = parsed(figure.svg)
        assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
        assert root.get("aria-label")
    assert drawn[0].legend[0][1].startswith(HOSTILE)


def height(share: float) -> float:
    """Where a share lies in the picture."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def test_the_marks_are_dots_on_both_curves() -> None:
    """At 60 half of 40 attacks and 20 of 1,000 people: precision one half; without a flag none is wrong."""
    at_marks = [
        {"false_positives": 0.02, "families": {"takeover": {"recall": 0.5}}},
        {"false_positives": 0.0, "families": {"takeover": {"recall": 0.0}}},
    ]
    counts = {"legitimate": 1000, "families": {"takeover": {"rows": 40}}}
    roc = parsed(figures.roc({"takeover": curve(0.9)}, at_marks).svg)
    assert len(list(roc.iter(f"{SVG}circle"))) == 2
    drawn = figures.precision_recall({"takeover": curve(0.9)}, at_marks, counts)
    asked, denied = (float(circle.get("cy") or "") for circle in parsed(drawn.svg).iter(f"{SVG}circle"))
    assert asked == pytest.approx(height(0.5), abs=0.1)
    assert denied == pytest.approx(height(1.0), abs=0.1)
