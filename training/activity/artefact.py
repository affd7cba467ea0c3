"""The files of a session model: arrays, habits of people, the card, and the manifest that describes and hashes them."""

import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.artefact import FOREST_ARRAYS, MANIFEST
from risk_scorer.core.card import CARD, ModelCard
from risk_scorer.core.card import encode as encode_card
from risk_scorer.core.manifest import ForestNumbers, MarkNumbers, Span
from risk_scorer.core.session_model import manifest as declaration
from risk_scorer.core.session_model.artefact import PEOPLE
from risk_scorer.core.session_model.manifest import FORMAT, KIND, PredictorNumbers, SessionManifest, version_of
from risk_scorer.core.session_model.window import FEATURES, Everyone, Habits
from training.activity.fitting import PERCENTILE, FittedWindows
from training.calibrate import Mark
from training.publish import digest

LIBRARIES = ("msgspec", "numba", "numpy", "scikit-learn", "scipy")
LEAST_SESSIONS, MOST_PEOPLE = 3, 100_000
"""Whose habits go with the model: those of people with so many finished sessions, the ones with most of them."""


@dataclass(frozen=True, kw_only=True)
class Described:
    """What a training found, before it is written down."""

    everyone: Everyone
    windows: FittedWindows
    predictor: PredictorNumbers
    scale: Scale
    marks: Mapping[str, Mark]
    detectors: tuple[str, ...]
    people: Mapping[str, Habits]
    span: Span
    rows: Mapping[str, int]
    seed: int
    is_synthetic: bool
    notes: tuple[str, ...]


def files_of(found: Described, card: ModelCard) -> dict[str, bytes]:
    """Every file but the signature."""
    files = {name: _array(found, name) for name in FOREST_ARRAYS}
    files[PEOPLE] = msgspec.msgpack.encode(_well_known(found.people), order="deterministic")
    files[CARD] = encode_card(card)
    manifest = _manifest(found, {name: digest(content) for name, content in sorted(files.items())})
    files[MANIFEST] = declaration.encode(msgspec.structs.replace(manifest, model_version=version_of(manifest)))
    return files


def libraries() -> dict[str, str]:
    """What fitted it, by version."""
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def _array(found: Described, name: str) -> bytes:
    stream = io.BytesIO()
    field = name.removeprefix("forest_").removesuffix(".npy")
    np.save(stream, getattr(found.windows.forest, field), allow_pickle=False)
    return stream.getvalue()


def _well_known(people: Mapping[str, Habits]) -> dict[str, Habits]:
    known = [(name, each) for name, each in people.items() if each.sessions >= LEAST_SESSIONS]
    known.sort(key=lambda pair: (-pair[1].sessions, pair[0]))
    return {name: msgspec.structs.replace(each, open={}) for name, each in sorted(known[:MOST_PEOPLE])}


def _manifest(found: Described, files: dict[str, str]) -> SessionManifest:
    forest = found.windows.forest
    return SessionManifest(
        format=FORMAT,
        kind=KIND,
        model_version="",
        files=files,
        features=FEATURES,
        everyone=found.everyone,
        scaler_mean=tuple(found.windows.mean.tolist()),
        scaler_spread=tuple(found.windows.spread.tolist()),
        forest=ForestNumbers(trees=len(forest.root) - 1, depth=forest.depth, scale=forest.scale, offset=forest.offset),
        threshold_percentile=PERCENTILE,
        threshold=found.windows.threshold,
        rarity=found.windows.rarity,
        predictor=found.predictor,
        scale_nats=found.scale.nats,
        scale_score=found.scale.score,
        marks={name: _numbers(each) for name, each in found.marks.items()},
        detectors=found.detectors,
        span=found.span,
        rows=dict(found.rows),
        seed=found.seed,
        libraries=libraries(),
        is_synthetic=found.is_synthetic,
        notes=found.notes,
    )


def _numbers(mark: Mark) -> MarkNumbers:
    return MarkNumbers(
        budget=mark.budget,
        evidence=mark.evidence,
        prompted=mark.prompted,
        logins=mark.logins,
        bound=mark.bound,
        is_extrapolated=mark.is_extrapolated,
    )
