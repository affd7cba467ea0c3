"""What is sealed opens only for its purpose, and under each key that there was."""

import pytest

from plumbing.vault import Unsealable, Vault

KEY = bytes(range(32))
SECOND, THIRD = bytes([2]) * 32, bytes([3]) * 32


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


def test_the_youngest_key_seals_and_the_others_still_open() -> None:
    """Nothing is lost when a key is added."""
    keys: list[bytes] = []
    vault = Vault(KEY, later=lambda: keys)
    sealed = [vault.seal(b"seed", "totp")]
    for key in (SECOND, THIRD):
        keys.append(key)
        vault.reload()
        sealed.append(vault.seal(b"seed", "totp"))
    assert [vault.open(each, "totp") for each in sealed] == [b"seed"] * 3
    assert [vault.is_sealed_now(each, "totp") for each in sealed] == [False, False, True]
    without_third = Vault(KEY, later=lambda: [SECOND])
    assert [without_third.open(each, "totp") for each in sealed[:2]] == [b"seed"] * 2
    with pytest.raises(Unsealable):
        without_third.open(sealed[2], "totp")


def test_a_key_that_another_process_made_is_found_when_it_is_met() -> None:
    """A service reads what a command sealed a moment ago."""
    keys: list[bytes] = []
    service, command = (Vault(KEY, later=lambda: list(keys)) for _ in range(2))
    keys.append(SECOND)
    command.reload()
    assert service.open(command.seal(b"seed", "totp"), "totp") == b"seed"


def test_what_a_later_key_sealed_opens_for_nothing_else() -> None:
    """Another purpose, a flipped bit anywhere (its key's name too) and a cut end all fail alike."""
    vault = Vault(KEY, later=lambda: [SECOND])
    sealed = vault.seal(b"seed", "totp")
    flipped = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    for given, purpose in [(sealed, "keys"), *((one, "totp") for one in (*flipped, sealed[:-1], sealed[:6]))]:
        with pytest.raises(Unsealable):
            vault.open(given, purpose)
        assert not vault.is_sealed_now(sealed, "keys")


def test_derived_keys_do_not_follow_the_sealing_key() -> None:
    """Digests keyed by them could not be made anew."""
    assert Vault(KEY, later=lambda: [SECOND]).derive("a") == Vault(KEY).derive("a")


def test_a_first_seal_that_begins_like_a_name_opens() -> None:
    """Its first bytes are chance."""
    seals = (Vault(KEY).seal(b"x", "totp") for _ in range(20_000))
    alike = next(sealed for sealed in seals if sealed.startswith(b"\x02"))
    assert Vault(KEY, later=lambda: [SECOND]).open(alike, "totp") == b"x"
