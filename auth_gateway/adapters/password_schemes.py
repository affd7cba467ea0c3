"""What a stored password hash says of itself: its scheme and cost, and a stand-in that costs the same. No checking."""

import re
from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

# Why a stored text is not verified; stable, for reports of an import.
Problem = Literal["unknown_hash_scheme", "hash_cost_out_of_bounds"]

# $2a$, $2b$ and $2y$ name one algorithm here: the first two bytes of salt padding aside they differ in long-fixed
# bugs (crypt(5)).
_BCRYPT = re.compile(r"(\$2[aby]\$([0-9]{2})\$)[./A-Za-z0-9]{53}")
# PHC string format of the Argon2 reference implementation, version 1.3 (RFC 9106).
_ARGON2 = re.compile(
    r"(\$argon2(?:id|i|d)\$v=19\$m=([0-9]+),t=([0-9]+),p=([0-9]+)\$)([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)
# Modular crypt format of passlib, with "." for "+"; the derived key is as long as the digest (RFC 8018 section 5.2).
_PBKDF2 = re.compile(r"(\$pbkdf2(-sha256|-sha512|)\$([0-9]+)\$)([A-Za-z0-9./]{2,171})\$([A-Za-z0-9./]{27,86})")
# PHC string format of passlib, with a derived key of 32 bytes (RFC 7914).
_SCRYPT = re.compile(r"(\$scrypt\$ln=([0-9]+),r=([0-9]+),p=([0-9]+)\$)([A-Za-z0-9+/]{2,171})\$([A-Za-z0-9+/]{43})")

# An imported hash sets the price that anybody can make us pay for one guess, so the price has a limit: about a second
# of one core, and a quarter of a gigabyte.
_BCRYPT_COSTS = range(4, 15)
_MEMORY_LIMIT_KIB = 262_144
_ARGON2_TIME_LIMIT = 10
_ARGON2_LANES_LIMIT = 8
_PBKDF2_ROUNDS_LIMITS = {"": 3_000_000, "-sha256": 3_000_000, "-sha512": 1_500_000}
_SCRYPT_WORK_LIMIT = 2**21
"""Of N·r·p, the blocks that are mixed; N·r of them are held, 128 bytes each."""
_SCRYPT_BLOCK_LIMIT = 32
_SCRYPT_LANES_LIMIT = 16
_LONGEST_NUMBER = 9
# Bytes of the digest that a PBKDF2 hash holds, by its mark.
PBKDF2_DIGEST_BYTES = {"": 20, "-sha256": 32, "-sha512": 64}
_SALT_BYTES = 16
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of hashing with all its costs, as the text that every hash of it starts with.

    Two hashes of one scheme take equally long to verify.
    """

    prefix: str

    @property
    def name(self) -> str:
        """How storage calls it: `2b$12`, `argon2id$v=19$m=19456,t=2,p=1`, `pbkdf2-sha256$27500`."""
        return self.prefix.strip("$")

    @property
    def is_bcrypt(self) -> bool:
        """Whether it is bcrypt, which reads 72 bytes of a password and ends it at NUL."""
        return self.prefix.startswith("$2")

    @property
    def pads_with_nul(self) -> bool:
        """Whether NULs at the end of a password make no difference: HMAC fills its key up with them (RFC 2104)."""
        return self.prefix.startswith(("$pbkdf2", "$scrypt$"))

    @property
    def _kind(self) -> str:
        """What must be the same for two costs to be compared: the algorithm, and the lanes that argon2 runs at once."""
        _, algorithm, *rest = self.prefix.split("$")
        if self.is_bcrypt:
            return "bcrypt"
        return algorithm + (rest[1].rpartition(",")[2] if algorithm.startswith("argon2") else "")

    @property
    def costs(self) -> tuple[int, ...]:
        """Its numbers; of two schemes of a kind the one with greater numbers is slower."""
        return tuple(map(int, re.findall(r"[0-9]+", self.name.partition("$")[2])))

    def covers(self, other: "Scheme") -> bool:
        """Whether it certainly takes at least as long as the other one."""
        return self._kind == other._kind and all(
            mine >= theirs for mine, theirs in zip(self.costs, other.costs, strict=True)
        )

    def stand_in(self) -> str:
        """A well-formed hash that nobody knows a password for, as slow as any real one of this scheme."""
        if self.is_bcrypt:
            # "u" has no stray padding bits at the end of 22 salt and 31 digest characters.
            return self.prefix + "a" * 21 + "u" + "a" * 30 + "u"
        mark = self.prefix.split("$")[1].removeprefix("pbkdf2")
        digest_bytes = PBKDF2_DIGEST_BYTES.get(mark, _DIGEST_BYTES)
        return f"{self.prefix}{_zeros(_SALT_BYTES)}${_zeros(digest_bytes)}"


def judged(stored: str) -> Scheme | Problem:
    """The scheme of a stored hash, or why we do not verify it."""
    for pattern, judge in _JUDGES:
        if match := pattern.fullmatch(stored):
            return judge(match)
    return "unknown_hash_scheme"


def scheme_of(stored: str) -> Scheme | None:
    """The scheme of a stored hash, or None when it is no hash we verify or costs more than we pay."""
    found = judged(stored)
    return found if isinstance(found, Scheme) else None


def scheme_named(name: str) -> Scheme | None:
    """The scheme of that stored name, or None when we would not verify its hashes."""
    return scheme_of(Scheme(f"${name}$").stand_in())


def _bcrypt(match: re.Match[str]) -> Scheme | Problem:
    return Scheme(match[1]) if int(match[2]) in _BCRYPT_COSTS else "hash_cost_out_of_bounds"


def _argon2(match: re.Match[str]) -> Scheme | Problem:
    if not (_is_canonical(match[5]) and _is_canonical(match[6])):
        return "unknown_hash_scheme"
    memory_kib, passes, lanes = _numbers(match[2], match[3], match[4])
    is_affordable = (
        1 <= lanes <= _ARGON2_LANES_LIMIT
        and 1 <= passes <= _ARGON2_TIME_LIMIT
        and 8 * lanes <= memory_kib <= _MEMORY_LIMIT_KIB
    )
    return Scheme(match[1]) if is_affordable else "hash_cost_out_of_bounds"


def _pbkdf2(match: re.Match[str]) -> Scheme | Problem:
    salt, digest = (text.replace(".", "+") for text in (match[4], match[5]))
    if not (_is_canonical(salt) and _is_canonical(digest, PBKDF2_DIGEST_BYTES[match[2]])):
        return "unknown_hash_scheme"
    (rounds,) = _numbers(match[3])
    is_affordable = 1 <= rounds <= _PBKDF2_ROUNDS_LIMITS[match[2]]
    return Scheme(match[1]) if is_affordable else "hash_cost_out_of_bounds"


def _scrypt(match: re.Match[str]) -> Scheme | Problem:
    if not (_is_canonical(match[5]) and _is_canonical(match[6], _DIGEST_BYTES)):
        return "unknown_hash_scheme"
    log_cost, block_size, lanes = _numbers(match[2], match[3], match[4])
    is_affordable = (
        1 <= block_size <= _SCRYPT_BLOCK_LIMIT
        and 1 <= lanes <= _SCRYPT_LANES_LIMIT
        # RFC 7914 section 2: N is less than 2^(128·r/8). The other bound keeps the power small.
        and 1 <= log_cost < min(16 * block_size, 32)
        and 2**log_cost * block_size * lanes <= _SCRYPT_WORK_LIMIT
    )
    return Scheme(match[1]) if is_affordable else "hash_cost_out_of_bounds"


_JUDGES: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], Scheme | Problem]]] = (
    (_BCRYPT, _bcrypt),
    (_ARGON2, _argon2),
    (_PBKDF2, _pbkdf2),
    (_SCRYPT, _scrypt),
)


def _numbers(*texts: str) -> list[int]:
    """Decimal numbers; one with a leading zero or of absurd length counts as 0, which nothing may cost."""
    return [0 if text.startswith("0") or len(text) > _LONGEST_NUMBER else int(text) for text in texts]


def _is_canonical(text: str, n_bytes: int | None = None) -> bool:
    """Whether it is base64 without padding and without stray bits: anything else makes the check raise at login."""
    try:
        decoded = a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except NotBase64:
        return False
    is_as_long = n_bytes is None or len(decoded) == n_bytes
    return is_as_long and b64encode(decoded).rstrip(b"=").decode() == text


def _zeros(n_bytes: int) -> str:
    """So many zero bytes in base64 without padding, in which `+` and `.` do not occur."""
    return b64encode(bytes(n_bytes)).rstrip(b"=").decode()
