"""What a connection may cost us: so many bytes of head and so much time for it, so many requests sent ahead, and so
much time for what we answer to be read.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES: Final = 64 * 1024
"""Request line and headers together; the parser itself would take them without end."""
HEAD_SECONDS: Final = 10.0
"""A head that takes longer is a client that holds connections on purpose ("slowloris")."""
MOST_WAITING: Final = 16
"""Requests that wait for the answers to those before them, on one connection. Each is kept, and a few bytes ask for it;
hardly any client sends a second one before it has its answer."""
UNREAD_SECONDS: Final = 60.0
"""How long an answer may lie here that the connection does not take, past what the system takes from us at once. A
client that reads nothing would hold its connection, and all that it has asked, for ever."""
LAST_REQUEST_SECONDS: Final = 1.0
"""How long a connection that has not asked yet, or is about to, may still ask when the server stops."""


class GuardedProtocol(HttpToolsProtocol):
    """The server's HTTP protocol, with bounds on a request's head, on requests sent ahead and on unread answers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._head_bytes = 0
        self._heads_seen = 0
        self._watch: asyncio.TimerHandle | None = None
        self._unread_since = 0.0
        self._unread_head = -1
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look, self._heads_seen)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        # The server tells the request that came last; with others sent ahead, another one is being answered, and would
        # crash on a connection that is gone.
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if getattr(self.server_state, "is_draining", False):
            cycle.keep_alive = False  # the answer says so, and its client asks elsewhere from then on
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

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
        self._refuse_unsound_head()
        self._is_in_head = False
        self._heads_seen += 1
        super().on_headers_complete()
        if len(self.pipeline) > MOST_WAITING:
            self.transport.abort()
            raise ConnectionAbortedError  # the parser stops: what is left of this piece makes no more of them

    def _refuse_unsound_head(self) -> None:
        """A head that came in one piece may be as large as what the system hands over at once. One without a Host, or
        with two of them, can be read in two ways (RFC 9112, section 3.2).

        Raises: ValueError, which ends the parser; the client gets a 400.
        """
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        hosts = sum(name == b"host" for name, _ in self.headers)
        if size > MAX_HEAD_BYTES:
            self.send_400_response("The request's head is too large.")
            raise ValueError
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self.send_400_response("A request names one host.")
            raise ValueError

    def shutdown(self) -> None:
        """The server stops. Whoever was taken a moment ago, or is in the midst of a head, is still answered."""
        if self._is_in_head and not self.transport.is_closing():
            self.loop.call_later(LAST_REQUEST_SECONDS, self._give_up_waiting, self._heads_seen)
        else:
            super().shutdown()

    def _give_up_waiting(self, heads_seen: int) -> None:
        if self._heads_seen == heads_seen and not self.transport.is_closing():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _look(self, heads_seen: int) -> None:
        """Close the connection if it was in one and the same head for the whole of the time since the last look, or
        if nobody reads what it was answered; one that is closing ends only when that is read."""
        if self._lies_unread():
            self.transport.abort()
            return
        if self._is_in_head and heads_seen == self._heads_seen:
            self.transport.close()
        # Between requests the server's own keep-alive limit closes what is idle.
        seen = self._heads_seen if self._is_in_head else -1
        self._watch = self.loop.call_later(HEAD_SECONDS, self._look, seen)

    def _lies_unread(self) -> bool:
        """Whether every look for so long has found answers here to the same requests."""
        now = self.loop.time()
        if self.transport.get_write_buffer_size() == 0 or self._unread_head != self._heads_seen:
            self._unread_head, self._unread_since = self._heads_seen, now
        return now - self._unread_since >= UNREAD_SECONDS
