"""What a stored password hash says of itself: its scheme, its cost, and a stand-in that costs the same; verifies
nothing.
"""

import re
from dataclasses import dataclass

# $2a$, $2b$ and $2y$ name one algorithm here: the first two bytes of salt padding aside they differ in long-fixed
# bugs (crypt(5)).
_BCRYPT = re.compile(r"(\$2[aby]\$([0-9]{2})\$)[./A-Za-z0-9]{53}")
# PHC string format of the Argon2 reference implementation, version 1.3 (RFC 9106).
_ARGON2 = re.compile(
    r"(\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$)([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)
# An imported hash sets the price that anybody can make us pay for one guess, so the price has a limit.
_BCRYPT_COSTS = range(4, 15)
_ARGON2_MEMORY_LIMIT_KIB = 262_144
_ARGON2_TIME_LIMIT = 10
_ARGON2_LANES_LIMIT = 8


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of hashing with all its costs; two hashes of one scheme take equally long to verify."""

    prefix: str
    kind: str
    salt_length: int
    digest_length: int

    def stand_in(self) -> str:
        """A well-formed hash that nobody knows a password for, as slow as any real one of this scheme."""
        if self.kind == "bcrypt":
            return self.prefix + "a" * 21 + "u" + "a" * 30 + "u"
        # Four zero bits of padding are all that base64 asks of the last character; "A" is zero bits only.
        return f"{self.prefix}{'A' * self.salt_length}${'A' * self.digest_length}"


def scheme_of(stored: str) -> Scheme | None:
    """The scheme of a stored hash, or None when it is no hash we verify or costs more than we pay."""
    if bcrypt := _BCRYPT.fullmatch(stored):
        return Scheme(bcrypt[1], "bcrypt", 22, 31) if int(bcrypt[2]) in _BCRYPT_COSTS else None
    argon2 = _ARGON2.fullmatch(stored)
    if argon2 is None or not _is_affordable(memory_kib=int(argon2[2]), time=int(argon2[3]), lanes=int(argon2[4])):
        return None
    return Scheme(argon2[1], "argon2", len(argon2[5]), len(argon2[6]))


def _is_affordable(*, memory_kib: int, time: int, lanes: int) -> bool:
    if not 1 <= lanes <= _ARGON2_LANES_LIMIT or not 1 <= time <= _ARGON2_TIME_LIMIT:
        return False
    return 8 * lanes <= memory_kib <= _ARGON2_MEMORY_LIMIT_KIB
