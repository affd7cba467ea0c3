"""Secrets are made once and kept from others."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plumbing.state import StateDir


def test_the_directory_and_its_secrets_belong_to_their_owner_alone(tmp_path: Path) -> None:
    """From the moment that they are made."""
    place = tmp_path / "state"
    state = StateDir.open(place)
    state.secret("vault")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert stat.S_IMODE((place / "vault").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777, 0o1777])
def test_a_directory_that_others_may_enter_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    """It may be somebody's, such as /tmp: closing it would lock everybody else out."""
    place = tmp_path / "state"
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(PermissionError, match="other users may enter"):
        StateDir.open(place)
    assert stat.S_IMODE(place.stat().st_mode) == mode


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """A second opening reads the same bytes; another name has others."""
    first = StateDir.open(tmp_path).secret("vault")
    assert StateDir.open(tmp_path).secret("vault") == first
    assert StateDir.open(tmp_path).secret("other") != first


def test_all_who_race_for_a_secret_get_the_same_one(tmp_path: Path) -> None:
    """Two processes that start at once must not sign with different keys."""
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: StateDir.open(tmp_path).secret("vault"), range(64)))
    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["vault"]


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    """A cut-off file would be a short key."""
    (tmp_path / "vault").write_bytes(b"short")
    with pytest.raises(ValueError, match="5 bytes where 32"):
        StateDir.open(tmp_path).secret("vault")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "UPPER", "a\x00"])
def test_a_secret_cannot_lie_elsewhere(tmp_path: Path, name: str) -> None:
    """A name is a name, not a path."""
    with pytest.raises(ValueError, match="name"):
        StateDir.open(tmp_path).secret(name)


def test_a_series_of_secrets_grows_by_one(tmp_path: Path) -> None:
    """The oldest first; each stays as it was."""
    state = StateDir.open(tmp_path)
    assert state.series("sealing") == []
    assert [state.add_to_series("sealing") for _ in range(3)] == [1, 2, 3]
    found = StateDir.open(tmp_path).series("sealing")
    assert found == [state.secret(f"sealing.{number}") for number in (1, 2, 3)]
    assert len(set(found)) == 3
