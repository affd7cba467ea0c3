"""A bounded number of places for work that would otherwise pile up on the event loop.

Fails closed: who finds none is refused at once and waits nowhere: a flood costs little, and others keep their turn.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from plumbing.refusals import Refused

RETRY_AFTER_SECONDS = 1


class Places:
    """At most `most` at once; for one event loop, not for threads."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Holds a place.

        Raises: Refused `busy` (503, Retry-After) when there is none.
        """
        if self._free <= 0:
            raise Refused(
                "busy",
                "Too many tokens are being refreshed at this moment. Try again shortly.",
                status=503,
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
