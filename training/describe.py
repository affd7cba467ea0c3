"""The files of a model: arrays, frequencies, histories, and the manifest that describes and hashes them."""

import importlib.metadata
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import joblib
import msgspec
import numpy as np

from risk_scorer.core import encoders as frequencies
from risk_scorer.core import manifest as declaration
from risk_scorer.core import reference
from risk_scorer.core.artefact import (
    ENCODERS,
    FOR_ENGINEERS,
    FOREST_ARRAYS,
    HISTORIES,
    MANIFEST,
    PAIR_ARRAYS,
    REFERENCE,
    USER_GEO,
    version_of,
)
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.card import CARD, ModelCard, Rate
from risk_scorer.core.card import encode as encode_card
from risk_scorer.core.label_report import LabelReport
from risk_scorer.core.manifest import (
    FORMAT,
    ForestNumbers,
    HourNumbers,
    LevelNumbers,
    Manifest,
    MarkNumbers,
    PairNumbers,
    Rows,
    RuleNumbers,
    Span,
)
from risk_scorer.core.pairs import PARTS
from risk_scorer.core.reference import Reference
from risk_scorer.core.rules import WEIGHTS
from risk_scorer.core.signals import LEVELS
from training.calibrate import Mark
from training.card import Measures, card_of
from training.judging import Parts
from training.lineage import NO_ORIGIN, Log, Origin, lineage_of
from training.publish import Written, digest
from training.sweep import Sweep

LIBRARIES = ("ibis-framework", "duckdb", "joblib", "msgspec", "numba", "numpy", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Fitted:
    """What training found, before it is written down."""

    parts: Parts
    score_map: ScoreMap
    features: tuple[str, ...]
    absent: Mapping[str, str]
    unknown_km: float
    isolation: Any
    match_rates: Mapping[str, float | None]
    marks: Mapping[str, Mark]
    simulated: Mapping[str, float]
    reference: Reference
    measures: Measures
    rows_fitted: int
    rows_held_out: int
    notes: tuple[str, ...]
    label_share: float = 1.0
    """What is left of the labels' weight, 0-1."""
    compromises: Rate | None = None
    """Confirmed ones that were held out, and how many of them a fit that no label taught catches."""


def described(
    events: Log,
    swept: Sweep,
    fitted: Fitted,
    *,
    seed: int,
    written: Mapping[str, Written],
    origin: Origin = NO_ORIGIN,
    labels: LabelReport | None = None,
) -> dict[str, bytes]:
    """Every file but the signature and those that are `written` already, which the manifest lists too."""
    made: dict[str, Callable[[], bytes]] = {
        USER_GEO: lambda: _user_geo(swept),
        HISTORIES: lambda: msgspec.msgpack.encode(dict(sorted(swept.histories.items()))),
    }
    files = {
        ENCODERS: frequencies.encode(swept.encoders),
        **{name: make() for name, make in made.items() if name not in written},
        REFERENCE: reference.encode(fitted.reference),
        CARD: encode_card(_card(events, fitted, seed=seed, origin=origin, labels=labels)),
        FOR_ENGINEERS: _dumped(fitted.isolation),
        **_arrays("forest_", FOREST_ARRAYS, fitted.parts.forest),
        **_arrays("pairs_", PAIR_ARRAYS, fitted.parts.pairs),
    }
    digests = {name: digest(content) for name, content in files.items()}
    digests |= {name: each.sha256 for name, each in written.items()}
    manifest = _manifest(events, swept, fitted, seed, digests)
    named = msgspec.structs.replace(manifest, model_version=version_of(manifest))
    return files | {MANIFEST: declaration.encode(named)}


def _card(events: Log, fitted: Fitted, *, seed: int, origin: Origin, labels: LabelReport | None) -> ModelCard:
    return card_of(
        fitted.measures,
        lineage_of(events, seed=seed, libraries=_libraries(), origin=origin),
        span=_span(events),
        held_out=fitted.reference.span,
        rows={"used": len(events), "fitted": fitted.rows_fitted, "held_out": fitted.rows_held_out},
        labels=labels,
        compromises=fitted.compromises,
        absent=fitted.absent,
    )


def _span(events: Log) -> Span:
    return Span(first=float(events.timestamp[0]), last=float(events.timestamp[-1]))


def _libraries() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def _user_geo(swept: Sweep) -> bytes:
    places = {user: {"latitude": lat, "longitude": lon} for user, (lat, lon) in sorted(swept.places.items())}
    return msgspec.json.encode(places)


def _dumped(isolation: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(isolation, stream)
    return stream.getvalue()


def _arrays(prefix: str, names: Iterable[str], holder: object) -> dict[str, bytes]:
    files = {}
    for name in names:
        stream = io.BytesIO()
        np.save(stream, getattr(holder, name.removeprefix(prefix).removesuffix(".npy")), allow_pickle=False)
        files[name] = stream.getvalue()
    return files


def _manifest(events: Log, swept: Sweep, fitted: Fitted, seed: int, files: dict[str, str]) -> Manifest:
    parts, score_map = fitted.parts, fitted.score_map
    return Manifest(
        format=FORMAT,
        model_version="",
        files=files,
        features=fitted.features,
        absent=dict(sorted(fitted.absent.items())),
        span=_span(events),
        rows=Rows(
            used=len(events),
            successful=swept.encoders.total,
            fitted=fitted.rows_fitted,
            held_out=fitted.rows_held_out,
            dropped=dict(sorted(events.dropped.items())),
        ),
        seed=seed,
        libraries=_libraries(),
        unknown_km=fitted.unknown_km,
        forest=ForestNumbers(
            trees=len(parts.forest.root) - 1,
            depth=parts.forest.depth,
            scale=parts.forest.scale,
            offset=parts.forest.offset,
        ),
        most_nats=parts.likelihood.most,
        likelihood=_levels(parts),
        pairs=PairNumbers(
            trees=len(parts.pairs.root) - 1,
            depth=parts.pairs.depth,
            baseline=parts.pairs.baseline,
            usual=dict(zip(PARTS, parts.pairs.usual.tolist(), strict=True)),
        ),
        hours=HourNumbers(
            profile=tuple(parts.hours.profile.tolist()), strength=parts.hours.strength, weight=parts.hours.weight
        ),
        rules={
            name: RuleNumbers(weight=weight, match_rate=fitted.match_rates[name]) for name, weight in WEIGHTS.items()
        },
        surprise=tuple(zip(parts.surprise.unusual.tolist(), parts.surprise.nats.tolist(), strict=True)),
        surprise_weight=parts.surprise.weight,
        score_map=tuple(zip(score_map.evidence.tolist(), score_map.score.tolist(), strict=True)),
        marks={name: MarkNumbers(**asdict(mark)) for name, mark in fitted.marks.items()},
        simulated=dict(fitted.simulated),
        notes=(*events.notes, *fitted.notes),
    )


def _levels(parts: Parts) -> dict[str, LevelNumbers]:
    known = parts.likelihood
    return {
        name: LevelNumbers(
            strength=float(known.strength[place]),
            discount=float(known.discount[place]),
            scale=float(known.scale[place]),
            unseen=float(known.unseen[place]),
            used=bool(known.used[place]),
        )
        for place, name in enumerate(LEVELS)
    }
