"""Everybody who gets messages of this gateway, how each stands, and what is dead once more: one desk for all kinds."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from auth_gateway.core.receiver import Receiver, of_destination, of_setting, of_stream
from auth_gateway.flows.deliveries import LONGEST_PAGE, REVIVED_AT_ONCE, Page, place_on, told_of
from auth_gateway.flows.destinations import Listeners
from auth_gateway.flows.ports import DeliveryLog, EndpointStandings, Streams
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.delivery_log import Status
from webhooks.standing import EndpointStanding

MOST_SHOWN = 500
"""Receivers of one answer."""


class StandingReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver and how it stands."""

    receiver: Receiver
    standing: EndpointStanding


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivers:
    """Destinations, streams and what settings name. Blocks, so the event loop asks it in a thread.

    `named` are the settings' own, each with its address, and `stopped` says which of them answered that they are gone;
    `streams` is None where there are none.
    """

    listeners: Listeners
    log: DeliveryLog
    standings: EndpointStandings
    streams: Streams | None
    named: Mapping[str, str]
    stopped: Callable[[], Collection[str]]

    def list(self) -> list[StandingReceiver]:
        """All of them, up to 500: the settings' first, then destinations by name, then streams."""

        def look(tx: Transaction) -> list[StandingReceiver]:
            found = [
                *map(self._named, self.named),
                *map(of_destination, self.listeners.destinations.list(tx)),
                *map(of_stream, self.streams.list(tx) if self.streams is not None else ()),
            ]
            return [self._standing(tx, each) for each in found[:MOST_SHOWN]]

        return self.listeners.database.read(look)

    def find(self, receiver: str) -> StandingReceiver:
        """That one.

        Raises: Refused `unknown_receiver` (404).
        """
        return self.listeners.database.read(lambda tx: self._standing(tx, self._found(tx, receiver)))

    def page(self, receiver: str, *, status: Status | None = None, limit: int = 50, before: str = "") -> Page:
        """Messages to it; `before` is what the last page said of the next.

        Raises: Refused `unknown_receiver` (404), `invalid_page` (400).
        """
        if not 1 <= limit <= LONGEST_PAGE:
            raise Refused("invalid_page", f"a page has 1 to {LONGEST_PAGE} messages", status=400)
        place, now = place_on(before), self.listeners.clock.now()
        self.find(receiver)
        look = partial(self.log.page, endpoint=receiver, now=now, limit=limit + 1, status=status, before=place)
        return told_of(self.listeners.database.read(look), limit=limit, now=now)

    def retry(self, receiver: str, message_id: str | None, *, by: str) -> int:
        """Try one message that waits or is dead at once, or up to 2,000 that are dead; how many there were.

        Raises: Refused `unknown_receiver`, `unknown_delivery` (404), `receiver_disabled`, `already_delivered` (409).
        """
        found = self.find(receiver).receiver
        if found.state == "disabled":
            raise Refused("receiver_disabled", "this receiver is disabled, and gets nothing", status=409)
        if message_id is not None:
            self._require_undelivered(receiver, message_id)
        line = self.listeners.line("webhook.retried", receiver, by)

        def job(tx: Transaction) -> int:
            if message_id is not None:
                done = int(self.log.revive(tx, endpoint=receiver, message_id=message_id, now=line.ts))
            else:
                done = self.log.revive_dead(tx, endpoint=receiver, now=line.ts, limit=REVIVED_AT_ONCE)
            if done:
                detail = f"{receiver} {message_id}" if message_id is not None else f"{receiver} dead {done}"
                self.listeners.audit.record(tx, msgspec.structs.replace(line, detail=detail))
            return done

        return self.listeners.database.write_sync(job)

    def _require_undelivered(self, receiver: str, message_id: str) -> None:
        look = partial(self.log.find, endpoint=receiver, message_id=message_id)
        entry = self.listeners.database.read(look)
        if entry is None:
            raise Refused("unknown_delivery", "there is no message of this id", status=404)
        if entry.delivered_at is not None:
            raise Refused("already_delivered", "the receiver has this message; a replay tells it again", status=409)

    def _standing(self, tx: Transaction, receiver: Receiver) -> StandingReceiver:
        return StandingReceiver(receiver=receiver, standing=self.standings.of(tx, receiver.receiver))

    def _named(self, name: str) -> Receiver:
        return of_setting(name, self.named[name], is_stopped=name in self.stopped())

    def _found(self, tx: Transaction, receiver: str) -> Receiver:
        if receiver in self.named:
            return self._named(receiver)
        destination = self.listeners.destinations.find(tx, receiver)
        if destination is not None:
            return of_destination(destination)
        stream = self.streams.find(tx, receiver) if self.streams is not None else None
        if stream is None:
            raise Refused("unknown_receiver", "nobody of this name gets messages", status=404)
        return of_stream(stream)
