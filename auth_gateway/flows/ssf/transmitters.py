"""The operator says whose events are taken and what they do; for commands, blocks. The audit trail has a line each."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import OPERATOR, Facts
from auth_gateway.core.ssf.effects import Effects
from auth_gateway.core.ssf.transmitter import PREFIX, Standing, Transmitter, check_terms, poll_purpose
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, Sealer, Transmitters
from plumbing.credentials import new_credential
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

ID_BYTES = 12
CREDENTIAL_PREFIX = "rgx"

Show = Callable[[str], None]
"""Takes a new secret before it counts."""
CheckUrl = Callable[[str], None]
"""Lets an address pass that we would connect to. Raises: Refused `invalid_transmitter`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSources:
    """Keeps the list of transmitters."""

    database: Database
    clock: Clock
    randomness: Randomness
    transmitters: Transmitters
    vault: Sealer
    audit: AuditTrail
    check_url: CheckUrl

    def add(self, wanted: Transmitter, *, show: Show | None = None, poll_token: str = "") -> Transmitter:
        """Take its events from now on. With `show` it must show a secret with each push, which goes through `show`,
        this once; `poll_token` is what its own endpoint asks for. Id and time are ours.

        Raises: Refused `invalid_transmitter` (400), `transmitter_exists` (409).
        """
        check_terms(wanted)
        for url in filter(None, (wanted.jwks_uri, wanted.poll_url)):
            self.check_url(url)
        line = self._line("transmitter.added", wanted.name)
        transmitter_id = PREFIX + self.randomness.token(ID_BYTES)
        made = msgspec.structs.replace(wanted, transmitter_id=transmitter_id, created_at=line.ts, disabled_at=None)
        if self.database.read(lambda tx: self.transmitters.named(tx, made.name)) is not None:
            raise _taken()
        bearer_digest = None
        if show is not None:
            secret, bearer_digest = new_credential(self.randomness, CREDENTIAL_PREFIX)
            show(secret)
        sealed = self.vault.seal(poll_token.encode(), poll_purpose(transmitter_id)) if poll_token else None

        def job(tx: Transaction) -> bool:
            if not self.transmitters.add(tx, made, bearer_digest=bearer_digest, sealed_poll_token=sealed):
                return False
            self.audit.record(tx, line)
            return True

        if not self.database.write_sync(job):
            raise _taken()
        return made

    def list(self) -> list[Transmitter]:
        """All of them, by name."""
        return self.database.read(self.transmitters.list)

    def find(self, name: str) -> Transmitter:
        """The one of that name.

        Raises: Refused `unknown_transmitter` (404).
        """
        found = self.database.read(lambda tx: self.transmitters.named(tx, name))
        if found is None:
            raise _unknown()
        return found

    def standing(self, transmitter: Transmitter) -> Standing:
        """What has come of it."""
        return self.database.read(lambda tx: self.transmitters.standing(tx, transmitter.transmitter_id))

    def set_effects(self, name: str, said: dict[str, Effects]) -> Transmitter:
        """Other effects of these types of events; those of the others stay.

        Raises: Refused `unknown_transmitter` (404).
        """
        found, line = self.find(name), self._line("transmitter.changed", name)

        def job(tx: Transaction) -> Transmitter:
            known = self.transmitters.find(tx, found.transmitter_id)
            if known is None:
                raise _unknown()
            changed = msgspec.structs.replace(known, effects={**known.effects, **said})
            self.transmitters.change(tx, changed)
            self.audit.record(tx, line)
            return changed

        return self.database.write_sync(job)

    def set_enabled(self, name: str, *, is_enabled: bool) -> bool:
        """Take its events, or refuse them until further notice; False when it is so already.

        Raises: Refused `unknown_transmitter` (404).
        """
        found, line = self.find(name), self._line("transmitter.changed", name)
        line = msgspec.structs.replace(line, rule="enabled" if is_enabled else "disabled")
        at = None if is_enabled else line.ts

        def job(tx: Transaction) -> bool:
            if not self.transmitters.set_disabled(tx, found.transmitter_id, at=at):
                return False
            self.audit.record(tx, line)
            return True

        return self.database.write_sync(job)

    def remove(self, name: str) -> None:
        """Take its events no more; what they have done stays.

        Raises: Refused `unknown_transmitter` (404).
        """
        found, line = self.find(name), self._line("transmitter.removed", name)

        def job(tx: Transaction) -> None:
            if not self.transmitters.remove(tx, found.transmitter_id):
                raise _unknown()
            self.audit.record(tx, line)

        self.database.write_sync(job)

    def _line(self, kind: Kind, name: str) -> AuditEvent:
        event_id, now = self.randomness.event_id("evt"), self.clock.now()
        return AuditEvent(event_id=event_id, ts=now, kind=kind, detail=name, facts=Facts(by=OPERATOR))


def _taken() -> Refused:
    return Refused("transmitter_exists", "there is a transmitter of this name already", status=409)


def _unknown() -> Refused:
    return Refused("unknown_transmitter", "there is no transmitter of this name", status=404)
