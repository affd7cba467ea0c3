"""One HTTP/1.1 connection to a receiver, for one request at a time. What an answer means is decided elsewhere."""

import asyncio
from collections.abc import Mapping
from typing import Final, cast

import httptools

MAX_ANSWER_BYTES: Final = 64 * 1024
"""We read this much of an answer so that its connection can be used again; nobody needs more."""
MAX_SAID_BYTES: Final = 2_048
"""What is kept of a 400's body: enough to say why."""
SAID: Final[Mapping[int, int]] = {400: MAX_SAID_BYTES}
DRAIN_SECONDS: Final = 1.0
"""How long the rest of an answer may take whose status is known."""


class Broken(Exception):
    """No answer came; `code` says why: `connect_failed`, `connection_closed` or `bad_answer`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Connection(asyncio.Protocol):
    """A connection and the last answer on it.

    Nothing of an answer is kept but its status, its Retry-After and what a 400 says, and nothing is ever decompressed.
    Whoever asks for a document says how much of it is kept (`keeps`, by status), and has until their own deadline.
    """

    def __init__(
        self,
        *,
        keeps: Mapping[int, int] = SAID,
        most_bytes: int = MAX_ANSWER_BYTES,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._keeps = keeps
        self._most_bytes = most_bytes
        self._drain_seconds = drain_seconds
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._cutting: asyncio.TimerHandle | None = None
        self._is_whole = False
        self._is_kept = False
        self.heard = 0
        self.uses = 0
        self.idle_since = 0.0
        self.status: int | None = None
        self.retry_after: str | None = None
        self.said = b""

    @property
    def is_reusable(self) -> bool:
        """Whether another request may follow: the last one was answered in full, and nobody hung up."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        return self._is_whole and self._is_kept and transport.get_write_buffer_size() == 0

    @property
    def is_whole(self) -> bool:
        """Whether the answer came to its end."""
        return self._is_whole

    async def ask(self, request: bytes) -> None:
        """Send it, and wait for its answer or as much of that as we read; `status` has it then.

        Raises: Broken.
        """
        if self._transport is None or self._transport.is_closing():
            raise Broken("connection_closed")
        self.status, self.retry_after, self.said = None, None, b""
        self.heard, self._is_whole, self.uses = 0, False, self.uses + 1
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if self._cutting is not None:
                self._cutting.cancel()
                self._cutting = None

    def close(self) -> None:
        """Hang up at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no children of asyncio's

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._over(None if self.status is not None else Broken("connection_closed"))

    def data_received(self, data: bytes) -> None:
        self.heard += len(data)
        if self._waiter is None or self._waiter.done():  # nobody asked: whoever speaks now would answer the next one
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._over(None if self.status is not None else Broken("bad_answer"))
            self.close()
            return
        if self._is_whole:
            self._over(None)
        elif self.heard > self._most_bytes:
            self._over(None if self.status is not None else Broken("bad_answer"))
            self.close()
        elif self.status is not None and self._cutting is None:
            self._cutting = asyncio.get_running_loop().call_later(self._drain_seconds, self._cut)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after" and not self._is_whole:
            self.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._is_whole:  # an answer to no question, behind ours
            self.close()
        elif status >= 200:  # the others announce an answer (RFC 9110, section 15.2)
            self.status = status

    def on_body(self, body: bytes) -> None:
        most = self._keeps.get(self.status or 0, 0)
        if len(self.said) < most:
            self.said += body[: most - len(self.said)]

    def on_message_complete(self) -> None:
        if self._is_whole:
            return
        if self.status is not None:
            self._is_whole = True
            self._is_kept = self._parser.should_keep_alive()
        else:
            self.retry_after = None

    def _cut(self) -> None:
        """The rest of the answer takes too long; its status counts."""
        self._over(None)
        self.close()

    def _over(self, error: Broken | None) -> None:
        if self._waiter is None or self._waiter.done():
            return
        if error is None:
            self._waiter.set_result(None)
        else:
            self._waiter.set_exception(error)
