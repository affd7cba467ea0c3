"""What a new password must be: long enough, and none that others guess first. No rule about its characters.

Source: NIST SP 800-63B-4, section 3.1.1.2: 15 characters where the password is all that is asked for, 8 where it is one
of several factors, at least 64 allowed, no composition rules, compared with a blocklist of common, breached and
context-specific passwords.
"""

from collections.abc import Collection, Iterator
from typing import Literal

SHORTEST_BESIDE_A_FACTOR = 8
SHORTEST_ALONE = 15
LONGEST = 256
# A name inside a long password is no harm; one that is nearly all of it is what people try first.
MOST_BESIDE_A_NAME = 4
SHORTEST_NAME = 3

Problem = Literal["too_short", "too_long", "common", "personal"]


def problem_of(
    password: str, *, has_factor: bool, is_listed: bool, names: Collection[str] = (), shortest: int | None = None
) -> Problem | None:
    """Why a prepared password (`core.names.prepare_password`) cannot become somebody's; None when it can.

    `names` are the person's own: user name, display name, mail address, and the service's. `is_listed` is the
    blocklist's word. Characters are Unicode code points.
    """
    least = shortest if shortest is not None else shortest_for(has_factor=has_factor)
    if len(password) < least:
        return "too_short"
    if len(password) > LONGEST:
        return "too_long"
    if is_listed:
        return "common"
    return "personal" if _is_personal(password, names) else None


def shortest_for(*, has_factor: bool) -> int:
    """The least number of characters."""
    return SHORTEST_BESIDE_A_FACTOR if has_factor else SHORTEST_ALONE


def _is_personal(password: str, names: Collection[str]) -> bool:
    """Whether it is a name and little else, or one name over and over."""
    folded = password.casefold()
    for name in _parts(names):
        rest = folded.replace(name, "")
        if len(rest) < len(folded) and len(rest) <= MOST_BESIDE_A_NAME:
            return True
    return False


def _parts(names: Collection[str]) -> Iterator[str]:
    """Each name, and the words that it is made of."""
    for name in names:
        folded = name.casefold().strip()
        words = folded.replace("@", " ").replace(".", " ").replace("_", " ").replace("-", " ").split()
        for part in {folded, *words}:
            if len(part) >= SHORTEST_NAME:
                yield part
