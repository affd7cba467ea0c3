"""Secrets are made once, kept from others, and what is sealed opens only for its purpose."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plumbing.state import StateDir, Unsealable, Vault

KEY = bytes(range(32))


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


def test_what_was_sealed_opens_for_its_purpose() -> None:
    """Any bytes, the empty ones too; two seals of one value differ."""
    vault = Vault(KEY)
    for plain in (b"", b"seed", bytes(10_000)):
        assert Vault(KEY).open(vault.seal(plain, "totp"), "totp") == plain
    assert vault.seal(b"x", "totp") != vault.seal(b"x", "totp")


def test_what_was_sealed_opens_for_nothing_else() -> None:
    """Another purpose, another key, a flipped bit and a cut end all fail alike."""
    sealed = Vault(KEY).seal(b"seed", "totp")
    flipped = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    tries = [(Vault(KEY), one, "totp") for one in (*flipped, sealed[:-1], sealed[:5], b"", sealed + b"x")]
    tries += [(Vault(KEY), sealed, "keys"), (Vault(KEY[::-1]), sealed, "totp")]
    for vault, given, purpose in tries:
        with pytest.raises(Unsealable):
            vault.open(given, purpose)


def test_derived_keys_differ_by_purpose_and_stay_the_same() -> None:
    """A key for one purpose tells nothing about another."""
    assert Vault(KEY).derive("a") == Vault(KEY).derive("a")
    assert len({Vault(KEY).derive("a"), Vault(KEY).derive("b"), Vault(KEY[::-1]).derive("a"), KEY}) == 4
    assert len(Vault(KEY).derive("a")) == 32


def test_a_short_key_makes_no_vault() -> None:
    """31 bytes are refused, 32 are taken."""
    Vault(bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(31))
