"""A small, well-formed, signed model whose scores a test can foresee.

Its only evidence is the rule on bad reputations: an event with `ip_rep` up to 50 scores 10, one with 75 about 50, one
with 100 scores 90. Another rule can take its place. Signing and publishing are the training's own.
"""

import hashlib
import io
from pathlib import Path

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core import manifest as declaration
from risk_scorer.core.artefact import ENCODERS, HISTORIES, MANIFEST, REFERENCE, SIGNATURE, USER_GEO, version_of
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.encoders import encode as encode_counts
from risk_scorer.core.history import UserHistory
from risk_scorer.core.pairs import PARTS, PAUSE
from risk_scorer.core.reference import Reference
from risk_scorer.core.reference import encode as encode_reference
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS
from training.publish import public_bytes, publish, signature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY = public_bytes(KEY)
RULE_NATS = 8.0

LOUD = {"ip_rep": 100.0}
"""Fields of an event that scores 90."""


def _array(values: list[float], kind: type[np.generic]) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array(values, dtype=kind))
    return out.getvalue()


def model_files(
    histories: dict[str, UserHistory] | None = None,
    seed: int = 1,
    rule: str = "bad_reputation",
    reference: Reference | None = None,
) -> dict[str, bytes]:
    """Every file of the model; another seed makes another version. One with a reference has budgets too."""
    files = {
        ENCODERS: encode_counts(Encoders(total=10, user={"alice": 7, "bob": 3}, ip={"198.51.100.9": 4})),
        USER_GEO: b"{}",
        HISTORIES: msgspec.msgpack.encode(histories or {}),
        "forest_feature.npy": _array([0], np.int32),
        "forest_threshold.npy": _array([np.inf], np.float32),
        "forest_child.npy": _array([0], np.int32),
        "forest_path.npy": _array([1.0], np.float64),
        "forest_root.npy": _array([0, 1], np.int32),
        "pairs_feature.npy": _array([0], np.int32),
        "pairs_threshold.npy": _array([np.inf], np.float64),
        "pairs_child.npy": _array([0], np.int32),
        "pairs_value.npy": _array([0.0], np.float64),
        "pairs_part.npy": _array([PARTS.index(PAUSE)], np.int32),
        "pairs_root.npy": _array([0, 1], np.int32),
    }
    if reference is not None:
        files[REFERENCE] = encode_reference(reference)
    manifest = _manifest({name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, seed, rule)
    files[MANIFEST] = declaration.encode(msgspec.structs.replace(manifest, model_version=version_of(manifest)))
    files[SIGNATURE] = signature(files[MANIFEST], KEY)
    return files


def publish_model(
    model_dir: Path,
    histories: dict[str, UserHistory] | None = None,
    seed: int = 1,
    rule: str = "bad_reputation",
    reference: Reference | None = None,
) -> None:
    """Put the model where a scorer looks for it."""
    publish(model_files(histories, seed, rule, reference), model_dir)


def _mark(budget: float) -> declaration.MarkNumbers:
    return declaration.MarkNumbers(
        budget=budget, evidence=5.0, prompted=0, logins=1000, bound=budget, is_extrapolated=False
    )


def _manifest(digests: dict[str, str], seed: int, rule: str) -> declaration.Manifest:
    level = declaration.LevelNumbers(strength=1.0, discount=0.0, scale=1.0, unseen=1.0, used=False)
    return declaration.Manifest(
        format=declaration.FORMAT,
        model_version="",
        files=digests,
        features=("hour",),
        absent={},
        span=declaration.Span(first=0.0, last=1.0),
        rows=declaration.Rows(used=10, successful=10, fitted=10, held_out=0, dropped={}),
        seed=seed,
        libraries={},
        unknown_km=100.0,
        forest=declaration.ForestNumbers(trees=1, depth=0, scale=1.0, offset=-0.5),
        most_nats=6.0,
        likelihood=dict.fromkeys(LEVELS, level),
        pairs=declaration.PairNumbers(trees=1, depth=0, baseline=0.0, usual=dict.fromkeys(PARTS, 0.0)),
        hours=declaration.HourNumbers(profile=(1.0 / 24.0,) * 24, strength=1.0, weight=0.0),
        rules={
            name: declaration.RuleNumbers(weight=RULE_NATS if name == rule else 0.0, match_rate=None) for name in RULES
        },
        surprise=((0.0, 0.0), (1.0, 1.0)),
        surprise_weight=0.0,
        score_map=((0.0, 10.0), (RULE_NATS, 90.0)),
        marks={"step_up": _mark(0.02), "deny": _mark(0.001)} if REFERENCE in digests else {},
        simulated={"naive": 0.9, "careful": 0.7} if REFERENCE in digests else {},
        notes=(),
    )
