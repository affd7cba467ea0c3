"""Wherever a registry lies, a place keeps the same promises: whole files, one first writer, nothing written over."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from risk_scorer.adapters.registry_places import BadPlace, ChangedMeanwhile, FolderPlace, Place, PlaceAway, place_at
from risk_scorer.core.signatures import BadArtefact

S3 = os.environ.get("RISKGATE_TEST_S3", "")
"""A bucket of a running server; tests/services/test_s3_registry.py starts one."""


@pytest.fixture(params=["folder", "memory", *(["s3"] if S3 else [])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        yield place_at(f"file://{tmp_path}/registry")
    elif request.param == "memory":
        yield place_at(f"memory://{uuid4()}")
    else:
        yield place_at(f"{S3}/{uuid4()}")


def test_what_is_created_is_read_back_and_listed(place: Place) -> None:
    """A folder is there as soon as there is something in it."""
    assert place.names("versions") == []
    assert place.state("versions") == ()
    place.create("versions/b.json", b"hello")
    place.create("versions/a.json", b"")
    assert place.read("versions/b.json", most_bytes=5) == b"hello"
    assert place.read("versions/a.json", most_bytes=5) == b""
    assert place.names("versions") == ["a.json", "b.json"]


def test_what_is_not_there_is_told_from_what_is_no_file_and_what_is_too_large(place: Place) -> None:
    """Three different things to do about it."""
    with pytest.raises(FileNotFoundError):
        place.read("versions/b.json", most_bytes=5)
    place.create("versions/b.json", b"hello")
    with pytest.raises(BadArtefact, match="not_a_file"):
        place.read("versions", most_bytes=5)
    with pytest.raises(BadArtefact, match="too_large"):
        place.read("versions/b.json", most_bytes=4)


def test_of_many_first_writers_one_wins(place: Place) -> None:
    """Nobody's file is written over, and the winner's is whole."""

    def create(number: int) -> int | None:
        try:
            place.create("journal/1.json", bytes([number]) * 1000)
        except FileExistsError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        [winner] = [number for number in pool.map(create, range(8)) if number is not None]
    assert place.read("journal/1.json", most_bytes=1000) == bytes([winner]) * 1000


def test_a_file_is_copied_in_once(place: Place, tmp_path: Path) -> None:
    """Larger than a piece, and never over another one."""
    (tmp_path / "source").write_bytes(bytes(range(256)) * 8192)
    place.copy_in("versions/source", tmp_path / "source")
    assert place.read("versions/source", most_bytes=1 << 22) == (tmp_path / "source").read_bytes()
    with pytest.raises(FileExistsError):
        place.copy_in("versions/source", tmp_path / "source")


def test_a_file_is_replaced_only_while_it_is_what_was_expected(place: Place) -> None:
    """Compare and set: whoever read an older one is told."""
    place.replace("pointers/active.json", b"1", expected=None)
    place.replace("pointers/active.json", b"2", expected=b"1")
    for outdated in (b"1", None):
        with pytest.raises(ChangedMeanwhile):
            place.replace("pointers/active.json", b"3", expected=outdated)
    with pytest.raises(ChangedMeanwhile):
        place.replace("pointers/other.json", b"3", expected=b"2")
    assert place.read("pointers/active.json", most_bytes=10) == b"2"


def test_another_content_is_another_state(place: Place) -> None:
    """What a scorer looks at to see whether a refused version was mended."""
    place.replace("versions/a", b"1", expected=None)
    before = place.state("versions")
    assert place.state("versions") == before
    place.replace("versions/a", b"23", expected=b"1")
    assert place.state("versions") != before


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "versions/../../outside"])
def test_no_path_leaves_the_registry(place: Place, path: str) -> None:
    """Whatever a pointer or a manifest says."""
    for attempt in (
        lambda: place.read(path, most_bytes=10),
        lambda: place.create(path, b""),
        lambda: place.replace(path, b"", expected=None),
    ):
        with pytest.raises((ValueError, PlaceAway)):
            attempt()


@pytest.mark.parametrize("address", ["", "simplecache::memory://a", "nothing://a", "::"])
def test_an_address_that_no_registry_can_be_at_is_refused(address: str) -> None:
    """Chained ones among them: a cache in between would show yesterday's pointer."""
    with pytest.raises(BadPlace):
        place_at(address)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The draft goes, and there is no file under the name."""
    folder = FolderPlace(tmp_path)

    def full(_path: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(PlaceAway, match="No space left"):
        folder.create("journal/1.json", b"1")
    assert list((tmp_path / "journal").iterdir()) == []
