"""A model is published whole and signed, by a key that its owner alone can read."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from risk_scorer.core.artefact import MANIFEST, SIGNATURE, Signature, key_id
from training.publish import public_bytes, publish, signature, signing_key
from training.refusals import WrongInputError


def test_a_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    """Mode 0600, the public half beside it, the same key the next time."""
    path = tmp_path / "keys" / "signing.key"
    first, second = signing_key(path), signing_key(path)
    assert public_bytes(first) == public_bytes(second)
    assert path.stat().st_mode & 0o777 == 0o600
    assert base64.b64decode((tmp_path / "keys" / "signing.pub").read_bytes()) == public_bytes(first)


def test_a_lost_public_half_is_written_again(tmp_path: Path) -> None:
    """It follows from the private key; a foreign one beside it is replaced."""
    key = signing_key(tmp_path / "signing.key")
    (tmp_path / "signing.pub").write_text("something else")
    signing_key(tmp_path / "signing.key")
    assert base64.b64decode((tmp_path / "signing.pub").read_bytes()) == public_bytes(key)


@pytest.mark.parametrize("content", [b"", b"short", base64.b64encode(bytes(31)), b"\xff" * 32])
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    """Nothing is overwritten: it may be somebody's."""
    path = tmp_path / "signing.key"
    path.write_bytes(content)
    with pytest.raises(WrongInputError) as refused:
        signing_key(path)
    assert refused.value.code == "bad_signing_key"
    assert path.read_bytes() == content


def test_the_signature_is_ed25519_over_the_exact_manifest(tmp_path: Path) -> None:
    """It names the key and verifies with nothing but the public half."""
    key = signing_key(tmp_path / "signing.key")
    found = msgspec.json.decode(signature(b"manifest", key), type=Signature)
    assert (found.algorithm, found.key_id) == ("Ed25519", key_id(public_bytes(key)))
    Ed25519PublicKey.from_public_bytes(public_bytes(key)).verify(base64.b64decode(found.signature), b"manifest")


def test_publishing_replaces_every_file_and_leaves_no_drafts(tmp_path: Path) -> None:
    """The directory then holds the new model and what was not ours."""
    (tmp_path / "README.md").write_text("kept")
    for version in (b"1", b"2"):
        publish({"manifest.json": version, "manifest.sig": version, "encoders.json": version}, tmp_path)
    held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert held == {"README.md": b"kept", "manifest.json": b"2", "manifest.sig": b"2", "encoders.json": b"2"}


def test_a_publication_that_cannot_be_written_leaves_the_old_model(tmp_path: Path) -> None:
    """A failure before the first exchange changes nothing, and no draft stays behind."""
    files = {"manifest.json": b"1", "manifest.sig": b"1", "encoders.json": b"1"}
    publish(files, tmp_path)
    with pytest.raises(OSError, match="directory"):
        publish({**files, "manifest.json": b"2", "no/such/folder": b"2"}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_the_name_of_a_public_key_is_refused_and_what_is_there_is_kept(tmp_path: Path) -> None:
    """The public half would take the private one's place, or its bytes be signed with."""
    signing_key(tmp_path / "signing.key")
    public = (tmp_path / "signing.pub").read_bytes()
    for name in ("signing.pub", "new.pub"):
        with pytest.raises(WrongInputError, match="bad_signing_key"):
            signing_key(tmp_path / name)
    assert (tmp_path / "signing.pub").read_bytes() == public
    assert not (tmp_path / "new.pub").exists()


def test_two_who_publish_at_once_leave_one_whole_model(tmp_path: Path) -> None:
    """Whoever comes second waits; no file of the first is left and nobody fails."""
    models = [{name: bytes([number]) * 10_000 for name in ("a", "b", "c", MANIFEST, SIGNATURE)} for number in range(4)]
    for _ in range(10):
        with ThreadPoolExecutor(len(models)) as pool:
            list(pool.map(lambda files: publish(files, tmp_path / "m"), models))
        found = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
        assert found in models
