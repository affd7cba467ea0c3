"""Hearing that the process is asked to stop, before the server has waited for its open answers."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def told_of_stopping(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` on the running loop at the first stop signal, then let the server's own handler act.

    The server waits for open answers to end, and some do not end by themselves, or not soon: a live feed, a poll that
    waits. Outside the main thread (in tests) there are no signals to hear.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            raise KeyboardInterrupt

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
