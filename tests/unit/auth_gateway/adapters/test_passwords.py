"""What counts as the right password, for hashes of ours and for imported ones."""

import asyncio
import threading

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from passlib.hash import argon2, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt

from auth_gateway.adapters.blocklist import Blocklists
from auth_gateway.adapters.hashing_pool import NICENESS, HashingPool
from auth_gateway.adapters.password_schemes import Scheme, scheme_named, scheme_of
from auth_gateway.adapters.passwords import PasswordHasher, PooledPasswords, wrong_guess_seconds
from auth_gateway.core.account import hash_scheme
from auth_gateway.core.names import unknown_user_id
from auth_gateway.flows.ports import PasswordCheck
from plumbing.refusals import Refused

HASHER = PasswordHasher(memory_kib=64, passes=1)


def bcrypt_hash(secret: bytes) -> str:
    return bcrypt.hashpw(secret, bcrypt.gensalt(4)).decode()


def test_a_new_hash_is_argon2id_at_the_recommended_cost() -> None:
    """OWASP's parameters are what an unconfigured hasher uses."""
    stored = PasswordHasher().hash("Password123!")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PasswordHasher().problem(stored) is None


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
    assert HASHER.problem(stored) is not None
    assert not HASHER.check("secret", stored).matches


@pytest.mark.parametrize(
    "stored", [bcrypt_hash(b"x"), HASHER.hash("x"), PasswordHasher().hash("x")], ids=["bcrypt", "cheap", "ours"]
)
def test_a_stand_in_has_the_scheme_and_shape_of_the_real_one(stored: str) -> None:
    """Otherwise an absent account would take another time than a present one."""
    scheme = scheme_of(stored)
    assert scheme is not None
    assert scheme_of(scheme.stand_in()) == scheme
    assert len(scheme.stand_in()) == len(stored)
    assert not HASHER.check("x", scheme.stand_in()).matches


@pytest.mark.parametrize("stored", [bcrypt_hash(b"x"), HASHER.hash("x")], ids=["bcrypt", "argon2"])
def test_a_scheme_is_found_again_by_the_name_that_storage_keeps(stored: str) -> None:
    """The floor is measured from those names."""
    assert scheme_named(hash_scheme(stored)) == scheme_of(stored)


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
    passwords = PooledPasswords(pool, HASHER, Blocklists())
    try:
        stored = HASHER.hash("secret") if has_account else None
        assert asyncio.run(passwords.check(password, stored, may_upgrade=True)).matches is expected
    finally:
        pool.close()


def test_an_unusable_password_does_not_match_the_hash_of_the_empty_one() -> None:
    """The stand-in for the password is compared, and its answer thrown away."""
    pool = HashingPool(workers=1, queue_limit=1)
    try:
        assert not asyncio.run(
            PooledPasswords(pool, HASHER, Blocklists()).check(None, HASHER.hash(""), may_upgrade=True)
        ).matches
    finally:
        pool.close()


def test_a_hash_that_may_not_be_upgraded_is_only_compared() -> None:
    """For a frozen account the time of a second hash would tell that the password was right."""
    check = HASHER.check("secret", bcrypt_hash(b"secret"), may_upgrade=False)
    assert (check.matches, check.upgraded_hash) == (True, None)


class Watched(PasswordHasher):
    """Remembers what was compared with, and compares nothing."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, passes=1)
        self.seen: list[str] = []

    def check(self, password: str, stored_hash: str, *, may_upgrade: bool = True) -> PasswordCheck:
        self.seen.append(stored_hash[:7])
        return PasswordCheck(matches=False)


def compared_with(people: list[tuple[Scheme, int]], names: list[str]) -> list[str]:
    """The beginnings of the hashes that absent accounts of these names are compared with."""
    hasher, pool = Watched(), HashingPool(workers=1, queue_limit=1)
    passwords = PooledPasswords(pool, hasher, Blocklists())
    passwords.imitate(people)

    async def ask() -> None:
        for name in names:
            await passwords.check("secret", None, user_id=unknown_user_id(b"key", name), may_upgrade=True)

    try:
        asyncio.run(ask())
    finally:
        pool.close()
    return hasher.seen


def test_absent_accounts_have_the_schemes_that_people_have_as_often_as_people_have_them() -> None:
    """One imported hash in ten makes one name in ten dear, not all of them; and a name stays what it is."""
    names = [f"name-{number}" for number in range(1000)]
    people = [(Scheme("$argon2id$v=19$m=64,t=1,p=1$"), 900), (Scheme("$2b$04$"), 100)]
    first = compared_with(people, names)
    assert 70 <= first.count("$2b$04$") <= 130
    assert first == compared_with(people, names)


def test_where_nobody_has_a_hash_absent_accounts_have_the_usual_one() -> None:
    """A new gateway."""
    assert compared_with([], ["ada", "eve"]) == ["$argon2"] * 2
    assert compared_with([(Scheme("$2b$04$"), 3)], ["ada", "eve"]) == ["$2b$04$"] * 2


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


@pytest.mark.parametrize(("is_known", "is_let_in"), [(True, True), (False, False)])
def test_a_full_line_of_strangers_leaves_the_kept_places(is_known: bool, is_let_in: bool) -> None:
    """They are as many again, and bounded; who may not take them is refused as ever."""
    gate = threading.Event()
    pool = HashingPool(workers=1, queue_limit=1)

    async def story() -> list[object]:
        strangers = [asyncio.create_task(pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0.02)
        owners = [asyncio.create_task(pool.run(lambda: "done", may_take_kept=is_known)) for _ in range(3)]
        await asyncio.sleep(0.02)
        gate.set()
        found = await asyncio.gather(*owners, return_exceptions=True)
        await asyncio.gather(*strangers)
        return found

    try:
        found = asyncio.run(story())
    finally:
        gate.set()
        pool.close()
    assert [each == "done" for each in found] == [is_let_in, is_let_in, False]
    assert isinstance(found[2], Refused)
    assert found[2].retry_after_seconds == 1


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


IMPORTED = {
    "pbkdf2$1000": pbkdf2_sha1.using(rounds=1000).hash("secret"),
    "pbkdf2-sha256$1000": pbkdf2_sha256.using(rounds=1000).hash("secret"),
    "pbkdf2-sha512$1000": pbkdf2_sha512.using(rounds=1000).hash("secret"),
    "scrypt$ln=4,r=8,p=1": scrypt.using(rounds=4).hash("secret"),
}


@pytest.mark.parametrize("name", IMPORTED)
def test_an_imported_scheme_is_verified_upgraded_and_imitated(name: str) -> None:
    """Right is right, wrong is wrong, the better hash is ours, and the stand-in is as long and found by its name."""
    stored = IMPORTED[name]
    check = HASHER.check("secret", stored)
    assert check.matches
    assert check.upgraded_hash is not None
    assert check.upgraded_hash.startswith("$argon2id$")
    assert not HASHER.check("Secret", stored).matches
    assert HASHER.check("secret", stored, may_upgrade=False).upgraded_hash is None
    scheme = scheme_of(stored)
    assert scheme is not None
    assert (scheme.name, hash_scheme(stored), HASHER.problem(stored)) == (name, name, None)
    assert scheme_named(name) == scheme
    assert len(scheme.stand_in()) == len(stored)
    assert not HASHER.check("secret", scheme.stand_in()).matches


@pytest.mark.parametrize("name", IMPORTED)
@pytest.mark.parametrize("guess", ["secret\0", "secret\0\0\0", "\0secret"])
def test_nul_is_wrong_for_what_pads_with_it(name: str, guess: str) -> None:
    """HMAC fills a short key up with NUL, so a password would have endless others."""
    assert not HASHER.check(guess, IMPORTED[name]).matches


SALT, SHA256 = "A" * 22, "A" * 43


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        (f"$pbkdf2-sha256$0${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha256$01${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha256$3000000${SALT}${SHA256}", None),
        (f"$pbkdf2-sha256$3000001${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2$3000001${SALT}${'A' * 27}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha512$1500001${SALT}${'A' * 86}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha256$1000000000${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha256${'9' * 5000}${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$pbkdf2-sha256$1000${SALT}${'A' * 42}", "unknown_hash_scheme"),
        (f"$pbkdf2-sha256$1000${SALT}${'A' * 86}", "unknown_hash_scheme"),
        (f"$pbkdf2-sha256$1000${SALT}${'A' * 42}B", "unknown_hash_scheme"),
        (f"$pbkdf2-sha256$1000${'A' * 13}${SHA256}", "unknown_hash_scheme"),
        (f"$pbkdf2-sha256$1000$${SHA256}", "unknown_hash_scheme"),
        (f"$scrypt$ln=18,r=8,p=1${SALT}${SHA256}", None),
        (f"$scrypt$ln=19,r=8,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=18,r=8,p=2${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=30,r=8,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=999999999,r=8,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=15,r=1,p=1${SALT}${SHA256}", None),
        (f"$scrypt$ln=16,r=1,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=0,r=8,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=4,r=33,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$scrypt$ln=4,r=8,p=17${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$argon2id$v=19$m=64,t=01,p=1${SALT}${SHA256}", "hash_cost_out_of_bounds"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 13}${SHA256}", "unknown_hash_scheme"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'/' * 22}${SHA256}", "unknown_hash_scheme"),
        ("$2b$15$" + "a" * 53, "hash_cost_out_of_bounds"),
    ],
)
def test_an_imported_hash_has_a_price_and_a_shape(stored: str, problem: str | None) -> None:
    """Whatever would make a login hang or raise has a reason instead; both sides of each bound."""
    assert HASHER.problem(stored) == problem
    assert (scheme_of(stored) is None) is (problem is not None)


BASE64 = st.text("ABCDwxyz0189+/.", min_size=0, max_size=90)
SMALL = st.integers(0, 20).map(str)
TEXTS = st.one_of(
    st.builds("$pbkdf2-sha256${}${}${}".format, SMALL, BASE64, st.one_of(BASE64, st.just(SHA256))),
    st.builds("$scrypt$ln={},r={},p={}${}${}".format, SMALL, SMALL, SMALL, BASE64, st.just(SHA256)),
    st.builds("$argon2id$v=19$m=8{},t={},p={}${}${}".format, SMALL, SMALL, SMALL, BASE64, BASE64),
)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_hash_that_has_a_scheme_can_always_be_checked(stored: str) -> None:
    """A stored text never makes a login fail in a way of its own."""
    if scheme_of(stored) is not None:
        assert HASHER.check("secret", stored).matches is False


@pytest.mark.parametrize(("memory_kib", "passes"), [(128, 1), (64, 2), (32, 1)])
def test_other_costs_make_a_new_hash_at_the_next_check(memory_kib: int, passes: int) -> None:
    """Whoever raises memory or passes has every active account on them by and by; the new hash needs no other."""
    today = PasswordHasher(memory_kib=memory_kib, passes=passes)
    upgraded = today.check("secret", HASHER.hash("secret")).upgraded_hash
    assert upgraded is not None
    assert upgraded.startswith(f"$argon2id$v=19$m={memory_kib},t={passes},p=1$")
    assert today.check("secret", upgraded) == PasswordCheck(matches=True)
    assert today.check("wrong", HASHER.hash("secret")).upgraded_hash is None


@pytest.mark.parametrize(("password", "may_upgrade", "expected"), [
    ("secret", True, True), ("secret", False, False), ("wrong", True, False)
])  # fmt: skip
def test_only_a_right_password_is_looked_up(password: str, may_upgrade: bool, expected: bool) -> None:
    """A look for a wrong one, or where the answer may not differ from a refusal, would show in the time."""
    looked: list[str] = []

    class Everything:
        def holds(self, password: str) -> bool:
            looked.append(threading.current_thread().name)
            return True

    pool = HashingPool(workers=1, queue_limit=1)
    try:
        passwords = PooledPasswords(pool, HASHER, Everything())
        check = asyncio.run(passwords.check(password, HASHER.hash("secret"), may_upgrade=may_upgrade))
    finally:
        pool.close()
    assert (check.is_listed, len(looked)) == (expected, int(expected))
    assert all(name.startswith("hashing") for name in looked)
