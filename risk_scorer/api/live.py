"""What is live: server-sent events to a bounded number of viewers with bounded queues.

A viewer that does not keep up is dropped; its browser comes again with the number of the last row that it has
(`Last-Event-ID`) and gets what it missed. Nobody's login waits for a viewer. Source: WHATWG HTML, "Server-sent events"
(lines that begin with a colon are comments and keep proxies from closing the connection; an `id` alone is kept, too).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec

from plumbing.refusals import Refused
from risk_scorer.core.console.live_line import live_line
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.sign_in_match import matches
from risk_scorer.core.console.veil import Veil
from risk_scorer.flows.console.live import LiveSignIns, NewestRows, News

MAX_VIEWERS = 32
QUEUE_LENGTH = 64
"""Messages; there is one a look at the most."""
HEARTBEAT_SECONDS = 15.0
RECONNECT = b"retry: 1000\n\n"
ENDED = b"event: ended\ndata: {}\n\n"

Cells = Callable[[SignIn, Veil], dict[str, Any]]


class Viewer:
    """One open feed: what it asks for, what it has not been sent yet, and whether it goes on."""

    def __init__(self, queue_length: int, veil: Veil, wanted: SignInFilter) -> None:
        self.veil = veil
        self.wanted = wanted
        self.at = 0
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
        """Everything that waits; where nothing came, a heartbeat that says up to where nothing did."""
        try:
            async with asyncio.timeout(patience_seconds):
                await self._news.wait()
        except TimeoutError:
            return b": still here\nid: %d\n\n" % self.at
        self._news.clear()
        message = b"".join(self.waiting)
        self.waiting.clear()
        return message


class LiveFeed:
    """All open feeds of this process. Lives on the event loop."""

    def __init__(
        self,
        rows: NewestRows,
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
        self._looking = LiveSignIns(rows, publish=self.publish, is_watched=lambda: bool(self._viewers))
        self._rows = rows

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    async def last(self) -> int:
        """The number of the newest row: where a page begins to be live. Raises: Refused."""
        return await self._rows.last()

    def publish(self, news: News) -> None:
        """Offer every viewer what it asks for of these; a row is made into cells once for each way to see it."""
        if not self._viewers:
            return
        made: dict[tuple[int, bool], dict[str, Any]] = {}

        def cells(row: SignIn, veil: Veil) -> dict[str, Any]:
            key = row.seq, veil.is_on
            if key not in made:
                made[key] = live_line(row, veil)
            return made[key]

        self._viewers = {viewer for viewer in self._viewers if _offered(viewer, news, cells)}

    def close(self) -> None:
        """End every feed and open no more, so that the service can stop."""
        self._is_closed = True
        self._looking.stop()
        for viewer in self._viewers:
            viewer.close()
        self._viewers.clear()

    def stream(
        self,
        is_signed_in: Callable[[], bool],
        veil: Veil,
        wanted: SignInFilter,
        *,
        after: int | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The bytes to send to a new viewer, until it goes, falls behind or its operator is signed out; first what came
        after that row.

        Raises: Refused when the house is full.
        """
        if self._is_full:
            raise Refused("too_many_viewers", "Too many open dashboards.", status=503, retry_after_seconds=30)
        return self._stream(is_signed_in, Viewer(self._queue_length, veil, wanted), after)

    @property
    def _is_full(self) -> bool:
        return self._is_closed or len(self._viewers) >= self._max_viewers

    async def _stream(
        self, is_signed_in: Callable[[], bool], viewer: Viewer, after: int | None
    ) -> AsyncGenerator[bytes, None]:
        # The seat is taken here, where leaving it is certain: an answer that is never begun takes none.
        if self._is_full:
            return
        self._viewers.add(viewer)
        try:
            yield RECONNECT
            missed = await self._begun(viewer, after)
            if missed and is_signed_in():
                yield missed
            while viewer.is_open:
                message = await viewer.news(self._heartbeat_seconds)
                if not is_signed_in():
                    yield ENDED
                    return
                if message:
                    yield message
        except Refused:  # the database is away: the browser comes again
            return
        finally:
            self._viewers.discard(viewer)

    async def _begun(self, viewer: Viewer, after: int | None) -> bytes:
        """What the viewer missed; what comes from now on waits for it already. Raises: Refused."""
        await self._looking.begin()
        viewer.at = self._looking.at
        if after is None:
            return b""
        return _message(viewer, await self._looking.since(after, viewer.at), live_line) or b""


def _offered(viewer: Viewer, news: News, cells: Cells) -> bool:
    """Whether the viewer keeps up."""
    viewer.at = news.at
    message = _message(viewer, news, cells)
    return message is None or viewer.offer(message)


def _message(viewer: Viewer, news: News, cells: Cells) -> bytes | None:
    """What this viewer asks for of the news: rows that are new to it, and those whose cells are others now."""
    wanted, veil = viewer.wanted, viewer.veil
    new = [row for row in news.new if matches(row, wanted)]
    said = [(before, row) for before, row in news.said if matches(row, wanted)]
    new += [row for before, row in said if not matches(before, wanted)]
    changed = [row for before, row in said if matches(before, wanted)]
    if not (new or changed) and news.is_whole:
        return None
    body = {
        "new": [cells(row, veil) for row in new],
        "changed": [cells(row, veil) for row in changed],
        "skipped": not news.is_whole,
    }
    return b"id: %d\nevent: rows\ndata: %b\n\n" % (news.at, msgspec.json.encode(body))
