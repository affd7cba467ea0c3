"""What a connection may cost us before it has asked anything: so many bytes of head, and so much time for it."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
"""Request line and headers together; the parser itself would take them without end."""
HEAD_SECONDS: Final = 10.0
"""A head that takes longer is a client that holds connections on purpose ("slowloris")."""


class GuardedProtocol(HttpToolsProtocol):
    """The server's HTTP protocol, with a bound on the size of a request's head and on the time it may take."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._head_bytes = 0
        self._heads_seen = 0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look, self._heads_seen)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")

    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._heads_seen += 1
        super().on_headers_complete()

    def _look(self, heads_seen: int) -> None:
        """Close the connection if it was in one and the same head for the whole of the time since the last look."""
        if self.transport.is_closing():
            return
        if self._is_in_head and heads_seen == self._heads_seen:
            self.transport.close()
            return
        # Between requests the server's own keep-alive limit closes what is idle.
        seen = self._heads_seen if self._is_in_head else -1
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look, seen)
