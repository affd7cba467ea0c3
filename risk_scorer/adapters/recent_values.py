"""A bounded memory of what was looked up last. It forgets; it never grows with what strangers send."""

from typing import Generic, TypeVar

Value = TypeVar("Value")


class RecentValues(Generic[Value]):
    """At least the `limit` values used last are kept, at most twice as many.

    Two generations: when the young one is full it becomes the old one, and the old one is dropped as a whole. Each step
    is one dictionary operation, so threads need no lock; at worst two of them look the same thing up.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[str, Value] = {}
        self._old: dict[str, Value] = {}

    def get(self, key: str) -> Value | None:
        """The remembered value, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def keep(self, key: str, value: Value) -> Value:
        """Remember the value; returns it."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young[key] = value
        return value
