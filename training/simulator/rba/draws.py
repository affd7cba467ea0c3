"""Seeded chance for whole columns: the same draws on every machine, whatever the order they are asked in."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Whole = NDArray[np.int64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_FRACTION_BITS = np.uint64(11)
_FRACTION = 2.0**-53


def mixed(words: Words) -> Words:
    """Each word as another that shows nothing of it; one to one.

    Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
    """
    result = words ^ (words >> _SHIFTS[0])
    result *= _FIRST
    result ^= result >> _SHIFTS[1]
    result *= _SECOND
    result ^= result >> _SHIFTS[2]
    return result


@dataclass(frozen=True)
class Draws:
    """What chance says under a seed: a function of a name and of whole numbers, the same whenever it is asked."""

    seed: int

    def words(self, name: str, *parts: Whole | int) -> Words:
        """64 random bits for each entry of the parts, which are whole numbers of one length (or one for all)."""
        state = np.array([self._key(name)], np.uint64)
        for part in parts:
            state = mixed((np.asarray(part).astype(np.uint64) + state) * _STEP)
        return state

    def fractions(self, name: str, *parts: Whole | int) -> NDArray[np.float64]:
        """Numbers in [0, 1)."""
        return fraction_of(self.words(name, *parts))

    def below(self, limit: Whole | int, name: str, *parts: Whole | int) -> Whole:
        """Whole numbers in [0, limit); `limit` is below 2**53."""
        return (self.fractions(name, *parts) * limit).astype(np.int64)

    def happens(self, probability: float | NDArray[np.float64], name: str, *parts: Whole | int) -> NDArray[np.bool_]:
        """True as often as the probability says."""
        return self.fractions(name, *parts) < probability

    def weighted(self, weights: tuple[int, ...], name: str, *parts: Whole | int) -> Whole:
        """Places in `weights`, each as often as its weight says."""
        ends = np.cumsum(weights)
        return np.searchsorted(ends, self.below(int(ends[-1]), name, *parts), side="right").astype(np.int64)

    def _key(self, name: str) -> int:
        digest = hashlib.blake2b(f"riskgate/rba/{self.seed}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little")


def fraction_of(words: Words) -> NDArray[np.float64]:
    """The upper 53 bits of each word as a number in [0, 1)."""
    return (words >> _FRACTION_BITS).astype(np.float64) * _FRACTION
