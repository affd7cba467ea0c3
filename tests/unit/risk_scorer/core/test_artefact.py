"""A model that is not whole, sound and signed by a trusted key is refused by the name of what is wrong."""

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.core import reference
from risk_scorer.core.artefact import ENCODERS, MANIFEST, REFERENCE, SIGNATURE, BadArtefact, histories, load
from risk_scorer.core.features import FEATURES
from risk_scorer.core.history import decode, encode
from risk_scorer.core.pairs import PARTS
from risk_scorer.core.scoring import score_many
from tests.unit.risk_scorer.core import watched
from tests.unit.risk_scorer.core.small import HOME, STRANGE, known, model
from tests.unit.risk_scorer.core.stored_model import TRUSTED, contents, hour_numbers, pair_numbers, refusal, signed
from training.publish import public_bytes, signature


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
        ({"format": "riskgate-model/1"}, "unknown_format"),
        ({"model_version": "0" * 12}, "bad_manifest"),
        ({"features": ("hour", "shoe_size")}, "unknown_features"),
        ({"features": ("ip_rep", "hour")}, "unknown_features"),
        ({"features": ()}, "unknown_features"),
        ({"features": FEATURES[1:]}, "bad_forest"),
        ({"likelihood": {}}, "bad_manifest"),
        ({"rules": {}}, "bad_manifest"),
        ({"pairs": pair_numbers(usual={})}, "bad_manifest"),
        ({"pairs": pair_numbers(usual=dict.fromkeys([*PARTS, "shoe_size"], 0.0))}, "bad_manifest"),
        ({"pairs": pair_numbers(usual=dict.fromkeys(PARTS, 1e13))}, "bad_manifest"),
        ({"pairs": pair_numbers(baseline=1e13)}, "bad_manifest"),
        ({"pairs": pair_numbers(trees=12)}, "bad_pairs"),
        ({"pairs": pair_numbers(depth=0)}, "bad_pairs"),
        ({"pairs": pair_numbers(depth=2)}, "bad_pairs"),
        ({"pairs": pair_numbers(depth=65)}, "bad_manifest"),
        ({"hours": hour_numbers(profile=(1.0 / 23.0,) * 23)}, "bad_manifest"),
        ({"hours": hour_numbers(profile=(1.0 / 25.0,) * 25)}, "bad_manifest"),
        ({"hours": hour_numbers(profile=(1.0,) * 24)}, "bad_manifest"),
        ({"hours": hour_numbers(profile=(0.001,) * 24)}, "bad_manifest"),
        ({"hours": hour_numbers(profile=(0.0, 2.0 / 24.0, *(1.0 / 24.0,) * 22))}, "bad_manifest"),
        ({"hours": hour_numbers(strength=0.0)}, "bad_manifest"),
        ({"hours": hour_numbers(weight=-1.0)}, "bad_manifest"),
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


def test_a_reference_that_cannot_be_true_is_refused_and_none_at_all_is_taken() -> None:
    """Models that were made before there was one go on; what is listed and wrong never does."""
    assert load(signed(), TRUSTED).reference is None
    assert load(signed({REFERENCE: reference.encode(watched.REFERENCE)}), TRUSTED).reference == watched.REFERENCE
    assert refusal(signed({REFERENCE: b"{}"})) == "bad_reference"
