"""A model that is not whole, sound and signed by a trusted key is refused by the name of what is wrong."""

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
    SIGNATURE,
    USER_GEO,
    BadArtefact,
    histories,
    load,
    version_of,
)
from risk_scorer.core.encoders import encode as encode_counts
from risk_scorer.core.features import FEATURES
from risk_scorer.core.history import decode, encode
from risk_scorer.core.rules import RULES
from risk_scorer.core.scoring import score_many
from risk_scorer.core.signals import LEVELS
from tests.unit.risk_scorer.core.small import HOME, STRANGE, encoders, known, model
from training.publish import public_bytes, signature

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = [public_bytes(KEY)]


def stored(array: Any, kind: type[np.generic]) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(array, dtype=kind))
    return out.getvalue()


def contents() -> dict[str, bytes]:
    forest = model().forest
    return {
        ENCODERS: encode_counts(encoders()),
        USER_GEO: b"{}",
        HISTORIES: msgspec.msgpack.encode({"alice": known()}),
        "forest_feature.npy": stored(forest.feature, np.int32),
        "forest_threshold.npy": stored(forest.threshold, np.float32),
        "forest_child.npy": stored(forest.child, np.int32),
        "forest_path.npy": stored(forest.path, np.float64),
        "forest_root.npy": stored(forest.root, np.int32),
    }


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
        "rows": declaration.Rows(used=10, successful=10, fitted=8, held_out=2, dropped={}),
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
        "rules": {
            rule: declaration.RuleNumbers(weight=float(weight), match_rate=0.01)
            for rule, weight in zip(RULES, small.rules.weight, strict=True)
        },
        "surprise": ((-0.1, 0.0), (0.0, 2.0), (0.1, 5.0)),
        "surprise_weight": 0.5,
        "score_map": ((-12.0, 5.0), (0.0, 40.0), (5.0, 60.0), (15.0, 80.0)),
        "marks": {},
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


def test_a_sound_model_scores_like_the_one_that_was_stored() -> None:
    """To the bit: nothing is lost in JSON or arrays."""
    loaded = load(signed(), TRUSTED)
    cases = ([HOME, STRANGE, HOME], [known(), known(), None])
    assert (score_many(loaded, *cases).score == score_many(model(), *cases).score).all()
    assert loaded.version == loaded.manifest.model_version
    assert loaded.uses_ip_facts


def test_the_engineers_file_is_not_needed() -> None:
    """It is listed with its hash, and the service neither has nor reads it."""
    files = signed({"model.joblib": b"anything"})
    load(files, TRUSTED)
    del files["model.joblib"]
    load(files, TRUSTED)


@pytest.mark.parametrize("name", sorted([*contents(), MANIFEST, SIGNATURE]))
def test_a_missing_file_is_refused(name: str) -> None:
    """Every served file is needed."""
    files = signed()
    del files[name]
    assert refusal(files) == "missing_file"


@pytest.mark.parametrize("name", sorted(contents()))
def test_one_changed_bit_in_any_file_is_refused(name: str) -> None:
    """The signature covers the manifest, the manifest every file."""
    files = signed()
    middle = len(files[name]) // 2
    files[name] = files[name][:middle] + bytes([files[name][middle] ^ 1]) + files[name][middle + 1 :]
    assert refusal(files) == "hash_mismatch"


def test_a_changed_manifest_is_refused() -> None:
    """A weaker mark cannot be written in after signing."""
    files = signed()
    files[MANIFEST] = files[MANIFEST].replace(b"500.0", b"501.0")
    assert refusal(files) == "bad_signature"


def test_a_stranger_s_signature_is_refused() -> None:
    """Only configured keys count; a key that comes along with the model does not exist."""
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    files = signed()
    files[SIGNATURE] = signature(files[MANIFEST], other)
    assert refusal(files) == "untrusted_key"
    assert refusal(signed(), []) == "untrusted_key"
    assert load(files, [*TRUSTED, public_bytes(other)]).version


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00\xff", b'{"algorithm":"Ed25519","key_id":"x","signature":"!"}'])
def test_a_signature_that_cannot_be_read_is_refused(content: bytes) -> None:
    """Nothing is trusted by default."""
    assert refusal(signed() | {SIGNATURE: content}) == "bad_signature"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"format": "riskgate-model/2"}, "unknown_format"),
        ({"model_version": "0" * 12}, "bad_manifest"),
        ({"features": ("hour", "shoe_size")}, "unknown_features"),
        ({"features": ("ip_rep", "hour")}, "unknown_features"),
        ({"features": ()}, "unknown_features"),
        ({"features": FEATURES[1:]}, "bad_forest"),
        ({"likelihood": {}}, "bad_manifest"),
        ({"rules": {}}, "bad_manifest"),
        ({"score_map": ((0.0, 40.0),)}, "bad_manifest"),
        ({"score_map": ((0.0, 40.0), (0.0, 60.0))}, "bad_manifest"),
        ({"score_map": ((0.0, 60.0), (1.0, 40.0))}, "bad_manifest"),
        ({"score_map": ((0.0, 0.0), (1.0, 60.0))}, "bad_manifest"),
        ({"score_map": ((0.0, 40.0), (1.0, 100.0))}, "bad_manifest"),
        ({"surprise": ((0.0, 1.0), (1.0, 1.0))}, "bad_manifest"),
        ({"most_nats": -1.0}, "bad_manifest"),
        ({"unknown_km": -1.0}, "bad_manifest"),
    ],
)
def test_numbers_that_would_break_the_scale_are_refused(changes: dict[str, Any], code: str) -> None:
    """Even signed: ranges, order and vocabulary are checked before use."""
    assert refusal(signed(**changes)) == code


def broken_forest(name: str, place: int, value: float) -> dict[str, bytes]:
    forest = model().forest
    array = getattr(forest, name).copy()
    array[place] = value
    return {f"forest_{name}.npy": stored(array, array.dtype.type)}


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("feature", 0, -1),
        ("feature", 0, len(FEATURES)),
        ("child", 0, 10**6),
        ("child", 0, -5),
        ("child", 1, 0),
        ("threshold", 0, np.nan),
        ("threshold", -1, 0.0),
        ("path", 3, np.nan),
        ("path", 3, -1.0),
        ("root", 0, 1),
        ("root", 1, 0),
        ("root", -1, 10**6),
    ],
)
def test_a_forest_that_could_walk_out_of_its_arrays_is_refused(name: str, place: int, value: float) -> None:
    """Compiled code does not check bounds, so loading does."""
    assert refusal(signed(broken_forest(name, place, value))) == "bad_forest"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        stored([0.0], np.float64),
        stored([[0]], np.int32),
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(128) + b"\n",
    ],
)
def test_what_is_no_plain_array_is_refused(content: bytes) -> None:
    """Wrong kinds and shapes and Python objects among them."""
    assert refusal(signed({"forest_feature.npy": content})) == "bad_array"


@pytest.mark.parametrize("content", [b"{", b'{"total": -1}', b'{"total": 1, "user": {"a": 0}}'])
def test_encoders_that_count_nothing_are_refused(content: bytes) -> None:
    """Less than one login is not a count."""
    assert refusal(signed({ENCODERS: content})) == "bad_encoders"


def test_histories_come_one_by_one_ready_to_keep() -> None:
    """Each person's bytes decode to the history that was stored."""
    stored_histories = msgspec.msgpack.encode({"alice": known(), "bob": known(2)})
    found = dict(histories(stored_histories))
    assert {user: decode(each) for user, each in found.items()} == {"alice": known(), "bob": known(2)}
    assert found["bob"] == encode(known(2))


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x93\x01\x02\x03"])
def test_histories_that_cannot_be_read_are_refused(content: bytes) -> None:
    """Not a map of people: not histories."""
    with pytest.raises(BadArtefact):
        list(histories(content))
