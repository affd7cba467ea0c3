"""Small signed models with a card, in which every feature can move a score, for tests of the registry."""

from pathlib import Path
from typing import Any

import msgspec

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.registry_places import Place
from risk_scorer.core.card import CARD, FORMAT, FalsePositives, Lineage, ModelCard, encode
from risk_scorer.core.manifest import Span, decode
from tests.unit.risk_scorer.core.stored_model import KEY, signed
from training.card import rate
from training.publish import public_bytes, publish
from training.registry.desk import Desk

DAY = 86_400.0
NOW = 1_760_000_000.0


def card(caught: int = 800, prompted: int = 10, denied: int = 0, age_days: float = 1.0, **changes: Any) -> ModelCard:
    """A card that passes every gate: so many of 1,000 strangers caught, so many of 5,000 logins prompted."""
    made = ModelCard(
        format=FORMAT,
        span=Span(first=NOW - 60 * DAY, last=NOW - age_days * DAY),
        held_out=Span(first=NOW - 10 * DAY, last=NOW - age_days * DAY),
        rows={"used": 20_000},
        labels={},
        false_positives=(positives("step_up", 0.02, prompted), positives("deny", 0.001, denied)),
        strangers={"all": rate(caught, 1000)},
        compromises=None,
        groups={"country": {"NO": rate(1, 100)}},
        not_tested=("Attacks that happened.",),
        lineage=Lineage(
            data_sha256="0" * 64, rows=20_000, seed=7, code_version="0", code_sha256="1" * 64, libraries={}
        ),
    )
    return msgspec.structs.replace(made, **changes)


def positives(mark: str, budget: float, count: int, of: int = 5000) -> FalsePositives:
    """So many logins of so many that reach a mark."""
    from training.calibrate import upper_bound

    return FalsePositives(
        mark=mark, budget=budget, rate=rate(count, of), upper=upper_bound(count, of), is_extrapolated=False
    )


def published(folder: Path, made: ModelCard | None, *, seed: int = 1, **changes: Any) -> str:
    """A model in a folder of its own; its version."""
    files = signed({} if made is None else {CARD: encode(made)}, seed=seed, **changes)
    publish(files, folder)
    return decode(files["manifest.json"]).model_version


def desk(place: Place, *, now: float = NOW, by: str = "ann") -> Desk:
    """The registry at a place, with the key of these models."""
    return Desk(registry=ModelRegistry(place, [public_bytes(KEY)]), key=KEY, now=now, by=by)
