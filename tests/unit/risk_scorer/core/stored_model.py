"""A small model as it is stored: its files, its manifest and its signature, any of them exchanged on request."""

import hashlib
import io
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core import manifest as declaration
from risk_scorer.core.artefact import (
    ENCODERS,
    HISTORIES,
    MANIFEST,
    PAIR_ARRAYS,
    SIGNATURE,
    USER_GEO,
    BadArtefact,
    load,
    version_of,
)
from risk_scorer.core.encoders import encode as encode_counts
from risk_scorer.core.features import FEATURES
from risk_scorer.core.pairs import PARTS
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS
from tests.unit.risk_scorer.core.small import encoders, known, model
from training.publish import public_bytes, signature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = [public_bytes(KEY)]


def stored(array: Any, kind: type[np.generic]) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(array, dtype=kind))
    return out.getvalue()


def contents() -> dict[str, bytes]:
    forest, pairs = model().forest, model().pairs
    return {
        ENCODERS: encode_counts(encoders()),
        USER_GEO: b"{}",
        HISTORIES: msgspec.msgpack.encode({"alice": known()}),
        "forest_feature.npy": stored(forest.feature, np.int32),
        "forest_threshold.npy": stored(forest.threshold, np.float32),
        "forest_child.npy": stored(forest.child, np.int32),
        "forest_path.npy": stored(forest.path, np.float64),
        "forest_root.npy": stored(forest.root, np.int32),
        **{name: stored(getattr(pairs, name[6:-4]), kind) for name, kind in PAIR_ARRAYS.items()},
    }


def pair_numbers(**changes: Any) -> declaration.PairNumbers:
    pairs = model().pairs
    fields: dict[str, Any] = {
        "trees": len(pairs.root) - 1,
        "depth": pairs.depth,
        "baseline": pairs.baseline,
        "usual": dict(zip(PARTS, pairs.usual.tolist(), strict=True)),
    }
    return declaration.PairNumbers(**{**fields, **changes})


def hour_numbers(**changes: Any) -> declaration.HourNumbers:
    return declaration.HourNumbers(**{"profile": (1.0 / 24.0,) * 24, "strength": 5.0, "weight": 1.0, **changes})


def manifest(**changes: Any) -> declaration.Manifest:
    small = model()
    numbers = small.likelihood
    fields: dict[str, Any] = {
        "format": declaration.FORMAT,
        "model_version": "",
        "files": {},
        "features": FEATURES,
        "absent": {},
        "span": declaration.Span(first=0.0, last=1.0),
        "rows": declaration.Rows(used=10, successful=encoders().total, fitted=8, held_out=2, dropped={}),
        "seed": 1,
        "libraries": {},
        "unknown_km": 500.0,
        "forest": declaration.ForestNumbers(
            trees=100, depth=small.forest.depth, scale=small.forest.scale, offset=small.forest.offset
        ),
        "most_nats": 6.0,
        "likelihood": {
            level: declaration.LevelNumbers(
                strength=float(numbers.strength[place]),
                discount=float(numbers.discount[place]),
                scale=float(numbers.scale[place]),
                unseen=float(numbers.unseen[place]),
                used=True,
            )
            for place, level in enumerate(LEVELS)
        },
        "pairs": pair_numbers(),
        "hours": hour_numbers(),
        "rules": {
            rule: declaration.RuleNumbers(weight=float(weight), match_rate=0.01)
            for rule, weight in zip(RULES, small.rules.weight, strict=True)
        },
        "surprise": ((-0.1, 0.0), (0.0, 2.0), (0.1, 5.0)),
        "surprise_weight": 0.5,
        "score_map": ((-12.0, 5.0), (0.0, 40.0), (5.0, 60.0), (15.0, 80.0)),
        "marks": {},
        "simulated": {"naive": 0.9},
        "notes": (),
    }
    return declaration.Manifest(**{**fields, **changes})


def signed(changed: dict[str, bytes] | None = None, **changes: Any) -> dict[str, bytes]:
    """A model with these files and manifest fields exchanged, hashed and signed as if they were right."""
    files = contents() | (changed or {})
    declared = manifest(
        **{"files": {name: hashlib.sha256(each).hexdigest() for name, each in files.items()}, **changes}
    )
    if not declared.model_version:
        declared = msgspec.structs.replace(declared, model_version=version_of(declared))
    files[MANIFEST] = declaration.encode(declared)
    files[SIGNATURE] = signature(files[MANIFEST], KEY)
    return files


def refusal(files: dict[str, bytes], keys: list[bytes] | None = None) -> str:
    with pytest.raises(BadArtefact) as refused:
        load(files, TRUSTED if keys is None else keys)
    return refused.value.code
