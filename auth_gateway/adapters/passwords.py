"""Checks and makes password hashes through libpass; holds no users and decides no login."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from passlib.context import CryptContext

from auth_gateway.adapters.hashing_pool import HashingPool
from auth_gateway.adapters.password_schemes import Problem, Scheme, judged, scheme_of
from auth_gateway.adapters.sealed_passwords import SealedPasswords, missing
from auth_gateway.flows.ports import Blocklist, PasswordCheck
from plumbing.timing import Timed, untimed

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
ARGON2_MEMORY_KIB = 19_456
ARGON2_PASSES = 2
ARGON2_LANES = 1
# bcrypt reads 72 bytes and stops at NUL (crypt(5)); what came after was never part of the stored hash.
BCRYPT_BYTES = 72
# Verified for who comes from elsewhere, and replaced when they log in.
IMPORTED_SCHEMES = ("bcrypt", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha512", "scrypt")

NOBODY = ""
"""Whose the hash is that stands for a name that nobody has."""
MOST_IMITATED = 16
"""An import may bring thousands of PBKDF2 counts; what few people have is imitated by what many have."""
_ENDS_WITH_DIGEST = re.compile(r"[0-9a-f]{3}\Z")


class PasswordHasher:
    """Argon2id for what we store; bcrypt, argon2, PBKDF2, scrypt for what was imported. Blocks the calling thread."""

    def __init__(self, *, memory_kib: int = ARGON2_MEMORY_KIB, passes: int = ARGON2_PASSES) -> None:
        self._context = _context(memory_kib=memory_kib, passes=passes)
        self.default_scheme = Scheme(f"$argon2id$v=19$m={memory_kib},t={passes},p={ARGON2_LANES}$")

    def hash(self, password: str) -> str:
        """A new argon2id hash."""
        hashed: str = self._context.hash(password.encode())
        return hashed

    def problem(self, stored_hash: str) -> Problem | None:
        """Why an imported hash is not taken, None when it is."""
        found = judged(stored_hash)
        return None if isinstance(found, Scheme) else found

    def check(self, password: str, stored_hash: str, *, may_upgrade: bool = True) -> PasswordCheck:
        """Compares; a stored text that is no known hash matches nothing, and takes as long as one that is."""
        secret = password.encode()
        scheme = scheme_of(stored_hash)
        if scheme is None:
            self._matches(secret, self.default_scheme.stand_in())
            return PasswordCheck(matches=False)
        if scheme.is_bcrypt:
            return self._check_bcrypt(secret, stored_hash, may_upgrade=may_upgrade)
        is_another = scheme.pads_with_nul and b"\0" in secret
        if not self._matches(secret, stored_hash) or is_another:
            return PasswordCheck(matches=False)
        is_old = may_upgrade and self._context.needs_update(stored_hash)
        return PasswordCheck(matches=True, upgraded_hash=self._context.hash(secret) if is_old else None)

    def _check_bcrypt(self, secret: bytes, stored_hash: str, *, may_upgrade: bool) -> PasswordCheck:
        """Compares the first 72 bytes, as the library that made the imported hash did: its owner stays able to log in.

        A longer password is not upgraded: bytes past the 72nd were never checked, and a slip there would become the
        new password. NUL ended the password for old C libraries, so `secret\\0anything` would match `secret`: it is
        wrong here.
        """
        has_nul = b"\0" in secret
        matches = self._matches(secret.replace(b"\0", b"")[:BCRYPT_BYTES], stored_hash)
        if not matches or has_nul:
            return PasswordCheck(matches=False)
        is_whole = len(secret) <= BCRYPT_BYTES
        return PasswordCheck(
            matches=True, upgraded_hash=self._context.hash(secret) if may_upgrade and is_whole else None
        )

    def _matches(self, secret: bytes, stored_hash: str) -> bool:
        return bool(self._context.verify(secret, stored_hash))


class PooledPasswords:
    """The login's password checks: never on the event loop, and equally busy whether or not there is an account."""

    def __init__(
        self,
        pool: HashingPool,
        hasher: PasswordHasher,
        blocklist: Blocklist,
        *,
        sealed: SealedPasswords | None = None,
        timed: Timed = untimed,
    ) -> None:
        """`sealed` opens what is kept; `timed` measures each check, its wait for a thread included."""
        self._pool = pool
        self._timed = timed
        self._hasher = hasher
        self._blocklist = blocklist
        self._sealed = sealed or SealedPasswords()
        self.imitate([])

    def imitate(self, people: Sequence[tuple[Scheme, int]]) -> None:
        """Give absent accounts hashes of these schemes, as often as that many people have them, the same name the same
        one: they stand in line and compute as stored ones do. The usual scheme where nobody has any.

        Not all of them the slowest: a flood of names would then cost what the last imported hash costs.
        """
        given = [(scheme, count) for scheme, count in people[:MOST_IMITATED] if count > 0]
        given = given or [(self._hasher.default_scheme, 1)]
        total, so_far, stand_ins = sum(count for _, count in given), 0, []
        for scheme, count in given:
            so_far += count
            stand_ins.append((so_far / total, self._sealed.seal(NOBODY, scheme.stand_in())))
        self._stand_ins = tuple(stand_ins)

    def _stand_in(self, user_id: str) -> str:
        """The one that belongs to this name: by the last bits of what stands for it, which nobody can choose."""
        at = int(user_id[-3:], 16) / 4096.0 if _ENDS_WITH_DIGEST.search(user_id) else 0.0
        return next(kept for upper, kept in self._stand_ins if at < upper)

    async def check(
        self,
        password: str | None,
        stored_hash: str | None,
        *,
        user_id: str = "",
        may_upgrade: bool,
        is_known_device: bool = False,
    ) -> PasswordCheck:
        """Compares on a hashing thread; without an account or a usable password the same work is done for nothing.
        Then `user_id` is what stands for the name (`core.names.unknown_user_id`).

        Raises: Refused `busy` (503) when the line is full, `sealing_key_missing` (503) when what is kept does not open
        (told of names that nobody has as well, while it is so of all): fails closed, nobody is let in unhashed.
        """
        kept, owner = (self._stand_in(user_id), NOBODY) if stored_hash is None else (stored_hash, user_id)
        with self._timed():
            check = await self._pool.run(
                lambda: self._checked(password or "", kept, owner, may_upgrade=may_upgrade),
                may_take_kept=is_known_device,
            )
        is_real = password is not None and stored_hash is not None
        return check if is_real else PasswordCheck(matches=False)

    async def hash(self, password: str) -> str:
        """A new hash, made on a hashing thread.

        Raises: Refused `busy` (503) when the line is full.
        """
        return await self._pool.run(lambda: self._hasher.hash(password))

    def _checked(self, password: str, kept: str, owner: str, *, may_upgrade: bool) -> PasswordCheck:
        """On the hashing thread, because a list may have to be read from the disk, and a key. A wrong password is not
        looked up: whether it is on a list would show in the time, and a frozen account's right one is answered like a
        wrong one.
        """
        if owner == NOBODY and self._sealed.is_lost:
            raise missing()
        compared = self._sealed.open(owner, kept)
        check = self._hasher.check(password, compared, may_upgrade=may_upgrade)
        if not (check.matches and may_upgrade):
            return check
        anew = check.upgraded_hash
        if anew is None and self._sealed.is_due(kept):
            anew = kept
        return msgspec.structs.replace(check, upgraded_hash=anew, is_listed=self._blocklist.holds(password))


def wrong_guess_seconds(hasher: PasswordHasher, scheme: Scheme, monotonic: Callable[[], float]) -> float:
    """How long one wrong guess takes against `scheme`, on the calling thread: the slower of two tries."""
    stand_in = scheme.stand_in()
    longest = 0.0
    for _ in range(2):
        start = monotonic()
        hasher.check("a password of usual length", stand_in)
        longest = max(longest, monotonic() - start)
    return longest


def _context(*, memory_kib: int, passes: int) -> Any:
    """libpass publishes no types; what we take from it is annotated where it returns."""
    return CryptContext(
        schemes=["argon2", *IMPORTED_SCHEMES],
        deprecated=list(IMPORTED_SCHEMES),
        argon2__type="ID",
        argon2__memory_cost=memory_kib,
        argon2__time_cost=passes,
        argon2__parallelism=ARGON2_LANES,
    )
