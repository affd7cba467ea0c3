"""Seeded chance with the same draws on every Python: it uses `Random.random` alone, whose stream is promised."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A stream of draws named by its path: a new stream elsewhere never shifts the draws of this one."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream = random.Random(path)  # noqa: S311 an invented world, not a secret

    def of(self, *names: object) -> "Chance":
        """A stream of its own for a part of the world."""
        return Chance("/".join([self.path, *map(str, names)]))

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return self._stream.random()

    def happens(self, probability: float) -> bool:
        return self.fraction() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.fraction()

    def below(self, limit: int) -> int:
        """An integer in [0, limit)."""
        return int(self.fraction() * limit)

    def pick(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def weighted(self, values: Sequence[T], weights: Sequence[float]) -> T:
        """One value, each as likely as its weight says."""
        mark = self.fraction() * sum(weights)
        for value, weight in zip(values, weights, strict=True):
            mark -= weight
            if mark < 0:
                return value
        return values[-1]

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """`count` different places of `values`, or all when there are fewer."""
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in range(min(count, len(left)))]
