"""What became of the messages to a destination, and once more what is dead; a message that tries whether any arrive."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from auth_gateway.core.destination import Destination
from auth_gateway.core.event import Event
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.flows.destinations import Listeners
from auth_gateway.flows.distribution import Teller
from auth_gateway.flows.ports import DeliveryLog
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import message_id
from webhooks.delivery_log import NEWEST, Before, Entry, Status

LONGEST_PAGE = 500
REVIVED_AT_ONCE = 2_000
"""Messages of one transaction, so that no login waits long for it."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """One message and how it stands; times are epoch seconds. `next_attempt_at` is there while it waits, `folded` says
    how many more events it stands for."""

    message_id: str
    event_type: str
    status: Status
    created_at: float
    attempts: int
    next_attempt_at: float | None = None
    delivered_at: float | None = None
    dead_at: float | None = None
    last_status: int | None = None
    last_error: str | None = None
    folded: int = 0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, the newest first; `following` asks for those before them, None when there are none."""

    deliveries: tuple[Delivered, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """The desk of those who run a receiver; blocks, so the event loop asks it in a thread."""

    listeners: Listeners
    log: DeliveryLog
    teller: Teller

    def page(self, name_or_id: str, *, status: Status | None = None, limit: int = 50, before: str = "") -> Page:
        """Messages to that destination; `before` is what the last page said of the next.

        Raises: Refused `unknown_destination` (404), `invalid_page` (400).
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise Refused("invalid_page", f"a page has 1 to {LONGEST_PAGE} messages", status=400)
        place, found, now = place_on(before), self.listeners.find(name_or_id), self._now()
        page = partial(
            self.log.page, endpoint=found.destination_id, now=now, limit=limit + 1, status=status, before=place
        )
        return told_of(self.listeners.database.read(page), limit=limit, now=now)

    def find(self, name_or_id: str, wanted: str) -> Delivered:
        """That message.

        Raises: Refused `unknown_destination`, `unknown_delivery` (404).
        """
        found, now = self.listeners.find(name_or_id), self._now()
        look = partial(self.log.find, endpoint=found.destination_id, message_id=wanted)
        entry = self.listeners.database.read(look)
        if entry is None:
            raise Refused("unknown_delivery", "there is no message of this id", status=404)
        return _told(entry, now)

    def retry(self, name_or_id: str, wanted: str, *, by: str | None = None) -> Delivered:
        """Try a message that waits or is dead at once, with all its attempts before it.

        Raises: Refused `unknown_destination`, `unknown_delivery` (404), `destination_disabled`, `already_delivered`
            (409).
        """
        found = self._enabled(name_or_id)
        before = self.find(found.destination_id, wanted)
        if before.status == "delivered":
            raise Refused("already_delivered", "the receiver has this message; a replay tells it again", status=409)
        line = self.listeners.line("webhook.retried", f"{found.destination_id} {wanted}", by)

        def job(tx: Transaction) -> None:
            # One that is in flight is being tried already.
            if self.log.revive(tx, endpoint=found.destination_id, message_id=wanted, now=line.ts):
                self.listeners.audit.record(tx, line)

        self.listeners.database.write_sync(job)
        return self.find(found.destination_id, wanted)

    def retry_dead(self, name_or_id: str, *, by: str | None = None) -> int:
        """Try all that is dead at once, the oldest first; how many there were. Whoever dies in between has done a part,
        and the rest is dead as before.

        Raises: Refused `unknown_destination` (404), `destination_disabled` (409).
        """
        found, count = self._enabled(name_or_id), 0
        while done := self._revive_dead(found, by):
            count += done
            if done < REVIVED_AT_ONCE:
                break
        return count

    def _revive_dead(self, found: Destination, by: str | None) -> int:
        """Some of them, with a line for these."""
        line = self.listeners.line("webhook.retried", found.destination_id, by)

        def job(tx: Transaction) -> int:
            done = self.log.revive_dead(tx, endpoint=found.destination_id, now=line.ts, limit=REVIVED_AT_ONCE)
            if done:
                detail = f"{found.destination_id} dead {done}"
                self.listeners.audit.record(tx, msgspec.structs.replace(line, detail=detail))
            return done

        return self.listeners.database.write_sync(job)

    def test(self, name_or_id: str, *, by: str | None = None) -> Delivered:
        """Send `webhook.test` to that destination alone, in its own format, whatever its filter.

        Raises: Refused `unknown_destination` (404), `destination_disabled` (409).
        """
        found, now = self._enabled(name_or_id), self._now()
        event_id = self.listeners.randomness.event_id("evt")
        event = Event(
            event_id=event_id,
            type="webhook.test",
            ts=now,
            tenant=self.teller.tenant,
            client_id=by,
            detail=found.name,
            facts=Facts(by=by or OPERATOR),
        )
        body = self.teller.message(event, found).body
        line = self.listeners.line("webhook.tested", found.destination_id, by)

        def add(tx: Transaction) -> None:
            self.listeners.outbox.add(
                tx,
                message_id=message_id(event_id),
                endpoint=found.destination_id,
                event_type=event.type,
                body=body,
                now=now,
            )
            self.listeners.audit.record(tx, line)

        self.listeners.database.write_sync(add)
        return self.find(found.destination_id, message_id(event_id))

    def _enabled(self, name_or_id: str) -> Destination:
        found = self.listeners.find(name_or_id)
        require_enabled(found)
        return found

    def _now(self) -> float:
        return self.listeners.clock.now()


def require_enabled(destination: Destination) -> None:
    """What would only wait is not begun.

    Raises: Refused `destination_disabled` (409).
    """
    if destination.disabled_at is not None:
        raise Refused("destination_disabled", "this destination is disabled, and gets nothing", status=409)


def told_of(entries: Sequence[Entry], *, limit: int, now: float) -> Page:
    """A page of entries, of which one more than `limit` was read if there is a following one."""
    shown = entries[:limit]
    following = f"{shown[-1].created_at!r}_{shown[-1].message_id}" if len(entries) > limit else None
    return Page(deliveries=tuple(_told(entry, now) for entry in shown), following=following)


def place_on(text: str) -> Before:
    """The place that a page named as the following one. Raises: Refused `invalid_page` (400)."""
    if not text:
        return NEWEST
    moment, _, last = text.partition("_")
    try:
        place = Before(float(moment), last)
    except ValueError:
        raise Refused("invalid_page", "take `before` from the page before", status=400) from None
    if not (0 <= place.created_at < NEWEST.created_at) or len(last) > 256 or not last.isprintable():
        raise Refused("invalid_page", "take `before` from the page before", status=400)
    return place


def _told(entry: Entry, now: float) -> Delivered:
    status = entry.status(now)
    return Delivered(
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
