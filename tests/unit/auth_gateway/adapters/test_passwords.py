"""What counts as the right password, for hashes of ours and for imported ones."""

import asyncio
import threading

import bcrypt
import pytest
from passlib.hash import argon2

from auth_gateway.adapters.hashing_pool import NICENESS, HashingPool
from auth_gateway.adapters.password_schemes import Scheme, scheme_named, scheme_of
from auth_gateway.adapters.passwords import PasswordHasher, PooledPasswords, wrong_guess_seconds
from auth_gateway.core.account import hash_scheme
from plumbing.refusals import Refused

HASHER = PasswordHasher(memory_kib=64, passes=1)


def bcrypt_hash(secret: bytes) -> str:
    return bcrypt.hashpw(secret, bcrypt.gensalt(4)).decode()


def test_a_new_hash_is_argon2id_at_the_recommended_cost() -> None:
    """OWASP's parameters are what an unconfigured hasher uses."""
    stored = PasswordHasher().hash("Password123!")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().scheme(stored) == "argon2id$v=19$m=19456,t=2,p=1"


@pytest.mark.parametrize("password", ["Password123!", "", "nul\0inside", "é" * 200, "x" * 1000, "pass word", "🔑"])
def test_our_own_hash_takes_exactly_its_password(password: str) -> None:
    """Length, NUL and non-Latin text are part of the password."""
    stored = HASHER.hash(password)
    assert HASHER.check(password, stored).matches
    assert not HASHER.check(password + "x", stored).matches
    assert not HASHER.check(password[:-1] or "y", stored).matches


def test_a_current_hash_is_not_upgraded() -> None:
    """Nothing is written for a password that is stored as we would store it today."""
    assert HASHER.check("secret", HASHER.hash("secret")).upgraded_hash is None


def test_a_bcrypt_hash_is_upgraded_on_the_right_password_alone() -> None:
    """The new hash is of the same password; a wrong guess changes nothing."""
    stored = bcrypt_hash(b"Password123!")
    check = HASHER.check("Password123!", stored)
    assert check.matches
    assert check.upgraded_hash is not None
    assert check.upgraded_hash.startswith("$argon2id$")
    assert HASHER.check("Password123!", check.upgraded_hash).matches
    assert HASHER.check("password123!", stored).upgraded_hash is None


def test_a_weaker_argon2_hash_is_upgraded() -> None:
    """A hash made at yesterday's cost moves to today's."""
    weaker = argon2.using(type="ID", memory_cost=32, time_cost=1, parallelism=1).hash("secret")
    assert HASHER.check("secret", weaker).upgraded_hash is not None


@pytest.mark.parametrize("version", ["2a", "2b", "2y"])
def test_every_living_bcrypt_version_is_verified(version: str) -> None:
    """PHP writes 2y, old libraries 2a."""
    stored = bcrypt_hash(b"secret").replace("$2b$", f"${version}$")
    assert HASHER.check("secret", stored).matches


@pytest.mark.parametrize(("length", "is_upgraded"), [(71, True), (72, True), (73, False), (300, False)])
def test_bcrypt_compares_72_bytes_and_upgrades_no_longer_password(length: int, is_upgraded: bool) -> None:
    """What bcrypt never saw neither locks the owner out nor becomes the new password."""
    password = "p" * length
    check = HASHER.check(password, bcrypt_hash(password.encode()[:72]))
    assert check.matches
    assert (check.upgraded_hash is not None) is is_upgraded


def test_bcrypt_cuts_between_bytes_not_letters() -> None:
    """The 72nd byte may be half of a letter, as it was when the hash was made."""
    password = "x" + "é" * 40
    assert HASHER.check(password, bcrypt_hash(password.encode()[:72])).matches


@pytest.mark.parametrize("guess", ["secret\0", "secret\0anything", "\0secret", "sec\0ret"])
def test_nul_is_wrong_for_bcrypt(guess: str) -> None:
    """A C string would end there, and the rest would not matter."""
    assert not HASHER.check(guess, bcrypt_hash(b"secret")).matches


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        "$2b$04$short",
        "$2b$31$" + "a" * 53,
        "$2b$99$" + "a" * 53,
        "$2x$04$" + "a" * 53,
        "$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHRzb21l$bbbbbbbbbbbbbbbbbbbbbbbb",
        "$argon2id$v=19$m=64,t=99,p=1$c29tZXNhbHRzb21l$bbbbbbbbbbbbbbbbbbbbbbbb",
        "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHRzb21l$bbbbbbbbbbbbbbbbbbbbbbbb",
        "$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHRzb21l$bbbbbbbbbbbbbbbbbbbbbbbb",
        "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHRzb21l$bbbbbbbbbbbbbbbbbbbbbbbb",
        "$5$rounds=1000$salt$hash",
        "5ebe2294ecd0e0f08eab7690d2a6ee69",
        "\0" * 60,
    ],
)
def test_a_hash_we_do_not_know_or_cannot_afford_matches_nothing(stored: str) -> None:
    """It has no scheme, so it is not imported, and a stored one lets nobody in."""
    assert HASHER.scheme(stored) is None
    assert not HASHER.check("secret", stored).matches


@pytest.mark.parametrize("stored", [bcrypt_hash(b"x"), HASHER.hash("x"), PasswordHasher().hash("x")])
def test_a_stand_in_has_the_scheme_and_shape_of_the_real_one(stored: str) -> None:
    """Otherwise an absent account would take another time than a present one."""
    scheme = scheme_of(stored)
    assert scheme is not None
    assert scheme_of(scheme.stand_in()) == scheme
    assert len(scheme.stand_in()) == len(stored)
    assert not HASHER.check("x", scheme.stand_in()).matches


@pytest.mark.parametrize("stored", [bcrypt_hash(b"x"), HASHER.hash("x")])
def test_a_scheme_is_found_again_by_the_name_that_storage_keeps(stored: str) -> None:
    """The floor is measured from those names."""
    assert scheme_named(hash_scheme(stored)) == scheme_of(stored)
    assert HASHER.scheme(stored) == hash_scheme(stored)


def test_a_name_of_no_scheme_has_none() -> None:
    """A hash from before our checks must not stop the start."""
    assert scheme_named("unknown") is None


def test_the_time_of_a_wrong_guess_is_the_slower_of_two() -> None:
    """One quick try must not set the floor too low."""
    readings = iter([0.0, 0.1, 5.0, 5.3])
    assert wrong_guess_seconds(HASHER, HASHER.default_scheme, lambda: next(readings)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("password", "has_account", "expected"),
    [
        ("secret", True, True),
        ("wrong", True, False),
        ("secret", False, False),
        (None, True, False),
        (None, False, False),
    ],
)
def test_only_a_real_password_for_a_real_account_is_right(
    password: str | None, has_account: bool, expected: bool
) -> None:
    """Absent accounts and unusable passwords do the same work for nothing."""
    pool = HashingPool(workers=1, queue_limit=1)
    passwords = PooledPasswords(pool, HASHER)
    try:
        stored = HASHER.hash("secret") if has_account else None
        assert asyncio.run(passwords.check(password, stored, may_upgrade=True)).matches is expected
    finally:
        pool.close()


def test_an_unusable_password_does_not_match_the_hash_of_the_empty_one() -> None:
    """The stand-in for the password is compared, and its answer thrown away."""
    pool = HashingPool(workers=1, queue_limit=1)
    try:
        assert not asyncio.run(PooledPasswords(pool, HASHER).check(None, HASHER.hash(""), may_upgrade=True)).matches
    finally:
        pool.close()


def test_a_hash_that_may_not_be_upgraded_is_only_compared() -> None:
    """For a frozen account the time of a second hash would tell that the password was right."""
    check = HASHER.check("secret", bcrypt_hash(b"secret"), may_upgrade=False)
    assert (check.matches, check.upgraded_hash) == (True, None)


def test_an_absent_account_is_compared_with_the_scheme_to_imitate() -> None:
    """The line and the time look as they do for a stored hash."""
    seen: list[str] = []

    class Watched(PasswordHasher):
        def check(self, password: str, stored_hash: str, *, may_upgrade: bool = True):  # type: ignore[no-untyped-def]
            seen.append(stored_hash)
            return super().check(password, stored_hash, may_upgrade=may_upgrade)

    pool = HashingPool(workers=1, queue_limit=1)
    passwords = PooledPasswords(pool, Watched(memory_kib=64, passes=1))
    passwords.imitate(Scheme("$2b$04$"))
    try:
        asyncio.run(passwords.check("secret", None, may_upgrade=True))
    finally:
        pool.close()
    assert [stored[:7] for stored in seen] == ["$2b$04$"]


def test_a_full_line_refuses_at_once_and_serves_those_in_it() -> None:
    """Two places are taken, the third caller is told to come back, and afterwards there is room again."""
    gate = threading.Event()
    pool = HashingPool(workers=1, queue_limit=1)

    async def story() -> list[object]:
        first, second = (asyncio.create_task(pool.run(gate.wait)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refused:
            await pool.run(lambda: None)
        assert (refused.value.code, refused.value.status) == ("busy", 503)
        assert refused.value.retry_after_seconds
        gate.set()
        return [await first, await second, await pool.run(lambda: "room again")]

    try:
        assert asyncio.run(story()) == [True, True, "room again"]
    finally:
        pool.close()


def test_a_caller_that_leaves_does_not_free_a_busy_thread() -> None:
    """Hanging up must not be a way to have more guesses computed than there are places."""
    gate = threading.Event()
    pool = HashingPool(workers=1, queue_limit=0)

    async def story() -> None:
        task = asyncio.create_task(pool.run(gate.wait))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Refused):
            await pool.run(lambda: None)
        gate.set()

    try:
        asyncio.run(story())
    finally:
        gate.set()
        pool.close()


def test_hashing_threads_yield_to_the_event_loop() -> None:
    """Their nice value is lower in rank than the process's own, which stays as it was."""
    import os

    before = os.getpriority(os.PRIO_PROCESS, 0)
    pool = HashingPool(workers=1, queue_limit=0)
    try:
        niceness = asyncio.run(pool.run(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    finally:
        pool.close()
    assert niceness == max(before, NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
