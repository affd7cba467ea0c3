"""What waits in an outbox, and for how long, by kind of receiver: looked at now and then, for those who watch."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Table, func, select

from plumbing.clock import Clock
from plumbing.metrics import Meters, Reading
from plumbing.statements import Statement, Transaction
from webhooks.outbox_table import waiting_in


class Waiting(NamedTuple):
    """What waits for one receiver: how many messages, and when the oldest was added."""

    endpoint: str
    messages: int
    oldest_at: float


class Backlog:
    """Tells what was seen last; its age goes on growing while nobody looks."""

    def __init__(self, table: Table, *, meters: Meters, clock: Clock, kind_of: Callable[[str], str]) -> None:
        """`kind_of` says what sort of receiver that is: there may be thousands, at addresses that concern nobody."""
        c = table.c
        self._waiting = Statement(
            select(c.endpoint, func.count(), func.min(c.created_at)).where(waiting_in(table)).group_by(c.endpoint)
        )
        self._clock = clock
        self._kind_of = kind_of
        self._seen: Sequence[Waiting] = ()
        meters.look("riskgate_outbox_waiting", "Messages that wait.", ["receiver"], self._messages)
        meters.look("riskgate_outbox_oldest_seconds", "Age of the oldest message that waits.", ["receiver"], self._ages)

    def read(self, tx: Transaction) -> list[Waiting]:
        """As it is now. It walks through all that waits."""
        return [Waiting(*row) for row in tx.all(self._waiting)]

    def take(self, seen: Sequence[Waiting]) -> None:
        """Tell this from now on."""
        self._seen = seen

    def _messages(self) -> list[Reading]:
        found: dict[str, int] = {}
        for each in self._seen:
            kind = self._kind_of(each.endpoint)
            found[kind] = found.get(kind, 0) + each.messages
        return [((kind,), float(count)) for kind, count in found.items()]

    def _ages(self) -> list[Reading]:
        found: dict[str, float] = {}
        for each in self._seen:
            kind = self._kind_of(each.endpoint)
            found[kind] = min(each.oldest_at, found.get(kind, each.oldest_at))
        now = self._clock.now()
        return [((kind,), max(0.0, now - at)) for kind, at in found.items()]
