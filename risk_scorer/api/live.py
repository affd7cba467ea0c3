"""The dashboard's live feed: server-sent events to a bounded number of viewers with bounded queues.

A viewer that does not keep up is dropped (its browser reconnects and reloads nothing that matters); scoring never
waits for one. Source: WHATWG HTML, "Server-sent events" (lines starting with a colon are comments and keep proxies
from closing the connection).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from plumbing.refusals import Refused
from risk_scorer.api.rows import OPEN, row_of
from risk_scorer.core.console.veil import Veil
from risk_scorer.flows.ports import ScoredEvent

MAX_VIEWERS = 32
QUEUE_LENGTH = 256
HEARTBEAT_SECONDS = 15.0
RECONNECT = b"retry: 3000\n\n"
HEARTBEAT = b": still here\n\n"
ENDED = b"event: ended\ndata: {}\n\n"


class Viewer:
    """One open feed: what it has not been sent yet, and whether it goes on."""

    def __init__(self, queue_length: int, veil: Veil) -> None:
        self.veil = veil
        self.waiting: deque[bytes] = deque()
        self.is_open = True
        self._room = queue_length
        self._news = asyncio.Event()

    def offer(self, message: bytes) -> bool:
        """False, and closed for good, when the viewer is too far behind."""
        if len(self.waiting) >= self._room:
            self.close()
            return False
        self.waiting.append(message)
        self._news.set()
        return True

    def close(self) -> None:
        """End the feed; what waits is not sent any more."""
        self.is_open = False
        self.waiting.clear()
        self._news.set()

    async def news(self, patience_seconds: float) -> bytes:
        """Everything that waits, or a heartbeat when nothing came."""
        try:
            async with asyncio.timeout(patience_seconds):
                await self._news.wait()
        except TimeoutError:
            return HEARTBEAT
        self._news.clear()
        message = b"".join(self.waiting)
        self.waiting.clear()
        return message


class LiveFeed:
    """All open feeds. Lives on the event loop: publish from it only."""

    def __init__(
        self,
        *,
        max_viewers: int = MAX_VIEWERS,
        queue_length: int = QUEUE_LENGTH,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._viewers: set[Viewer] = set()
        self._is_closed = False
        self._max_viewers = max_viewers
        self._queue_length = queue_length
        self._heartbeat_seconds = heartbeat_seconds

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def publish(self, scored: Sequence[ScoredEvent]) -> None:
        """Offer newly scored events to every viewer; costs nothing while nobody looks."""
        if not self._viewers:
            return
        for event in scored[-self._queue_length :]:
            told = {veil: _message(event, veil) for veil in {viewer.veil for viewer in self._viewers}}
            self._viewers = {viewer for viewer in self._viewers if viewer.offer(told[viewer.veil])}

    def close(self) -> None:
        """End every feed and open no more, so that the service can stop."""
        self._is_closed = True
        for viewer in self._viewers:
            viewer.close()
        self._viewers.clear()

    def stream(self, is_signed_in: Callable[[], bool], veil: Veil = OPEN) -> AsyncGenerator[bytes, None]:
        """The bytes to send to a new viewer, until it goes, falls behind or its operator is signed out.

        Raises: Refused when the house is full.
        """
        if self._is_full:
            raise Refused("too_many_viewers", "Too many open dashboards.", status=503, retry_after_seconds=30)
        return self._stream(is_signed_in, veil)

    @property
    def _is_full(self) -> bool:
        return self._is_closed or len(self._viewers) >= self._max_viewers

    async def _stream(self, is_signed_in: Callable[[], bool], veil: Veil) -> AsyncGenerator[bytes, None]:
        # The seat is taken here, where leaving it is certain: an answer that is never begun takes none.
        if self._is_full:
            return
        viewer = Viewer(self._queue_length, veil)
        self._viewers.add(viewer)
        try:
            yield RECONNECT
            while viewer.is_open:
                message = await viewer.news(self._heartbeat_seconds)
                if not is_signed_in():
                    yield ENDED
                    return
                if message:
                    yield message
        finally:
            self._viewers.discard(viewer)


def _message(event: ScoredEvent, veil: Veil) -> bytes:
    return b"event: scored\ndata: %b\n\n" % msgspec.json.encode(row_of(event, veil))
