"""How long something takes, for whoever wants to know, and looks that are taken again and again. Nobody's decision
depends on any of it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from time import perf_counter
from typing import Final

import structlog

LOOK_SECONDS: Final = 10.0
"""Between two looks."""
MOST_OF_THE_TIME: Final = 0.05
"""A look that takes long is followed by a pause twenty times as long: what is slow is not made worse by watching it."""

Timed = Callable[[], AbstractContextManager[object]]
"""Makes what is entered before the work begins and left when it is done."""

log = structlog.get_logger("plumbing.timing")


def untimed() -> AbstractContextManager[object]:
    """Nobody wants to know."""
    return nullcontext()


class Stopwatch:
    """Tells the seconds between its beginning and its end."""

    __slots__ = ("_began", "_tell")

    def __init__(self, tell: Callable[[float], object]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_error: object) -> None:
        self._tell(perf_counter() - self._began)


async def look_again_and_again(look: Callable[[], Awaitable[object]]) -> None:
    """Take looks until cancelled; one that fails is logged, and the next comes all the same."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await look()
        except Exception as error:
            log.warning("look_failed", reason=repr(error))
        await asyncio.sleep(max(LOOK_SECONDS, (loop.time() - began) / MOST_OF_THE_TIME))
