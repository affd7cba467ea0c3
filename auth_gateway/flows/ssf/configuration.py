"""Receivers make, read, change and remove their streams.

Source: OpenID Shared Signals Framework 1.0, section 8.1.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.ssf.stream import (
    MOST_STREAMS,
    POLL,
    PREFIX,
    PUSH,
    DefaultSubjects,
    Stream,
    authorization_purpose,
    configuration,
)
from auth_gateway.core.ssf.wish import Wish, authorization_of, whole, wished
from auth_gateway.flows.ports import AuditTrail, Clock, Mailbox, OutboxWriter, Randomness, Sealer, Streams
from auth_gateway.flows.ssf.ownership import held, owned
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.targets import TargetRefused, parse_target

ID_BYTES = 16

Told = dict[str, Any]
Check = Callable[[Told], None]
"""Looks at the configuration as it was. Raises: Refused where the request contradicts it."""


def unchecked(_told: Told) -> None:
    """Nothing contradicts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Keeps streams; `check_url` lets an address to push to pass.

    Every method raises Refused: `unknown_stream` (404), 503 when the storage fails.
    """

    database: Database
    clock: Clock
    randomness: Randomness
    streams: Streams
    mailbox: Mailbox
    outbox: OutboxWriter
    vault: Sealer
    audit: AuditTrail
    issuer: str
    default_subjects: DefaultSubjects
    check_url: Callable[[str], None]

    async def create(self, client_id: str, wish: Wish) -> Told:
        """A new stream, enabled.

        Raises: Refused `invalid_delivery` (400), `too_many_streams` (409).
        """
        said = whole(wish)
        bare = Stream(
            stream_id=PREFIX + self.randomness.token(ID_BYTES),
            client_id=client_id,
            method=POLL,
            default_subjects=self.default_subjects,
            created_at=self.clock.now(),
        )
        stream = self._checked(wished(bare, said), said)
        sealed = self._sealed(stream, authorization_of(None, bare, said))
        line = self._line("stream.added", stream)

        def job(tx: Transaction) -> None:
            if len(self.streams.of_client(tx, client_id)) >= MOST_STREAMS:
                raise Refused("too_many_streams", "Remove a stream before you add another one.", status=409)
            self.streams.add(tx, stream, sealed)
            self.audit.record(tx, line)

        await self.database.write(job)
        return configuration(stream, self.issuer)

    async def read(self, client_id: str, stream_id: str) -> Told:
        """One stream as it is."""
        stream = await self.database.read_in_thread(lambda tx: owned(self.streams, tx, client_id, stream_id))
        return configuration(stream, self.issuer)

    async def list(self, client_id: str) -> list[Told]:
        """All of that receiver's."""
        found = await self.database.read_in_thread(lambda tx: self.streams.of_client(tx, client_id))
        return [configuration(stream, self.issuer) for stream in found]

    async def update(self, client_id: str, stream_id: str, wish: Wish, check: Check = unchecked) -> Told:
        """Change what is said, and nothing else.

        Raises: Refused `invalid_delivery` (400), and what `check` raises.
        """
        before = await self.database.read_in_thread(lambda tx: owned(self.streams, tx, client_id, stream_id))
        self._checked(wished(before, wish), wish)
        line = self._line("stream.changed", before)

        def job(tx: Transaction) -> Stream:
            stream = held(self.streams, tx, client_id, stream_id)
            check(configuration(stream, self.issuer))
            changed = wished(stream, wish)
            authorization = authorization_of(self._authorization(tx, stream), stream, wish)
            self.streams.change(tx, changed, self._sealed(changed, authorization))
            self.mailbox.hasten(tx, stream_id, line.ts)
            self.audit.record(tx, line)
            return changed

        return configuration(await self.database.write(job), self.issuer)

    async def replace(self, client_id: str, stream_id: str, wish: Wish, check: Check = unchecked) -> Told:
        """Change everything: what is left out goes.

        Raises: as `update`.
        """
        return await self.update(client_id, stream_id, whole(wish), check)

    async def remove(self, client_id: str, stream_id: str) -> None:
        """Nothing is sent any more, and what waits goes nowhere."""
        found = await self.database.read_in_thread(lambda tx: owned(self.streams, tx, client_id, stream_id))
        line = self._line("stream.removed", found)

        def job(tx: Transaction) -> None:
            held(self.streams, tx, client_id, stream_id)
            self.streams.remove(tx, stream_id)
            self.outbox.remove(tx, endpoint=stream_id)
            self.audit.record(tx, line)

        await self.database.write(job)

    def _checked(self, stream: Stream, wish: Wish) -> Stream:
        if stream.method == PUSH and wish.delivery is not msgspec.UNSET:
            self.check_url(stream.endpoint_url)
        return stream

    def _authorization(self, tx: Transaction, stream: Stream) -> str | None:
        sealed = self.streams.authorization(tx, stream.stream_id)
        return None if sealed is None else self.vault.open(sealed, authorization_purpose(stream.stream_id)).decode()

    def _sealed(self, stream: Stream, authorization: str | None) -> bytes | None:
        if authorization is None:
            return None
        return self.vault.seal(authorization.encode(), authorization_purpose(stream.stream_id))

    def _line(self, kind: Kind, stream: Stream) -> AuditEvent:
        event_id, now = self.randomness.event_id("evt"), self.clock.now()
        return AuditEvent(event_id=event_id, ts=now, kind=kind, client_id=stream.client_id, detail=stream.stream_id)


def target_check(*, allow_private: bool) -> Callable[[str], None]:
    """Lets an address pass that events may be pushed to; `allow_private` is for a demo."""

    def check(url: str) -> None:
        try:
            parse_target(url, allow_private=allow_private)
        except TargetRefused as refused:
            text = "Events are pushed to an https address outside: endpoint_url is none."
            raise Refused("invalid_delivery", text, status=400, evidence={"reason": refused.code}) from None

    return check
