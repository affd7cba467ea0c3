"""From the bytes of a published model to a checked `Model`: signature, hashes, shapes and ranges, then use.

Models are data: arrays and JSON. Nothing here reads a file, and nothing here can run what a file says.
"""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from risk_scorer.core import encoders as frequencies
from risk_scorer.core import manifest as declaration
from risk_scorer.core import reference, trees
from risk_scorer.core.calibration import ScoreMap, Surprise
from risk_scorer.core.features import FEATURES, WIDTH, Scales
from risk_scorer.core.forest import Forest
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.manifest import FORMAT, OTHER_KINDS, Manifest
from risk_scorer.core.model import Hours, Model
from risk_scorer.core.packed_people import NotPacked, entries
from risk_scorer.core.pairs import INPUTS, PARTS, Pairs
from risk_scorer.core.reference import Reference
from risk_scorer.core.rules import RULES, RuleBook
from risk_scorer.core.signals import LEVELS
from risk_scorer.core.signatures import BadArtefact, Signature, check_stored_signature, key_id

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ENCODERS, USER_GEO, HISTORIES = "encoders.json", "user_geo.json", "histories.msgpack"
REFERENCE = "reference.json"
"""What live logins are held against; a model that was made without one is watched less."""
FOR_ENGINEERS = "model.joblib"
"""Listed with its hash, never read: it is code in disguise."""

DECODED_BYTES = 64 * 1024**2
"""Histories up to so many bytes are decoded at once."""
MOST_NATS = 100.0  # more than e to the hundredth is not likelier than anything
FOREST_ARRAYS: Mapping[str, type[np.generic]] = {
    "forest_feature.npy": np.int32,
    "forest_threshold.npy": np.float32,
    "forest_child.npy": np.int32,
    "forest_path.npy": np.float64,
    "forest_root.npy": np.int32,
}
PAIR_ARRAYS: Mapping[str, type[np.generic]] = {
    "pairs_feature.npy": np.int32,
    "pairs_threshold.npy": np.float64,
    "pairs_child.npy": np.int32,
    "pairs_value.npy": np.float64,
    "pairs_part.npy": np.int32,
    "pairs_root.npy": np.int32,
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
SERVED = (ENCODERS, USER_GEO, HISTORIES, *FOREST_ARRAYS, *PAIR_ARRAYS)


def version_of(manifest: Manifest) -> str:
    """The name of a model: the digest of everything its manifest says."""
    unnamed = msgspec.structs.replace(manifest, model_version="")
    return hashlib.sha256(declaration.encode(unnamed)).hexdigest()[:12]


def load(files: Mapping[str, bytes], public_keys: Sequence[bytes]) -> Model:
    """The model, if one of these raw Ed25519 keys signed it and everything in it is sound. Raises BadArtefact."""
    manifest = checked_manifest(files, public_keys)
    for name, digest in manifest.files.items():
        if name == FOR_ENGINEERS and name not in files:
            continue
        if hashlib.sha256(part(files, name)).hexdigest() != digest:
            raise BadArtefact("hash_mismatch", f"{name} is not the file that was signed")
    known = _encoders(files[ENCODERS])
    if known.total != manifest.rows.successful:
        raise BadArtefact("bad_encoders", "the encoders are those of another log")
    return Model(
        version=manifest.model_version,
        features=manifest.features,
        absent=manifest.absent,
        encoders=known,
        scales=Scales(total=float(known.total), kinds=frequencies.kinds(known), unknown_km=manifest.unknown_km),
        forest=_forest(files, manifest),
        likelihood=_likelihood(manifest),
        pairs=_pairs(files, manifest),
        hours=_hours(manifest),
        rules=_rules(manifest),
        surprise=_surprise(manifest),
        score_map=_score_map(manifest),
        manifest=manifest,
        histories_sha256=manifest.files[HISTORIES],
        reference=_reference(files, manifest),
    )


def checked_manifest(files: Mapping[str, bytes], public_keys: Sequence[bytes]) -> Manifest:
    """The manifest among these, if one of these keys signed it: its files are still to be looked at.

    The names that it lists are plain ones, which no path can hide in. Raises BadArtefact.
    """
    check_stored_signature(part(files, MANIFEST), part(files, SIGNATURE), public_keys, what="the manifest")
    manifest = _manifest(files[MANIFEST])
    require_plain_names(manifest.files, SERVED)
    return manifest


def require_plain_names(listed: Collection[str], served: Sequence[str]) -> None:
    """Raises BadArtefact where a served file is not listed, or a listed name could be a path."""
    for name in served:
        if name not in listed:
            raise BadArtefact("missing_file", f"the manifest does not list {name}")
    for name in listed:
        if not _PLAIN_NAME.fullmatch(name):
            raise BadArtefact("bad_manifest", "the manifest lists a file that has no plain name")


def histories(stored: bytes) -> Iterator[tuple[str, bytes]]:
    """Each person of a histories file with the encoded history, ready to keep. Raises BadArtefact before the first.

    What is large is walked through, in the memory of a few thousand people.
    """
    if len(stored) > DECODED_BYTES:
        try:
            return entries(stored)
        except NotPacked as error:
            raise BadArtefact("bad_histories", "the histories cannot be read") from error
    try:
        people = msgspec.msgpack.decode(stored, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BadArtefact("bad_histories", "the histories cannot be read") from error
    return ((user, bytes(history)) for user, history in people.items())


def part(files: Mapping[str, bytes], name: str) -> bytes:
    """The file of that name. Raises BadArtefact("missing_file")."""
    if name not in files:
        raise BadArtefact("missing_file", f"there is no {name}")
    return files[name]


def _manifest(stored: bytes) -> Manifest:
    try:
        manifest = declaration.decode(stored)
    except msgspec.MsgspecError as error:
        if declaration.format_of(stored).startswith(OTHER_KINDS):
            raise BadArtefact("wrong_kind", "this is a session model, and no model of logins") from error
        raise BadArtefact("bad_manifest", "the manifest cannot be read") from error
    if manifest.format != FORMAT:
        raise BadArtefact("unknown_format", f"this scorer reads {FORMAT}")
    if manifest.model_version != version_of(manifest):
        raise BadArtefact("bad_manifest", "the model's version is not the digest of its manifest")
    known = [name for name in FEATURES if name in manifest.features]
    if not known or list(manifest.features) != known:
        raise BadArtefact("unknown_features", "the model's features are not ones that this scorer computes")
    return manifest


def _encoders(stored: bytes) -> frequencies.Encoders:
    try:
        known = frequencies.decode(stored)
    except msgspec.MsgspecError as error:
        raise BadArtefact("bad_encoders", "the encoders cannot be read") from error
    if known.total < 0 or any(min(known.counts(name).values(), default=1) < 1 for name in frequencies.COUNTED):
        raise BadArtefact("bad_encoders", "the encoders count less than one login")
    rest = {} if known.rest is UNSET else known.rest
    if not rest.keys() <= set(frequencies.COUNTED) or any(min(each.values, each.logins) < 1 for each in rest.values()):
        raise BadArtefact("bad_encoders", "the encoders leave out less than nothing")
    return known


def _forest(files: Mapping[str, bytes], manifest: Manifest) -> Forest:
    feature, threshold, child, path, root = (array_in(files[name], name, kind) for name, kind in FOREST_ARRAYS.items())
    forest = Forest(
        feature=feature,
        threshold=threshold,
        child=child,
        path=path,
        root=root,
        depth=manifest.forest.depth,
        scale=manifest.forest.scale,
        offset=manifest.forest.offset,
    )
    problem = _forest_problem(forest, manifest)
    if problem is not None:
        raise BadArtefact("bad_forest", problem)
    return forest


def array_in(stored: bytes, name: str, kind: type[np.generic]) -> NDArray[Any]:
    """The one-dimensional array of that type in a file. Raises BadArtefact("bad_array")."""
    try:
        array = np.load(io.BytesIO(stored), allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, TypeError, OverflowError, MemoryError) as error:
        raise BadArtefact("bad_array", f"{name} cannot be read") from error
    if not isinstance(array, np.ndarray) or array.dtype != kind or array.ndim != 1:
        raise BadArtefact("bad_array", f"{name} is not the array it should be")
    return np.ascontiguousarray(array)


def _forest_problem(forest: Forest, manifest: Manifest) -> str | None:
    """Whatever could make a walk leave its arrays, or not end at a leaf."""
    problem = trees.problem(forest, (forest.path,), trees_said=manifest.forest.trees, inputs=WIDTH - 1)
    if problem is not None:
        return problem
    is_inner = forest.child != np.arange(len(forest.child))
    if not np.isin(forest.feature[is_inner], [FEATURES.index(name) for name in manifest.features]).all():
        return "it asks for a feature that is not declared"
    return "a path is negative" if (forest.path < 0).any() else None


def _pairs(files: Mapping[str, bytes], manifest: Manifest) -> Pairs:
    feature, threshold, child, value, part, root = (
        array_in(files[name], name, kind) for name, kind in PAIR_ARRAYS.items()
    )
    said = manifest.pairs
    if set(said.usual) != set(PARTS):
        raise BadArtefact("bad_manifest", "the parts of the pair model are not the ones that this scorer knows")
    pairs = Pairs(
        feature=feature,
        threshold=threshold,
        child=child,
        value=value,
        part=part,
        root=root,
        depth=said.depth,
        baseline=said.baseline,
        usual=np.array([said.usual[name] for name in PARTS]),
    )
    problem = trees.problem(pairs, (value,), trees_said=said.trees, inputs=len(INPUTS))
    if problem is None and (len(part) != len(value) or (part < 0).any() or (part >= len(PARTS)).any()):
        problem = "a leaf speaks for a part that is not there"
    if problem is None and max(np.abs(value).max(), np.abs(pairs.usual).max(), abs(said.baseline)) > MOST_NATS:
        problem = "a leaf says more than evidence can"
    if problem is not None:
        raise BadArtefact("bad_pairs", problem)
    return pairs


def _reference(files: Mapping[str, bytes], manifest: Manifest) -> Reference | None:
    try:
        return reference.read(files[REFERENCE]) if REFERENCE in manifest.files else None
    except ValueError as error:
        raise BadArtefact("bad_reference", str(error)) from error


def _hours(manifest: Manifest) -> Hours:
    said = manifest.hours
    if len(said.profile) != 24 or not 0.99 < sum(said.profile) < 1.01:
        raise BadArtefact("bad_manifest", "the hours are not a share for each of 24")
    return Hours(profile=np.array(said.profile), strength=said.strength, weight=said.weight)


def _likelihood(manifest: Manifest) -> Likelihood:
    if set(manifest.likelihood) != set(LEVELS):
        raise BadArtefact("bad_manifest", "the likelihood levels are not the ones that this scorer knows")
    levels = [manifest.likelihood[name] for name in LEVELS]
    return Likelihood(
        strength=np.array([level.strength for level in levels]),
        discount=np.array([level.discount for level in levels]),
        scale=np.array([level.scale for level in levels]),
        unseen=np.array([level.unseen for level in levels]),
        used=np.array([float(level.used) for level in levels]),
        most=manifest.most_nats,
    )


def _rules(manifest: Manifest) -> RuleBook:
    if set(manifest.rules) != set(RULES):
        raise BadArtefact("bad_manifest", "the rules are not the ones that this scorer knows")
    return RuleBook(weight=np.array([manifest.rules[name].weight for name in RULES]))


def _surprise(manifest: Manifest) -> Surprise:
    unusual, nats = knots_in(manifest.surprise, "surprise")
    return Surprise(unusual=unusual, nats=nats, weight=manifest.surprise_weight)


def _score_map(manifest: Manifest) -> ScoreMap:
    evidence, score = knots_in(manifest.score_map, "score map")
    if score[0] <= 0.0 or score[-1] >= 100.0:
        raise BadArtefact("bad_manifest", "the score map leaves the scale")
    return ScoreMap(evidence=evidence, score=score)


def knots_in(pairs: Sequence[tuple[float, float]], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Knots and values, both of which rise. Raises BadArtefact("bad_manifest")."""
    knots = np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
    if len(knots) < 2 or not np.isfinite(knots).all() or (np.diff(knots, axis=0) <= 0).any():
        raise BadArtefact("bad_manifest", f"the {name} does not rise")
    return np.ascontiguousarray(knots[:, 0]), np.ascontiguousarray(knots[:, 1])


__all__ = ["BadArtefact", "Model", "Signature", "checked_manifest", "histories", "key_id", "load", "version_of"]
