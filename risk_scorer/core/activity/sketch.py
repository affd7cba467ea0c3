"""Has this been seen, and how many times, in bytes that do not grow: what detectors remember of names by the thousand.

Source: Bloom 1970, "Space/Time Trade-offs in Hash Coding with Allowable Errors"; Cormode and Muthukrishnan 2005, "An
Improved Data Stream Summary: The Count-Min Sketch", with the conservative update of Estan and Varghese 2002.
"""

from functools import lru_cache
from hashlib import blake2b

_REMEMBERED = 65_536
_SECOND = 32
"""Bits of a digest that its first place is taken from; the second comes from the others."""
MOST_COUNT = 255


@lru_cache(maxsize=_REMEMBERED)
def digest_of(text: str) -> int:
    """63 bits that stand for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest()) >> 1


def is_marked(bits: bytearray, digest: int) -> bool:
    """Whether `mark` was called with it; seldom true of another. `bits` has a power of two of bytes."""
    last = len(bits) * 8 - 1
    first, second = digest & last, digest >> _SECOND & last
    return bool(bits[first >> 3] >> (first & 7) & bits[second >> 3] >> (second & 7) & 1)


def mark(bits: bytearray, digest: int) -> None:
    """`is_marked` from now on."""
    last = len(bits) * 8 - 1
    first, second = digest & last, digest >> _SECOND & last
    bits[first >> 3] |= 1 << (first & 7)
    bits[second >> 3] |= 1 << (second & 7)


def count_of(counts: bytearray, digest: int) -> int:
    """How much was added for it, up to `MOST_COUNT`; never less, and more where others fell on both its places."""
    last = len(counts) - 1
    return min(counts[digest & last], counts[digest >> _SECOND & last])


def add(counts: bytearray, digest: int, amount: int) -> None:
    """`count_of` grows by `amount`, and nobody else's by more than it must."""
    last = len(counts) - 1
    first, second = digest & last, digest >> _SECOND & last
    total = min(MOST_COUNT, min(counts[first], counts[second]) + amount)
    counts[first] = max(counts[first], total)
    counts[second] = max(counts[second], total)


def halve(counts: bytearray) -> None:
    """Every count is half of what it was."""
    counts[:] = counts.translate(_HALVES)


_HALVES = bytes(count >> 1 for count in range(256))
