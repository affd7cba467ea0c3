"""Work on a thread of its own that a process may end without: a place that hangs keeps it neither from serving nor from
ending.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Errand:
    """One piece of work, begun at once; made on the event loop."""

    def __init__(self, work: Callable[[], object], *, name: str) -> None:
        """`name` is the thread's."""
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        self._work = work
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_under_way(self) -> bool:
        """Whether the work has not ended."""
        return self._thread.is_alive()

    async def wait(self, seconds: float) -> None:
        """Wait for its end. Raises: TimeoutError; then it goes on."""
        async with asyncio.timeout(seconds):
            await self._done.wait()

    def _run(self) -> None:
        try:
            self._work()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
                self._loop.call_soon_threadsafe(self._done.set)
