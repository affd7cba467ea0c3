"""An event of another provider comes in: it is believed or refused, and counts once.

Its mark, its line of the audit trail and everything that it does are one transaction: what was acknowledged was done,
and what was not acknowledged left nothing behind.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.ssf import event_types as types
from auth_gateway.core.ssf.effects import OF_STREAM, effects_of, understood
from auth_gateway.core.ssf.named_subject import NOBODY, Named, named
from auth_gateway.core.ssf.received import ReceivedEvent
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.stream import LONGEST_REASON, LONGEST_STATE
from auth_gateway.core.ssf.transmitter import REMEMBERED_SECONDS, Transmitter, may_be_name
from auth_gateway.flows.ports import Clock, Randomness, SetReader, Transmitters
from auth_gateway.flows.provider.ports import SeenOnce
from auth_gateway.flows.ssf.consequences import Consequences
from plumbing.credentials import matches
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

BEARER = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """Takes tokens, pushed or fetched. `told` is called once something was written that others may be told of."""

    database: Database
    clock: Clock
    randomness: Randomness
    transmitters: Transmitters
    seen: SeenOnce
    read: SetReader
    consequences: Consequences
    issuer: str
    told: Callable[[], None]

    async def pushed(self, name: str, authorization: str, token: str) -> None:
        """One token of the transmitter of that name, with the header that proves the connection to be its own.

        Raises: SetRefused; Refused `unknown_transmitter` (404), `keys_unavailable` (503), 503 of the storage. All fail
        closed, and nothing is lost: what was not acknowledged comes again.
        """
        transmitter, digest = await self.database.read_in_thread(lambda tx: self._of_name(tx, name))
        if digest is not None and not _is_bearer(authorization, digest):
            raise SetRefused("authentication_failed", "The authorization header is missing or wrong.")
        if transmitter.disabled_at is not None:
            raise SetRefused("access_denied", "Events of this transmitter are not taken now.")
        await self.take(transmitter, token)

    async def take(self, transmitter: Transmitter, token: str) -> ReceivedEvent:
        """One token; once this returns it counts, and a repetition changes nothing.

        Raises: as `pushed`.
        """
        now = self.clock.now()
        event = await self.read(token, transmitter, now)
        whom = NOBODY
        if event.event_type not in OF_STREAM:
            if event.subject is None:
                raise SetRefused("invalid_request", "sub_id is missing.")
            whom = named(event.subject, self.issuer, shared_by=transmitter.issuer if transmitter.shares_ids else "")
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=now,
            kind="signal.received",
            rule=event.name,
            detail=f"{transmitter.name} {event.jti}",
        )
        await self.database.write(lambda tx: self._keep(tx, transmitter, event, whom, line))
        self.told()
        return event

    def _keep(self, tx: Transaction, given: Transmitter, event: ReceivedEvent, whom: Named, line: AuditEvent) -> None:
        now = line.ts
        if not self.seen.first(tx, _mark(given, event), now + REMEMBERED_SECONDS):
            self.transmitters.count(tx, given.transmitter_id, ("repeated",), now)
            return
        transmitter = self.transmitters.find(tx, given.transmitter_id)
        if transmitter is None or transmitter.disabled_at is not None:
            raise SetRefused("access_denied", "Events of this transmitter are not taken now.")
        if event.event_type in OF_STREAM:
            self._note(tx, transmitter, event, now)
        elif not understood(event.event_type):
            self.transmitters.count(tx, transmitter.transmitter_id, ("taken", "not_understood"), now)
            return
        elif not self._act(tx, transmitter, event, whom, line):
            self.transmitters.count(tx, transmitter.transmitter_id, ("taken", "unknown_subject"), now)
            return
        self.transmitters.count(tx, transmitter.transmitter_id, ("taken",), now)

    def _act(
        self, tx: Transaction, transmitter: Transmitter, event: ReceivedEvent, whom: Named, line: AuditEvent
    ) -> bool:
        """False when it is about nobody whom we know: that is written down about nobody, and told to nobody."""
        effects = effects_of(event.event_type, event.payload, transmitter.effects)
        affected = self.consequences.affected(tx, whom)
        for place, one in enumerate(affected):
            event_id = line.event_id if place == 0 else f"{line.event_id}.{place}"
            about = AuditEvent(
                event_id=event_id,
                ts=line.ts,
                kind=line.kind,
                user_id=one.account.user_id,
                session_id=one.session_id or None,
                rule=line.rule,
                detail=line.detail,
            )
            self.consequences.apply(tx, about, one, effects, by=transmitter.name, why=event.jti)
        return affected != []

    def _note(self, tx: Transaction, transmitter: Transmitter, event: ReceivedEvent, now: float) -> None:
        """What a transmitter says of its stream; our part of it stays as it is."""
        if event.event_type == types.VERIFICATION:
            self.transmitters.note_verified(
                tx, transmitter.transmitter_id, _shown(event.payload.get("state"), LONGEST_STATE), now
            )
            return
        status, reason = (_shown(event.payload.get(name), LONGEST_REASON) for name in ("status", "reason"))
        self.transmitters.note_status(tx, transmitter.transmitter_id, status, reason)

    def _of_name(self, tx: Transaction, name: str) -> tuple[Transmitter, bytes | None]:
        found = self.transmitters.named(tx, name) if may_be_name(name) else None
        if found is None:
            raise Refused("unknown_transmitter", "There is no transmitter of this name.", status=404)
        return found, self.transmitters.bearer_digest(tx, found.transmitter_id)


def _is_bearer(authorization: str, digest: bytes) -> bool:
    is_bearer = authorization[: len(BEARER)].lower() == BEARER
    return matches(authorization[len(BEARER) :] if is_bearer else "", digest)


def _mark(transmitter: Transmitter, event: ReceivedEvent) -> bytes:
    """`jti` is the transmitter's own: another one may use the same."""
    return hashlib.sha256(f"set\n{transmitter.transmitter_id}\n{event.jti}".encode()).digest()


def _shown(value: object, longest: int) -> str:
    """Another's words as they may be kept and shown."""
    text = value[:longest] if isinstance(value, str) else ""
    return "".join(character if character.isprintable() else "?" for character in text)
