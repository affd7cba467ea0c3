"""Which refused refreshes were written down lately, in the memory of this process."""

from collections import OrderedDict

# About a quarter of a kilobyte each.
MOST_KEYS = 50_000
PAUSE_SECONDS = 60.0


class MemoryLines:
    """One line a key in `PAUSE_SECONDS`. Forgets the oldest first; a key that is forgotten is only written again.

    Asked on the event loop and told by the thread that writes: each step is one operation of a dictionary.
    """

    def __init__(self, *, most_keys: int = MOST_KEYS) -> None:
        self._most_keys = most_keys
        self._written_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def is_due(self, key: tuple[str, str], now: float) -> bool:
        """Whether a line may be written; a clock set back does not silence it for longer."""
        written_at = self._written_at.get(key)
        return written_at is None or not 0 <= now - written_at < PAUSE_SECONDS

    def written(self, key: tuple[str, str], now: float) -> None:
        """Says that it was."""
        self._written_at.pop(key, None)
        self._written_at[key] = now
        if len(self._written_at) > self._most_keys:
            self._written_at.popitem(last=False)
