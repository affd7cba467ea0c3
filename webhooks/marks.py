"""What became of messages, written down for many of them at a time, while others are being sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from plumbing.database import Database, Transaction
from webhooks.outbox import Message, Outbox

HASTEN_BATCH: Final = 5_000
"""Messages that one transaction makes due when a receiver is back, so that the writer is never held for long."""

Noted = Callable[[str, str], None]
"""Hears of each attempt at a message: the endpoint, and `delivered`, `retried` or `dead`."""

log = structlog.get_logger("webhooks.delivery")


def unnoticed(_endpoint: str, _result: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What is to be written of one message: taken, dead, or to be tried again at a time."""

    message: Message
    status: int | None
    error: str = ""
    is_dead: bool = False
    again_at: float | None = None


class Marks:
    """The fates of one lane's messages that are not written yet.

    At a sudden death those are lost, and the messages are sent again; the lane bounds how many there are.
    """

    def __init__(self, endpoint: str, database: Database, outbox: Outbox) -> None:
        self._endpoint = endpoint
        self._database = database
        self._outbox = outbox
        self._fates: list[Fate] = []
        self._unsent: list[Message] = []
        self._in_writing = 0
        self.is_flushing = False
        self._is_back = False

    @property
    def unwritten(self) -> int:
        """Messages that were sent and whose fate could still be lost."""
        return len(self._fates) + self._in_writing

    @property
    def is_idle(self) -> bool:
        """Whether everything is written."""
        return not (self._fates or self._unsent or self._in_writing or self.is_flushing)

    def note(self, fate: Fate) -> None:
        """Write it with the next ones."""
        self._fates.append(fate)

    def give_back(self, messages: Sequence[Message]) -> None:
        """They were claimed and never sent."""
        self._unsent += messages

    def hasten(self) -> None:
        """The receiver is back: what waits for it need not wait any longer."""
        self._is_back = True

    async def flush(self, now: float) -> None:
        """Write all that there is to write; nothing if another call is just doing so."""
        if self.is_flushing:
            return
        self.is_flushing = True
        try:
            while self._fates or self._unsent or self._is_back:
                await self._write(now)
        finally:
            self.is_flushing = False

    def leave(self, now: float) -> None:
        """Hand over what is left without waiting: nobody will call `flush` again."""
        fates, self._fates = self._fates, []
        unsent, self._unsent = self._unsent, []
        if fates or unsent:
            self._database.post(partial(self._mark, fates=fates, unsent=unsent, is_back=False, now=now))

    async def _write(self, now: float) -> None:
        fates, self._fates = self._fates, []
        unsent, self._unsent = self._unsent, []
        is_back, self._is_back = self._is_back, False
        self._in_writing = len(fates)
        try:
            mark = partial(self._mark, fates=fates, unsent=unsent, is_back=is_back, now=now)
            self._is_back = await self._database.write(mark) == HASTEN_BATCH or self._is_back
        except Exception as error:  # the leases end, and the messages are sent again
            first = fates[0].message.message_id if fates else None
            log.error("message_not_marked", message_id=first, messages=len(fates), reason=repr(error))
        finally:
            self._in_writing = 0

    def _mark(self, tx: Transaction, fates: list[Fate], unsent: list[Message], is_back: bool, now: float) -> int:
        self._outbox.release(tx, unsent)
        self._settle(tx, fates, now)
        return self._outbox.hasten(tx, endpoint=self._endpoint, now=now, limit=HASTEN_BATCH) if is_back else 0

    def _settle(self, tx: Transaction, fates: Sequence[Fate], now: float) -> None:
        taken: dict[int, list[Message]] = {}
        for fate in fates:
            if fate.is_dead:
                self._outbox.dead(tx, fate.message, now=now, status=fate.status, error=fate.error)
            elif fate.again_at is not None:
                self._outbox.retry(
                    tx, fate.message, next_attempt_at=fate.again_at, status=fate.status, error=fate.error
                )
            else:
                taken.setdefault(fate.status or 0, []).append(fate.message)
        for status, messages in taken.items():
            self._outbox.delivered(tx, messages, now=now, status=status)
