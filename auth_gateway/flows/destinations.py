"""Those who are told of events come, get other terms or another secret, rest, and go; the audit trail has a line for
each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.destination import (
    PREFIX,
    Destination,
    DestinationKind,
    check_reason,
    check_terms,
    secret_purpose,
)
from auth_gateway.core.destination_change import DestinationChange, changed, names_of_changes
from auth_gateway.core.facts import GATEWAY, OPERATOR, Facts
from auth_gateway.flows.ports import AuditTrail, Clock, Destinations, OutboxWriter, Randomness, Sealer
from auth_gateway.flows.rendering import RENDERERS
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.signing import new_secret
from webhooks.targets import TargetRefused, parse_target

ID_BYTES = 12
LONGEST_OVERLAP_SECONDS = 30 * 86_400
HASTENED_AT_ONCE = 2_000
"""Messages of one transaction, so that no login waits long for it."""

Show = Callable[[str], None]
"""Takes a new secret before it counts: a destination whose secret nobody saw cannot come to be."""
CheckUrl = Callable[[str], None]
"""Lets an address of one kind pass. Raises: Refused `invalid_destination`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Keeps the list of those who are told; blocks, so the event loop asks it in a thread.

    `checks` knows the address of each kind that there is; `by` is the application that asks, None for the operator's
    own commands.
    """

    database: Database
    clock: Clock
    randomness: Randomness
    destinations: Destinations
    vault: Sealer
    outbox: OutboxWriter
    audit: AuditTrail
    checks: Mapping[DestinationKind, CheckUrl]

    def add(self, wanted: Destination, *, show: Show, by: str | None = None) -> Destination:
        """Tell another one from now on. A webhook's secret goes through `show`, this once; id and time are ours.

        Raises: Refused `invalid_destination` (400), `destination_exists` (409).
        """
        self._check(wanted)
        line = self.line("webhook.added", PREFIX + self.randomness.token(ID_BYTES), by)
        made = msgspec.structs.replace(
            wanted, destination_id=line.detail or "", created_at=line.ts, disabled_at=None, disabled_reason=""
        )
        if self.database.read(lambda tx: self.destinations.named(tx, made.name)) is not None:
            raise _taken()
        sealed = self._new_secret(made.destination_id, show) if made.kind == "webhook" else None

        def job(tx: Transaction) -> bool:
            if not self.destinations.add(tx, made, sealed):
                return False
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):
            raise _taken()
        return made

    def list(self) -> list[Destination]:
        """All of them, by name."""
        return self.database.read(self.destinations.list)

    def find(self, name_or_id: str) -> Destination:
        """The one of that name or id.

        Raises: Refused `unknown_destination` (404).
        """

        def look(tx: Transaction) -> Destination | None:
            return self.destinations.find(tx, name_or_id) or self.destinations.named(tx, name_or_id)

        found = self.database.read(look)
        if found is None:
            raise _unknown()
        return found

    def update(self, name_or_id: str, change: DestinationChange, *, by: str | None = None) -> Destination:
        """Other terms from now on, with what is not named as it was; what waits is sent as it was made, to where the
        destination is then. Nothing is written down where nothing changes.

        Raises: Refused `unknown_destination` (404), `invalid_destination` (400).
        """
        found = self.find(name_or_id)
        if change.url is not msgspec.UNSET:  # a name may have to be looked up: not in the transaction
            self._check(changed(found, change))
        line = self.line("webhook.changed", found.destination_id, by)

        def job(tx: Transaction) -> Destination | None:
            before = self.destinations.hold(tx, found.destination_id)
            if before is None:
                return None
            after = changed(before, change)
            check_terms(after)
            names = names_of_changes(before, after)
            if names:
                self.destinations.change(tx, after)
                detail = " ".join((found.destination_id, *names))
                self.audit.record(tx, msgspec.structs.replace(line, detail=detail))
            return after

        done: Destination | None = self.database.write_sync(job)
        if done is None:
            raise _unknown()
        return done

    def rotate_secret(self, name_or_id: str, *, overlap_seconds: int, show: Show, by: str | None = None) -> None:
        """A new secret through `show`; messages are signed with the one before too for that long, so that the receiver
        may change over in its own time. While it has that time only an overlap of 0 takes it away.

        Raises: Refused `invalid_overlap` (400), `unknown_destination` (404), `no_secret` (400), `overlap_running`
            (409).
        """
        if not 0 <= overlap_seconds <= LONGEST_OVERLAP_SECONDS:
            raise Refused("invalid_overlap", "the old secret signs for 30 days longer at the most", status=400)
        found = self.find(name_or_id)
        if found.kind != "webhook":
            raise Refused("no_secret", "what goes there is not signed", status=400)
        line = self.line("webhook.secret_rotated", found.destination_id, by)
        if overlap_seconds:
            self.database.read(lambda tx: self._require_no_overlap(tx, found.destination_id, line.ts))
        sealed = self._new_secret(found.destination_id, show)
        until = line.ts + overlap_seconds

        def rotate(tx: Transaction) -> bool:
            if self.destinations.hold(tx, found.destination_id) is None:
                return False
            if overlap_seconds:
                self._require_no_overlap(tx, found.destination_id, line.ts)
            return self.destinations.rotate_secret(tx, found.destination_id, sealed_secret=sealed, previous_until=until)

        self._change(rotate, line)

    def disable(self, name_or_id: str, *, reason: str, by: str | None = None) -> bool:
        """Tell it nothing from now on; what waits for it waits. False when it is so already.

        Raises: Refused `invalid_reason` (400), `unknown_destination` (404).
        """
        check_reason(reason)
        found = self.find(name_or_id)
        line = msgspec.structs.replace(self.line("webhook.disabled", found.destination_id, by), rule=reason)
        return self._set_disabled(found.destination_id, line, at=line.ts)

    def retire(self, name_or_id: str, *, reason: str) -> bool:
        """The same of the gateway's own accord: nothing arrives there.

        Raises: Refused `unknown_destination` (404).
        """
        found = self.find(name_or_id)
        line = self.line("webhook.disabled", found.destination_id, None)
        line = msgspec.structs.replace(line, rule=reason, facts=Facts(by=GATEWAY))
        return self._set_disabled(found.destination_id, line, at=line.ts)

    def enable(self, name_or_id: str, *, by: str | None = None) -> bool:
        """Tell it again, from now on: what waits for it is due, and what it missed can be told by a replay. False when
        it is so already.

        Raises: Refused `unknown_destination` (404).
        """
        found = self.find(name_or_id)
        line = self.line("webhook.enabled", found.destination_id, by)
        if not self._set_disabled(found.destination_id, line, at=None):
            return False
        # Its messages wait for moments that were chosen while it took nothing.
        hasten = partial(self.outbox.hasten, endpoint=found.destination_id, now=line.ts, limit=HASTENED_AT_ONCE)
        while self.database.write_sync(hasten) == HASTENED_AT_ONCE:
            pass
        return True

    def remove(self, name_or_id: str, *, by: str | None = None) -> None:
        """Forget it, and whatever was or is to be sent to it.

        Raises: Refused `unknown_destination` (404).
        """
        found = self.find(name_or_id)
        line = self.line("webhook.removed", found.destination_id, by)

        def remove(tx: Transaction) -> bool:
            if not self.destinations.remove(tx, found.destination_id):
                return False
            self.outbox.remove(tx, endpoint=found.destination_id)
            return True

        self._change(remove, line)

    def _require_no_overlap(self, tx: Transaction, destination_id: str, now: float) -> None:
        """Two secrets sign at the most: a third would end the oldest before the time that its receiver was given."""
        kept = self.destinations.secrets(tx, destination_id)
        if kept is not None and kept.previous_until is not None and now < kept.previous_until:
            text = "the secret before the present one still signs; an overlap of 0 ends it at once"
            raise Refused("overlap_running", text, status=409)

    def _check(self, wanted: Destination) -> None:
        check_terms(wanted)
        if wanted.kind not in self.checks or wanted.format not in RENDERERS:
            raise Refused("invalid_destination", "this kind or format is not known here", status=400)
        self.checks[wanted.kind](wanted.url)

    def _set_disabled(self, destination_id: str, line: AuditEvent, *, at: float | None) -> bool:
        def job(tx: Transaction) -> bool:
            if not self.destinations.set_disabled(tx, destination_id, at=at, reason=line.rule or ""):
                return False
            self.audit.record(tx, line)
            return True

        return self.database.write_sync(job)

    def _change(self, change: Callable[[Transaction], bool], line: AuditEvent) -> None:
        def job(tx: Transaction) -> bool:
            if not change(tx):
                return False
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):  # removed since we looked
            raise _unknown()

    def _new_secret(self, destination_id: str, show: Show) -> bytes:
        secret = new_secret(self.randomness)
        show(secret)
        return self.vault.seal(secret.encode(), secret_purpose(destination_id))

    def line(self, kind: Kind, detail: str, by: str | None) -> AuditEvent:
        """What will be written down; the destination's id comes first in the detail."""
        event_id, now = self.randomness.event_id("evt"), self.clock.now()
        facts = Facts(by=by or OPERATOR)
        return AuditEvent(event_id=event_id, ts=now, kind=kind, client_id=by, detail=detail, facts=facts)


def webhook_check(*, allow_private: bool) -> CheckUrl:
    """Lets an address pass that we would send to."""

    def check(url: str) -> None:
        try:
            parse_target(url, allow_private=allow_private)
        except TargetRefused as refused:
            text = f"the address is no place to send to ({refused.code})"
            raise Refused("invalid_destination", text, status=400) from None

    return check


def _unknown() -> Refused:
    return Refused("unknown_destination", "there is no destination of this name", status=404)


def _taken() -> Refused:
    return Refused("destination_exists", "there is a destination of this name already", status=409)
