"""Applications hear that a session ended in which they had a part: their notices leave with the transaction that ends
it, and become signed logout tokens when they are sent.

Source: OpenID Connect Back-Channel Logout 1.0, section 2.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from auth_gateway.core.provider.logout import EVENT_TYPE, LogoutNotice, endpoint_of, notice_id
from auth_gateway.core.session import Session
from auth_gateway.flows.ports import Clients, Clock, OutboxWriter, Randomness
from auth_gateway.flows.provider.ports import ProviderCodec, SessionClients
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewells:
    """Puts the notices of an ended session into the outbox."""

    clients: Clients
    session_clients: SessionClients
    outbox: OutboxWriter

    def add(self, tx: Transaction, session: Session, *, event_id: str, now: float) -> int:
        """One notice for each application that has a part in the session and an address to be told at; how many.

        A session of the JSON `/login` is its client's own; one of a browser belongs to whoever redeemed a code in it.
        """
        parts = dict.fromkeys(self.session_clients.of(tx, session.session_id))
        if session.browser_id is None:
            parts[session.client_id] = None
        return sum(self._told(tx, client_id, session, event_id=event_id, now=now) for client_id in parts)

    def _told(self, tx: Transaction, client_id: str, session: Session, *, event_id: str, now: float) -> bool:
        client = self.clients.find(tx, client_id)
        if client is None or client.backchannel_logout_uri is None:
            return False
        notice = LogoutNotice(
            client_id=client_id,
            user_id=session.user_id,
            session_id=session.session_id,
            algorithm=client.id_token_signed_response_alg,
        )
        self.outbox.add(
            tx,
            message_id=notice_id(event_id, session_id=session.session_id, client_id=client_id),
            endpoint=endpoint_of(client.backchannel_logout_uri),
            event_type=EVENT_TYPE,
            body=msgspec.json.encode(notice),
            now=now,
        )
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutForms:
    """Turns a stored notice into the form that is sent, at each attempt anew: the token is two minutes young."""

    issuer: str
    codec: ProviderCodec
    clock: Clock
    randomness: Randomness

    def __call__(self, notice: bytes) -> bytes:
        """`logout_token=…` (section 2.5)."""
        told = msgspec.json.decode(notice, type=LogoutNotice)
        claims = told.claims(issuer=self.issuer, jti=self.randomness.uuid(), now=self.clock.now())
        return urlencode({"logout_token": self.codec.encode_logout(claims, told.algorithm)}).encode("ascii")
