"""From the bytes of a published session model to a checked one: signature, kind, hashes, shapes, ranges, then use."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from risk_scorer.core import trees
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.artefact import FOREST_ARRAYS, MANIFEST, SIGNATURE, array_in, knots_in, part, require_plain_names
from risk_scorer.core.forest import Forest
from risk_scorer.core.manifest import format_of
from risk_scorer.core.session_model import manifest as declaration
from risk_scorer.core.session_model.manifest import FORMAT, SessionManifest, version_of
from risk_scorer.core.session_model.model import Predictor, SessionModel
from risk_scorer.core.session_model.window import FEATURES
from risk_scorer.core.signatures import BadArtefact, check_stored_signature

PEOPLE: Final = "habits.msgpack"
SERVED: Final = (*FOREST_ARRAYS, PEOPLE)
MOST_WEIGHT: Final = 1_000.0


def load(files: Mapping[str, bytes], public_keys: Sequence[bytes]) -> SessionModel:
    """The model, if one of these raw Ed25519 keys signed it and everything in it is sound. Raises BadArtefact."""
    manifest = checked_manifest(files, public_keys)
    for name, digest in manifest.files.items():
        if hashlib.sha256(part(files, name)).hexdigest() != digest:
            raise BadArtefact("hash_mismatch", f"{name} is not the file that was signed")
    unusual, nats = knots_in(manifest.rarity, "rarity")
    return SessionModel(
        version=manifest.model_version,
        everyone=manifest.everyone,
        mean=np.array(manifest.scaler_mean),
        spread=np.array(manifest.scaler_spread),
        forest=_forest(files, manifest),
        threshold=manifest.threshold,
        threshold_percentile=manifest.threshold_percentile,
        unusual=unusual,
        nats=nats,
        predictor=_predictor(manifest),
        scale=_scale(manifest),
        manifest=manifest,
        people=_people(files[PEOPLE]),
    )


def checked_manifest(files: Mapping[str, bytes], public_keys: Sequence[bytes]) -> SessionManifest:
    """The manifest among these, if one of these keys signed it as a session model's. Raises BadArtefact."""
    check_stored_signature(part(files, MANIFEST), part(files, SIGNATURE), public_keys, what="the manifest")
    stored = files[MANIFEST]
    if format_of(stored) != FORMAT:
        raise BadArtefact("wrong_kind", f"this is no session model: its format is not {FORMAT}")
    try:
        manifest = declaration.decode(stored)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_manifest", "the manifest cannot be read") from error
    if manifest.model_version != version_of(manifest):
        raise BadArtefact("bad_manifest", "the model's version is not the digest of its manifest")
    if manifest.features != FEATURES:
        raise BadArtefact("unknown_features", "the model's features are not ones that this scorer computes")
    if not len(manifest.scaler_mean) == len(manifest.scaler_spread) == len(FEATURES):
        raise BadArtefact("bad_manifest", "the scaler does not fit the features")
    if len(manifest.everyone.hours) != 24 or min(manifest.everyone.hours) < 0:
        raise BadArtefact("bad_manifest", "the hours are not a share for each of 24")
    require_plain_names(manifest.files, SERVED)
    return manifest


def _forest(files: Mapping[str, bytes], manifest: SessionManifest) -> Forest:
    feature, threshold, child, path, root = (array_in(files[name], name, kind) for name, kind in FOREST_ARRAYS.items())
    said = manifest.forest
    forest = Forest(feature, threshold, child, path, root, said.depth, said.scale, said.offset)
    problem = trees.problem(forest, (path,), trees_said=said.trees, inputs=len(FEATURES))
    if problem is None and (path < 0).any():
        problem = "a path is negative"
    if problem is not None:
        raise BadArtefact("bad_forest", problem)
    return forest


def _predictor(manifest: SessionManifest) -> Predictor:
    said = manifest.predictor
    if any(abs(weight) > MOST_WEIGHT for weight in said.weights.values()):
        raise BadArtefact("bad_manifest", "the predictor weighs more than evidence can")
    return Predictor(said.weights, said.intercept, said.prior)


def _scale(manifest: SessionManifest) -> Scale:
    try:
        return Scale(name=f"model {manifest.model_version}", nats=manifest.scale_nats, score=manifest.scale_score)
    except ValueError as error:
        raise BadArtefact("bad_manifest", "the session scale does not rise") from error


def _people(stored: bytes) -> Mapping[str, msgspec.Raw]:
    try:
        return msgspec.msgpack.decode(stored, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BadArtefact("bad_habits", "the habits cannot be read") from error
