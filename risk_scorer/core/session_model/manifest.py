"""What a session model says of itself, in one signed JSON file. Its format and kind are signed with it.

A login model's reader refuses this format, and the reader of this one refuses a login model's: neither can stand in
the other's place, whatever a folder or a pointer is called.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, json

from risk_scorer.core.manifest import ForestNumbers, MarkNumbers, Number, Span
from risk_scorer.core.session_model.window import Everyone

FORMAT: Final = "riskgate-session-model/1"
KIND: Final = "session"
Share = Annotated[float, Meta(gt=0, lt=1)]


class PredictorNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The learned predictor of attack-like sequences; `sessions` and `attacks` are what it was fitted on."""

    weights: dict[str, Number]
    intercept: Number
    prior: Number
    sessions: int
    attacks: int


class SessionManifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`detectors` are those whose findings the predictor and the scale were fitted with.

    `is_synthetic` says that labels and sessions were invented. `model_version` is the digest of everything else here.
    """

    format: str
    kind: Literal["session"]
    model_version: str
    files: dict[str, str]
    features: tuple[str, ...]
    everyone: Everyone
    scaler_mean: tuple[Number, ...]
    scaler_spread: tuple[Annotated[float, Meta(gt=0, le=1e12)], ...]
    forest: ForestNumbers
    threshold_percentile: Share
    threshold: Number
    rarity: tuple[tuple[Number, Number], ...]
    predictor: PredictorNumbers
    scale_nats: tuple[Number, ...]
    scale_score: tuple[Number, ...]
    marks: dict[str, MarkNumbers]
    detectors: tuple[str, ...]
    span: Span
    rows: dict[str, int]
    seed: int
    libraries: dict[str, str]
    is_synthetic: bool
    notes: tuple[str, ...]


def encode(manifest: SessionManifest) -> bytes:
    """The manifest as indented JSON, keys in order."""
    return json.format(json.encode(manifest, order="deterministic"), indent=1) + b"\n"


def decode(stored: bytes) -> SessionManifest:
    """The inverse of `encode`. Raises msgspec.MsgspecError."""
    return json.decode(stored, type=SessionManifest)


def version_of(manifest: SessionManifest) -> str:
    """The name of a model: the digest of everything its manifest says."""
    unnamed = msgspec.structs.replace(manifest, model_version="")
    return hashlib.sha256(encode(unnamed)).hexdigest()[:12]
