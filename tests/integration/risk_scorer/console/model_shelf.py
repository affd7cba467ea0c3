"""A registry with three versions, and an evaluation of one of them, for the pages of the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plumbing.clock import SystemClock
from risk_scorer.adapters.registry_places import FolderPlace
from tests.integration.training.registered_models import DAY, NOW, card, desk, published
from training.card import rate
from training.registry.desk import Desk
from training.registry.keeping import keep

HOSTILE = "<img src=x onerror=alert(1)>"


def shelf(place: Path, *, is_evaluated: bool = True) -> tuple[Path, list[str]]:
    """The registry's folder, and its versions: retired, active, and a candidate that a gate refused."""
    registry, now = place / "registry", SystemClock().now()
    groups = {"country": {"NO": rate(1, 100), HOSTILE: rate(3, 120)}, "history": {"none": rate(9, 400)}}
    made = [
        published(place / "first", aged(now, groups=groups), seed=1),
        published(place / "second", aged(now, caught=850, groups=groups), seed=2),
        published(place / "third", aged(now, prompted=400), seed=3),
    ]
    for name, version in zip(("first", "second", "third"), made, strict=True):
        there = at(registry, now)
        there.register(place / name, reason=f"{name} of the year {HOSTILE}")
        if name != "third":
            there.promote(version, max_data_age_days=90.0, reason="Better on November")
    refused(registry, now, made[2])
    if is_evaluated:
        (place / "evaluation.json").write_text(json.dumps(evaluation(made[1])), encoding="utf-8")
        keep(at(registry, now), place / "evaluation.json")
    return registry, made


def at(registry: Path, now: float) -> Desk:
    return desk(FolderPlace(registry), now=now - 60.0)


def aged(now: float, **changes: Any) -> Any:
    """A card whose log ended yesterday."""
    return card(age_days=1.0 - (now - NOW) / DAY, **changes)


def refused(registry: Path, now: float, version: str) -> None:
    """A gate stops that version, and the journal says so."""
    from training.refusals import RefusedError

    try:
        at(registry, now).promote(version, max_data_age_days=90.0, reason="Try it")
    except RefusedError:
        return
    raise AssertionError("it was let decide")


def evaluation(version: str) -> dict[str, Any]:
    """As `risk-training evaluate --json-out` writes it, with two families and invented figures."""
    rates = [0.0, 0.0001, 0.001, 0.01, 0.02, 0.1, 1.0]
    curves = {
        name: {
            "roc": {
                "false_positive_rate": rates,
                "recall": [0.0, 0.1, 0.3, 0.62 - less, 0.7 - less, 0.9, 1.0],
                "area": 0.97,
            },
            "precision_recall": {
                "recall": [0.0, 0.25, 0.5, 0.75, 0.9, 1.0],
                "precision": [1.0, 0.99, 0.95, 0.8 - less, 0.4, 0.05],
                "average_precision": 0.81,
                "guessing": 0.02,
            },
        }
        for name, less in (("stuffing", 0.0), ("takeover", 0.2))
    }
    caught = {"recall": 0.625, "low": 0.58, "high": 0.66}
    part = {"status": "measured", "reason": None, "moved": 12, "moved_share": 0.001, "moved_attacks": 3}
    return {
        "format": "riskgate-evaluation/1",
        "data": {
            "file": "later.csv",
            "schema": "rba",
            "judged_from": "2026-10-01T00:00:00+00:00",
            "last": "2026-11-01T00:00:00+00:00",
            "judged_rows": 12_345,
            "legitimate": 12_000,
            "is_synthetic": True,
            "notes": [f"Synthetic {HOSTILE}"],
            "users": 900,
        },
        "model": {"version": version, "rows": 20_000},
        "at_marks": [
            {"mark": mark, "score": score, "false_positives": 0.0123, "families": dict.fromkeys(curves, caught)}
            for mark, score in (("step_up", 60.0), ("deny", 80.0))
        ],
        "curves": curves,
        "reliability": [
            {"from": at, "to": at + 5.0, "attacks": 3, "among": 9, "share": at / 100.0, "low": 0.0, "high": 1.0}
            for at in (0.0, 40.0, 60.0, 95.0)
        ],
        "ablation": {
            "rows": 9_999,
            "rates": [0.01, 0.02],
            "macro": {"at_1": 0.5, "at_2": 0.6},
            "entries": [
                {"name": "new_country", "kind": "rule", "change_at_1": -0.031, "change_at_2": -0.022, **part},
                {"name": "ja4", "kind": "feature", "status": "absent", "reason": "not in the log"},
            ],
        },
        "histograms": {"edges": [0.0, 100.0]},
    }
