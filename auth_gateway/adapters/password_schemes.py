"""What a stored password hash says of itself: its scheme and cost, and a stand-in that costs the same. No checking."""

import re
from dataclasses import dataclass

# $2a$, $2b$ and $2y$ name one algorithm here: the first two bytes of salt padding aside they differ in long-fixed
# bugs (crypt(5)).
_BCRYPT = re.compile(r"(\$2[aby]\$([0-9]{2})\$)[./A-Za-z0-9]{53}")
# PHC string format of the Argon2 reference implementation, version 1.3 (RFC 9106).
_ARGON2 = re.compile(
    r"(\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$)[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,86}"
)
# An imported hash sets the price that anybody can make us pay for one guess, so the price has a limit.
_BCRYPT_COSTS = range(4, 15)
_ARGON2_MEMORY_LIMIT_KIB = 262_144
_ARGON2_TIME_LIMIT = 10
_ARGON2_LANES_LIMIT = 8
# 16 bytes of salt and 32 of digest in base64 without padding, as argon2 libraries make them; "A" is zero bits only.
_SALT_CHARACTERS = 22
_DIGEST_CHARACTERS = 43


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of hashing with all its costs, as the text that every hash of it starts with.

    Two hashes of one scheme take equally long to verify.
    """

    prefix: str

    @property
    def name(self) -> str:
        """How storage calls it: `2b$12`, `argon2id$v=19$m=19456,t=2,p=1`."""
        return self.prefix.strip("$")

    @property
    def is_bcrypt(self) -> bool:
        """Whether it is bcrypt; everything else we verify is argon2."""
        return self.prefix.startswith("$2")

    def stand_in(self) -> str:
        """A well-formed hash that nobody knows a password for, as slow as any real one of this scheme."""
        if self.is_bcrypt:
            # "u" has no stray padding bits at the end of 22 salt and 31 digest characters.
            return self.prefix + "a" * 21 + "u" + "a" * 30 + "u"
        return f"{self.prefix}{'A' * _SALT_CHARACTERS}${'A' * _DIGEST_CHARACTERS}"


def scheme_of(stored: str) -> Scheme | None:
    """The scheme of a stored hash, or None when it is no hash we verify or costs more than we pay."""
    if bcrypt := _BCRYPT.fullmatch(stored):
        return Scheme(bcrypt[1]) if int(bcrypt[2]) in _BCRYPT_COSTS else None
    argon2 = _ARGON2.fullmatch(stored)
    if argon2 is None or not _is_affordable(memory_kib=int(argon2[2]), time=int(argon2[3]), lanes=int(argon2[4])):
        return None
    return Scheme(argon2[1])


def scheme_named(name: str) -> Scheme | None:
    """The scheme of that stored name, or None when we would not verify its hashes."""
    return scheme_of(Scheme(f"${name}$").stand_in())


def _is_affordable(*, memory_kib: int, time: int, lanes: int) -> bool:
    if not 1 <= lanes <= _ARGON2_LANES_LIMIT or not 1 <= time <= _ARGON2_TIME_LIMIT:
        return False
    return 8 * lanes <= memory_kib <= _ARGON2_MEMORY_LIMIT_KIB
