"""This scorer's own receivers: the gateway, for risky sessions, and the webhook, for incidents, alerts and drift."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import msgspec

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.adapters.tables import outbox as outbox_rows
from risk_scorer.core.console.deliveries import Message, Receiver, ReceiverPage, Replay
from webhooks.announcement import announcement, message_id
from webhooks.delivery_log import NEWEST, STATUSES, Before, DeliveryLog, Entry
from webhooks.standing import EndpointStanding, Standings

PAGE_ROWS: Final = 50
REVIVED_AT_ONCE: Final = 2_000
"""Messages of one transaction, so that nothing else waits long for it."""
TEST: Final = "webhook.test"
LOG: Final = DeliveryLog(outbox_rows)
STANDINGS: Final = Standings(outbox_rows)


class OwnDeliveries:
    """The outbox of this scorer's database: every process of it may send what is tried again here."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        randomness: Randomness,
        named: Mapping[str, str],
        tested: frozenset[str],
        tenant: str,
        wake: Callable[[], None],
        stopped: Callable[[], Collection[str]],
    ) -> None:
        """`named` are the receivers with their addresses, `tested` those that take a test message; `stopped` says which
        answered that they are gone, and get nothing from this process until its next start."""
        self._database = database
        self._clock = clock
        self._randomness = randomness
        self._named = named
        self._tested = tested
        self._tenant = tenant
        self._wake = wake
        self._stopped = stopped

    async def receivers(self) -> list[Receiver]:
        """All of them."""
        standings = await self._database.read_in_thread(
            lambda tx: {name: STANDINGS.of(tx, name) for name in self._named}
        )
        return [self._shown(name, standing) for name, standing in standings.items()]

    async def page(self, receiver: str, *, status: str, before: str) -> ReceiverPage:
        """One with its messages."""
        self._require(receiver)
        wanted = next((each for each in STATUSES if each == status), None)
        if status and wanted is None:
            raise Refused("invalid_filter", f"status must be one of {', '.join(STATUSES)}", status=422)
        place, now = _place(before), self._clock.now()

        def look(tx: Transaction) -> tuple[EndpointStanding, list[Entry]]:
            entries = LOG.page(tx, endpoint=receiver, now=now, limit=PAGE_ROWS + 1, status=wanted, before=place)
            return STANDINGS.of(tx, receiver), entries

        standing, entries = await self._database.read_in_thread(look)
        shown = entries[:PAGE_ROWS]
        following = f"{shown[-1].created_at!r}_{shown[-1].message_id}" if len(entries) > PAGE_ROWS else None
        messages = [_message(each, now) for each in shown]
        return ReceiverPage(receiver=self._shown(receiver, standing), deliveries=messages, next=following)

    async def replays(self, receiver: str) -> list[Replay]:
        """None: only the gateway's audit trail can be told again."""
        self._require(receiver)
        return []

    async def retry(self, receiver: str, message_id: str | None) -> int:
        """One message tried at once, or those that are dead."""
        self._require_open(receiver)
        now = self._clock.now()
        if message_id is None:
            job = partial(LOG.revive_dead, endpoint=receiver, now=now, limit=REVIVED_AT_ONCE)
            count = await self._database.write(job)
        else:
            entry = await self._database.read_in_thread(
                lambda tx: LOG.find(tx, endpoint=receiver, message_id=message_id)
            )
            if entry is None:
                raise Refused("unknown_delivery", "There is no message of this id.", status=404)
            if entry.delivered_at is not None:
                raise Refused("already_delivered", "The receiver has this message.", status=409)
            count = int(
                await self._database.write(lambda tx: LOG.revive(tx, endpoint=receiver, message_id=message_id, now=now))
            )
        self._wake()
        return count

    async def test(self, receiver: str) -> None:
        """A test message is on its way."""
        self._require_open(receiver)
        if receiver not in self._tested:
            raise Refused("no_test", "This receiver takes no test message.", status=409)
        now, event_id = self._clock.now(), self._randomness.event_id("evt")
        body = announcement(TEST, at=now, data={"tenant": self._tenant, "event_id": event_id})
        job = partial(
            OUTBOX.add, message_id=message_id(event_id), endpoint=receiver, event_type=TEST, body=body, now=now
        )
        await self._database.write(job)
        self._wake()

    async def replay(self, receiver: str, since: datetime, until: datetime | None) -> None:
        """Raises: Refused `not_here` (409)."""
        raise _not_here(receiver)

    async def stop(self, receiver: str) -> None:
        """Raises: Refused `not_here` (409)."""
        raise _not_here(receiver)

    async def pause(self, receiver: str, reason: str) -> None:
        """Raises: Refused `not_here` (409)."""
        raise _not_here(receiver)

    async def resume(self, receiver: str) -> None:
        """Raises: Refused `not_here` (409)."""
        raise _not_here(receiver)

    def _require(self, receiver: str) -> None:
        if receiver not in self._named:
            raise Refused("unknown_receiver", "Nobody of this name gets messages.", status=404)

    def _require_open(self, receiver: str) -> None:
        """What would only wait is not begun."""
        self._require(receiver)
        if receiver in self._stopped():
            raise Refused("receiver_disabled", "This receiver is disabled, and gets nothing.", status=409)

    def _shown(self, name: str, standing: EndpointStanding) -> Receiver:
        told = msgspec.structs.asdict(standing)
        place = urlsplit(self._named[name])
        shown, is_stopped = place.hostname or "", name in self._stopped()
        return Receiver(
            receiver=name,
            name=name,
            kind="setting",
            way="webhook",
            place=f"{shown}:{place.port}" if place.port else shown,
            state="disabled" if is_stopped else "enabled",
            reason="it answered 410, and gets nothing until the next start" if is_stopped else "",
            can_test=name in self._tested and not is_stopped,
            **told,
        )


def _message(entry: Entry, now: float) -> Message:
    status = entry.status(now)
    return Message(
        message_id=entry.message_id,
        event_type=entry.event_type,
        status=status,
        created_at=entry.created_at,
        attempts=entry.attempts,
        next_attempt_at=entry.next_attempt_at if status == "waiting" else None,
        delivered_at=entry.delivered_at,
        dead_at=entry.dead_at,
        last_status=entry.last_status,
        last_error=entry.last_error,
        folded=entry.folded,
    )


def _place(text: str) -> Before:
    if not text:
        return NEWEST
    moment, _, last = text.partition("_")
    try:
        place = Before(float(moment), last)
    except ValueError:
        place = Before(-1.0, "")
    if not 0 <= place.created_at < NEWEST.created_at or not last.isprintable():
        raise Refused("invalid_filter", "before must be a place that a page gave", status=422)
    return place


def _not_here(receiver: str) -> Refused:
    text = f"{receiver} is named by the scorer's settings: it is not paused, and nothing is told it again from here."
    return Refused("not_here", text, status=409)
