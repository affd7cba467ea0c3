"""Scored logins become rows of the console behind the log: nobody who is being scored waits for it."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

import structlog

from plumbing.refusals import Refused

IDLE_SECONDS: Final = 0.25
"""Between two looks while there is nothing to do: a row is there, and a word in it, within a second."""
BREATH_SECONDS: Final = 0.02
"""Between two pieces while there is more, so that scoring has the writer and the processor in between."""
PAUSE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class Advances(Protocol):
    async def advance(self) -> int:
        """Take a bounded part of what waits; how much that was. Raises: Refused."""
        ...


async def project(log_to_rows: Advances) -> None:
    """Take what waits, for ever; a refusal is made up by a later look."""
    while True:
        try:
            taken = await log_to_rows.advance()
        except Refused as refused:
            log.warning("sign_ins_not_taken", reason=refused.code)
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        await asyncio.sleep(BREATH_SECONDS if taken else IDLE_SECONDS)
