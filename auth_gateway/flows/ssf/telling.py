"""Which streams are told of an event, and the signed token that each of them gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from auth_gateway.core.event import Event
from auth_gateway.core.ssf import subject
from auth_gateway.core.ssf.security_event import told
from auth_gateway.core.ssf.signal import Signal, signal_of
from auth_gateway.core.ssf.stream import Listening, Stream
from auth_gateway.flows.distribution import Told
from auth_gateway.flows.ports import Clock, Logged, SetCodec, Streams, Users
from plumbing.statements import Transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTeller:
    """Makes of a line what each stream is told of it. `key` covers the subjects that streams name; `events` are those
    of a line."""

    issuer: str
    key: bytes
    clock: Clock
    streams: Streams
    users: Users
    sets: SetCodec
    events: Callable[[Logged], list[Event]]

    def listening(self, tx: Transaction) -> Sequence[Listening]:
        """Those that may take events now."""
        return self.streams.listening(tx)

    def told(self, tx: Transaction, logged: Logged, listening: Sequence[Listening]) -> list[Told]:
        """A token for each stream that asked for this event and for its subject."""
        messages: list[Told] = []
        for event, signal in self._signals(logged):
            wanting = [each for each in listening if signal.event_type in each.stream.events_requested]
            names = self._names(tx, event.user_id or "") if wanting else []
            for each in wanting:
                if self._counts(tx, each.stream, names):
                    messages += self._message(each, signal, event)
        return messages

    def _signals(self, logged: Logged) -> list[tuple[Event, Signal]]:
        try:
            found = [(event, signal_of(event, self.issuer)) for event in self.events(logged)]
        except Exception:
            log.exception("event_not_told", event_id=logged.line.event_id, kind=logged.line.kind)
            return []
        return [(event, signal) for event, signal in found if signal is not None]

    def _message(self, listening: Listening, signal: Signal, event: Event) -> list[Told]:
        """One that cannot be made holds up no other."""
        now = self.clock.now()
        try:
            claims = told(signal, listening.stream, issuer=self.issuer, event_id=event.event_id, now=now)
            token = self.sets.signed(claims, listening.algorithm)
        except Exception:
            log.exception("event_not_told", event_id=event.event_id, stream_id=listening.stream.stream_id)
            return []
        return [Told(destination_id=listening.stream.stream_id, event=event, body=token)]

    def _counts(self, tx: Transaction, stream: Stream, names: list[str]) -> bool:
        """Whether the stream is about the person of those names."""
        is_named = self.streams.names_subject(tx, stream.stream_id, names)
        return is_named != (stream.default_subjects == "ALL")

    def _names(self, tx: Transaction, user_id: str) -> list[str]:
        """Every way in which a receiver may have named them; an address only when it is known to be theirs."""
        account = self.users.by_id(tx, user_id)
        address = account.email if account is not None and account.email_verified else ""
        known_by = [subject.by_id(user_id), subject.by_email(address)]
        return list(map(partial(subject.covered, key=self.key), filter(None, known_by)))
