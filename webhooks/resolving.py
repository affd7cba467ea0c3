"""The machine's own resolver, asked so that a name whose server never answers holds up no other name.

The event loop has four threads for look-ups, which everybody shares, the way to the scorer among them: whoever owns a
name could keep them all waiting.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Final

MOST_NAMES: Final = 64
"""Names that are being asked for at once; one thread each."""


class SystemResolver:
    """Asks for each name once at a time: whoever wants it meanwhile waits for the same answer. Its threads end with the
    process, whatever they wait for. On one event loop."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses that the name has now.

        Raises: OSError, UnicodeError.
        """
        name = (host, port)
        answer = self._asked.get(name)
        if answer is None:
            if len(self._asked) >= MOST_NAMES:
                raise OSError("too many names are being asked for")
            answer = self._asked[name] = Future()
            answer.set_running_or_notify_cancel()  # whoever gives up waiting gives up for themselves alone
            Thread(target=self._ask, args=(name, answer), name="resolver", daemon=True).start()
        return await asyncio.wrap_future(answer)

    def _ask(self, name: tuple[str, int], answer: Future[list[str]]) -> None:
        try:
            found = socket.getaddrinfo(*name, type=socket.SOCK_STREAM)
        except Exception as error:
            del self._asked[name]
            answer.set_exception(error)
        else:
            del self._asked[name]
            answer.set_result(list(dict.fromkeys(str(entry[4][0]) for entry in found)))


system_resolver: Final = SystemResolver()
"""The machine's one resolver."""
