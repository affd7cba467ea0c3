"""An application gets its part in a session: it joins, a refresh family begins, and its first tokens are signed once
that is committed. Which code or device brought it here is the business of `redeem`.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account, device_digest
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import LoginContext
from auth_gateway.core.facts import facts_of
from auth_gateway.core.provider.client import REFRESH_TOKEN, RegisteredClient
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import FamilyKind, FirstSeen, RefreshFamily, RefreshToken, Session
from auth_gateway.core.vocabulary import is_told
from auth_gateway.flows.answers import AccessAlone, IssuedTokens
from auth_gateway.flows.issue import REFRESH_TOKEN_BYTES, Issuer
from auth_gateway.flows.ports import Randomness, RefreshTokens, Sessions, Users
from auth_gateway.flows.provider.identity import IdTokens, claims_inside
from auth_gateway.flows.provider.ports import Proof, SeenOnce, SessionClients
from plumbing.statements import Transaction


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """One request for first tokens, with everything drawn beforehand, so that its transaction may run again."""

    client: RegisteredClient
    context: LoginContext
    proof: Proof | None
    now: float
    event_id: str
    family_id: str
    refresh_text: str
    access_token_id: str

    @property
    def is_of_the_person(self) -> bool:
        """Whether the connection is the person's own machine's, and no server's of the application."""
        return self.client.application_type == "native"

    @property
    def jkt(self) -> str | None:
        """The key that was proven."""
        return None if self.proof is None else self.proof.jkt

    def line(self, kind: Kind, session: Session, *, rule: str | None = None, detail: str | None = None) -> AuditEvent:
        """An audit line about it; a server's address would say nothing about the person."""
        return AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind=kind,
            user_id=session.user_id,
            client_id=self.client.client_id,
            session_id=session.session_id,
            ip=self.context.ip if self.is_of_the_person else None,
            rule=rule,
            detail=detail,
            facts=facts_of(self.context, None) if self.is_of_the_person and is_told(kind) else None,
        )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What the application is let into, and as far as the person granted it."""

    session: Session
    account: Account
    kind: FamilyKind
    scope: str
    nonce: str | None = None
    claims: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granting:
    """Writes an application's part inside the caller's transaction, and signs its tokens afterwards."""

    randomness: Randomness
    issuer: Issuer
    id_tokens: IdTokens
    users: Users
    sessions: Sessions
    refresh_tokens: RefreshTokens
    session_clients: SessionClients
    seen_once: SeenOnce

    def asking(self, client: RegisteredClient, context: LoginContext, proof: Proof | None, *, now: float) -> Asking:
        """The request with its secrets and ids drawn."""
        return Asking(
            client=client,
            context=context,
            proof=proof,
            now=now,
            event_id=self.randomness.event_id("evt"),
            family_id=self.randomness.uuid(),
            refresh_text=self.randomness.token(REFRESH_TOKEN_BYTES),
            access_token_id=self.randomness.uuid(),
        )

    def running(self, tx: Transaction, session_id: str, now: float) -> tuple[Session, Account] | None:
        """The session with its person, as long as it runs, awaits no factor, and the account is not frozen."""
        session = self.sessions.find(tx, session_id)
        if session is None or session.revoked_at is not None or now >= session.expires_at or session.awaits_factor:
            return None
        account = self.users.by_id(tx, session.user_id)
        return None if account is None or account.is_frozen else (session, account)

    def counts(self, tx: Transaction, asking: Asking) -> bool:
        """Whether the proof that came along, if one did, is shown for the first time."""
        proof = asking.proof
        return proof is None or self.seen_once.first(tx, proof.replay_digest, proof.expires_at)

    def write(self, tx: Transaction, asking: Asking, part: Part) -> bool:
        """The application joins the session, and its family begins; False when another process has just ended the
        session. Only a public client's refresh tokens are bound: the others prove themselves each time (RFC 9449,
        section 5)."""
        if not self.session_clients.join(tx, part.session.session_id, asking.client.client_id, asking.now):
            return False
        if REFRESH_TOKEN in asking.client.grant_types or part.claims is not None:
            self._start(tx, asking, part)
        return True

    def _start(self, tx: Transaction, asking: Asking, part: Part) -> None:
        """Without a right to refresh the family has no token: it keeps what /userinfo was asked for."""
        client, context, session = asking.client, asking.context, part.session
        first_seen = FirstSeen(
            ip=context.ip,
            user_agent=context.user_agent,
            device_digest=device_digest(context.device_id),
            ja4=context.ja4,
        )
        family = RefreshFamily(
            family_id=asking.family_id,
            session_id=session.session_id,
            client_id=client.client_id,
            created_at=asking.now,
            kind=part.kind,
            scope=part.scope,
            audience=client.audience,
            jkt=asking.jkt if client.is_public else None,
            claims=part.claims,
            first_seen=first_seen if asking.is_of_the_person else None,
        )
        self.refresh_tokens.start(tx, family)
        if REFRESH_TOKEN in client.grant_types:
            self.refresh_tokens.add(tx, self._first_token(asking, part))

    def tokens(self, asking: Asking, part: Part) -> IssuedTokens | AccessAlone:
        """What the application gets for a part that is committed."""
        client, session = asking.client, part.session
        pair = self.issuer.pair(
            user_id=session.user_id,
            client_id=client.client_id,
            session_id=session.session_id,
            authentication=session.authentication,
            refresh_text=asking.refresh_text,
            refresh_expires_at=self._expires_at(asking, session),
            access_token_id=asking.access_token_id,
            now=asking.now,
            access_seconds=self.issuer.lifetimes_of(client).access_seconds,
            scope=part.scope,
            audience=client.audience,
            jkt=asking.jkt,
        )
        if "openid" in part.scope.split():
            id_token = self.id_tokens.encode(
                client=client,
                user_id=session.user_id,
                session_id=session.session_id,
                authentication=session.authentication,
                access_token=pair.access_token,
                now=asking.now,
                nonce=part.nonce,
                more=claims_inside(part.account, client, scope=part.scope, claims=part.claims),
            )
            pair = msgspec.structs.replace(pair, id_token=id_token)
        return pair if REFRESH_TOKEN in client.grant_types else _without_refresh(pair)

    def _first_token(self, asking: Asking, part: Part) -> RefreshToken:
        return RefreshToken(
            token_digest=digest(asking.refresh_text),
            family_id=asking.family_id,
            issued_at=asking.now,
            expires_at=self._expires_at(asking, part.session),
        )

    def _expires_at(self, asking: Asking, session: Session) -> float:
        return min(asking.now + self.issuer.lifetimes_of(asking.client).refresh_seconds, session.expires_at)


def _without_refresh(pair: IssuedTokens) -> AccessAlone:
    return AccessAlone(
        access_token=pair.access_token,
        expires_in=pair.expires_in,
        scope=pair.scope,
        token_type=pair.token_type,
        id_token=pair.id_token,
    )
