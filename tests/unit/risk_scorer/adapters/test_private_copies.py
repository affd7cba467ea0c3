"""A file that is too big for memory is read from a copy that nobody can exchange."""

import hashlib
from pathlib import Path

import pytest

from risk_scorer.adapters import private_copies, published_folder
from risk_scorer.adapters.private_copies import content_of
from risk_scorer.core.artefact import BadArtefact, histories


def test_a_large_file_is_what_it_was_when_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overwritten and cut off afterwards, it still is; small ones are simply bytes."""
    monkeypatch.setattr(private_copies, "IN_MEMORY_BYTES", 8)
    monkeypatch.setattr(private_copies, "PIECE_BYTES", 4)
    path = tmp_path / "histories.msgpack"
    path.write_bytes(b"\x82\xa3ann\x01\xa3ben\x02")
    with path.open("rb") as file:
        content = content_of(file, path.name, most_bytes=100)
    path.write_bytes(b"nothing")
    assert type(content).__name__ == "mmap"
    assert len(content) == 11
    assert hashlib.sha256(content).digest() == hashlib.sha256(b"\x82\xa3ann\x01\xa3ben\x02").digest()
    assert dict(histories(content)) == {"ann": b"\x01", "ben": b"\x02"}
    path.write_bytes(b"12345678")
    with path.open("rb") as file:
        assert content_of(file, path.name, most_bytes=100) == b"12345678"


@pytest.mark.parametrize("size", [8, 9, 20])
def test_no_more_is_read_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Neither into memory nor into the copy."""
    monkeypatch.setattr(private_copies, "IN_MEMORY_BYTES", 8)
    monkeypatch.setattr(private_copies, "PIECE_BYTES", 4)
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    with path.open("rb") as file:
        assert len(content_of(file, path.name, most_bytes=size)) == size
    with path.open("rb") as file, pytest.raises(BadArtefact) as refused:
        content_of(file, path.name, most_bytes=size - 1)
    assert refused.value.code == "too_large"


def test_histories_have_room_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be larger than all else of a model, and are bounded themselves."""
    monkeypatch.setattr(published_folder, "MAX_MODEL_BYTES", 10)
    monkeypatch.setattr(published_folder, "MAX_HISTORIES_BYTES", 20)
    (tmp_path / "manifest.sig").write_bytes(b"1234")
    (tmp_path / "histories.msgpack").write_bytes(b"x" * 20)
    assert len(published_folder.read_files(tmp_path)["histories.msgpack"]) == 20
    (tmp_path / "histories.msgpack").write_bytes(b"x" * 21)
    with pytest.raises(BadArtefact) as refused:
        published_folder.read_files(tmp_path)
    assert refused.value.code == "model_too_large"
