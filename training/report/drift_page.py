"""The page of a look for drift: one HTML file with its style and pictures inside, no script, everything escaped."""

import base64
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from risk_scorer.api.drift_words import NAMES, WORDS, reason
from training.report.page import count, percent
from training.report.plot import Axis, Plot

Facts = Mapping[str, Any]

_HERE = Path(__file__).parent
DRAWN = 6
"""Numbers that are drawn: the score, and the features that moved most."""
CLASSES = {"ok": "kept", "past": "broken", "moved": "", "unknown": ""}


def drift_page(told: Facts) -> str:
    """The facts of `training.drifting.run` as HTML. The same facts give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "count": count, "moment": _moment, "name": _name, "reason": reason}
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    features = sorted(told["features"], key=lambda each: (-each["psi"], each["name"]))
    moved = [told["score"], *features]
    return environment.get_template("drift.html").render(
        told=told,
        moved=moved,
        unknown=sorted(told["unknown"], key=lambda each: (each["before"] - each["share"], each["name"])),
        drawn=[_picture(each["name"], told["bins"][each["name"]]) for each in moved[:DRAWN]],
        words=WORDS,
        classes=CLASSES,
        style=Markup(style),  # noqa: S704 our own file
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _picture(name: str, bins: Facts) -> dict[str, Any]:
    """Both shares over the bins, which are drawn equally wide, the one of missing values last."""
    edges, before, now = bins["edges"], _shares(bins["before"]), _shares(bins["now"])
    top = max([*before, *now, 0.01])
    ticks = [(place + 1.0, f"{edge:.3g}") for place, edge in enumerate(edges)]
    plot = Plot(
        Axis(f"{_name(name)}, by bins; missing last", 0.0, float(len(before)), ticks[:: max(1, len(ticks) // 6)]),
        Axis("share of logins", 0.0, top, [(0.0, "0"), (top / 2, percent(top / 2)), (top, percent(top))]),
        f"shares of {_name(name)} by bins, at training and now",
    )
    places = [float(place) for place in range(len(before) + 1)]
    plot.steps(places, before, kind="people", is_filled=True)
    plot.steps(places, now, kind="s0")
    return {"svg": Markup(plot.svg()), "title": _name(name)}  # noqa: S704 `plot` has escaped every word in it


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [each / total for each in counts]


def _name(name: str) -> str:
    return NAMES.get(name) or name.removeprefix("unknown_").replace("_", " ")


def _moment(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
