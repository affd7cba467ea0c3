"""The page of an evaluation: one HTML file with its style and pictures inside, no script, everything escaped."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from training.report import figures

Facts = Mapping[str, Any]

_HERE = Path(__file__).parent
MINUS = "−"
MARKS = {"step_up": "asked for more (score from 60)", "deny": "refused (score from 80)"}
KINDS = {
    "forest": "forest",
    "level": "level of the likelihood",
    "rule": "rule",
    "term": "term",
    "feature": "feature of the forest",
}


def page(told: Facts) -> str:
    """The facts of `training.evaluation.facts` as HTML. The same facts give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "signed": signed, "count": count, "moment": moment, "day": day}
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        told=told,
        style=Markup(style),  # noqa: S704 our own file
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        marks=MARKS,
        kinds=KINDS,
        groups={
            "all": "everybody",
            "cold": "cold, no login known",
            "thin": "thin, 1 to 4 logins",
            "warm": "warm, 5 and more",
        },
        drawn=_drawn(told),
        ablation=_ablation(told["ablation"]["entries"]),
    )


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage with that many decimals, a dash for none."""
    return "–" if share is None else f"{100.0 * share:.{digits}f} %"


def signed(change: float) -> str:
    """A change of a share in percentage points, with its sign; what would round to 0 is 0."""
    shown = f"{abs(100.0 * change):.2f}"
    if float(shown) == 0.0:
        return "0"
    return f"{'+' if change > 0 else MINUS}{shown}"


def count(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}"


def moment(text: str) -> str:
    """A moment of the facts as people read it."""
    return f"{text[:10]} {text[11:16]} UTC"


def day(text: str) -> str:
    """The day of a moment of the facts."""
    return text[:10]


def _drawn(told: Facts) -> dict[str, Any]:
    histograms = told["histograms"]
    families: Sequence[str] = list(told["curves"])
    return {
        "roc": _safe(figures.roc(told["curves"], told["at_marks"])),
        "precision_recall": _safe(figures.precision_recall(told["curves"], told["at_marks"], told["data"])),
        "reliability": _safe(figures.reliability(told["reliability"])),
        "promised": _safe(figures.promised(told["promised"])),
        "compared": _safe(figures.compared(told["macro"], told["baselines"])),
        "histograms": [
            _safe(figures.histogram(histograms["edges"], histograms["counts"], name, number))
            for number, name in enumerate(families)
        ],
    }


def _safe(figure: figures.Figure) -> dict[str, Any]:
    """The figure with its SVG marked as markup: `plot` has escaped every word in it."""
    svg = Markup(figure.svg)  # noqa: S704
    return {"svg": svg, "title": figure.title, "caption": figure.caption, "legend": figure.legend}


def _ablation(entries: Sequence[Facts]) -> dict[str, Any]:
    measured = [entry for entry in entries if entry["status"] == "measured"]
    moving = [entry for entry in measured if not entry["moves_nothing"]]
    return {
        "moving": sorted(moving, key=lambda entry: (entry["change_at_1"] + entry["change_at_2"], entry["name"])),
        "idle": [entry for entry in measured if entry["moves_nothing"]],
        "absent": [entry for entry in entries if entry["status"] == "absent"],
    }
