"""A finished login becomes a session, a refresh family and its first tokens, whichever flow finished it."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.claims import SCOPE, Audience, Authentication, Lifetimes, access_claims, token_type
from auth_gateway.core.context import Client
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from auth_gateway.flows.answers import IssuedTokens
from auth_gateway.flows.ports import KnownDevices, Randomness, RefreshTokens, Sessions, TokenCodec
from auth_gateway.flows.session_notices import SessionNotices
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent

REFRESH_TOKEN_BYTES = 32


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that will be written and handed out, drawn before the transaction so that it may run again."""

    session: Session
    family: RefreshFamily
    refresh_token: RefreshToken
    refresh_text: str
    access_token_id: str
    access_seconds: int
    device_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Prepares a grant, writes it inside the caller's transaction, and signs its tokens once that is committed."""

    audience: Audience
    lifetimes: Lifetimes
    randomness: Randomness
    codec: TokenCodec
    sessions: Sessions
    refresh_tokens: RefreshTokens
    devices: KnownDevices
    notices: SessionNotices | None = None

    def prepare(
        self,
        event: LoginEvent,
        *,
        client_id: str,
        authentication: Authentication,
        risk_score: float | None,
        now: float,
        is_vouched: bool = False,
        country: str = "",
        place: str = "",
        client: Client | None = None,
    ) -> Grant:
        """The session and tokens of the login that `event` describes; `is_vouched` says that a client told it,
        `country` and `place` what the scorer found. A registered `client` has lifetimes and an audience of its own."""
        lifetimes = self.lifetimes if client is None else self.lifetimes_of(client)
        session = Session(
            session_id=self.randomness.uuid(),
            user_id=event.user_id,
            client_id=client_id,
            amr=authentication.amr_text,
            acr=authentication.acr,
            auth_time=authentication.auth_time,
            ip=event.ip,
            user_agent=event.user_agent,
            device_digest=device_digest(event.device_id),
            risk_score=risk_score,
            created_at=now,
            expires_at=now + lifetimes.session_seconds,
            ja4=event.ja4,
            is_vouched=is_vouched,
            country=country,
            place=place,
        )
        audience = client.audience if isinstance(client, RegisteredClient) else ""
        return msgspec.structs.replace(self._grant(session, lifetimes, audience), device_id=event.device_id)

    def _grant(self, session: Session, lifetimes: Lifetimes, audience: str) -> Grant:
        """The session with its first family and tokens."""
        now = session.created_at
        family = RefreshFamily(
            family_id=self.randomness.uuid(),
            session_id=session.session_id,
            client_id=session.client_id,
            created_at=now,
            audience=audience,
        )
        text = self.randomness.token(REFRESH_TOKEN_BYTES)
        token = RefreshToken(
            token_digest=digest(text),
            family_id=family.family_id,
            issued_at=now,
            expires_at=min(now + lifetimes.refresh_seconds, session.expires_at),
        )
        return Grant(
            session=session,
            family=family,
            refresh_token=token,
            refresh_text=text,
            access_token_id=self.randomness.uuid(),
            access_seconds=lifetimes.access_seconds,
        )

    def write(self, tx: Transaction, grant: Grant) -> None:
        """Keep the session, its family and first token, and remember the device."""
        session = grant.session
        self.sessions.add(tx, session)
        self.refresh_tokens.start(tx, grant.family)
        self.refresh_tokens.add(tx, grant.refresh_token)
        if session.device_digest is not None:
            self.devices.remember(tx, session.user_id, session.device_digest, session.created_at)
        if self.notices is not None:
            self.notices.started(tx, session, device_id=grant.device_id)

    def tokens(self, grant: Grant) -> IssuedTokens:
        """What the client gets for a grant that is committed."""
        session = grant.session
        return self.pair(
            user_id=session.user_id,
            client_id=session.client_id,
            session_id=session.session_id,
            authentication=session.authentication,
            refresh_text=grant.refresh_text,
            refresh_expires_at=grant.refresh_token.expires_at,
            access_token_id=grant.access_token_id,
            now=session.created_at,
            access_seconds=grant.access_seconds,
            audience=grant.family.audience,
        )

    def pair(
        self,
        *,
        user_id: str,
        client_id: str,
        session_id: str,
        authentication: Authentication,
        refresh_text: str,
        refresh_expires_at: float,
        access_token_id: str,
        now: float,
        access_seconds: int | None = None,
        scope: str = SCOPE,
        audience: str = "",
        jkt: str | None = None,
    ) -> IssuedTokens:
        """A signed access token beside the given refresh token; what is left out is the gateway's own."""
        ttl_seconds = self.lifetimes.access_seconds if access_seconds is None else access_seconds
        claims = access_claims(
            audience=self.audience_of(audience),
            user_id=user_id,
            client_id=client_id,
            session_id=session_id,
            authentication=authentication,
            token_id=access_token_id,
            now=now,
            ttl_seconds=ttl_seconds,
            scope=scope,
            jkt=jkt,
        )
        return IssuedTokens(
            access_token=self.codec.encode(claims),
            expires_in=ttl_seconds,
            refresh_token=refresh_text,
            refresh_expires_in=max(0, int(refresh_expires_at - now)),
            scope=scope,
            token_type=token_type(jkt),
        )

    def audience_of(self, audience: str) -> Audience:
        """Who issues, for that audience; "" is the gateway's own."""
        return self.audience if not audience else Audience(issuer=self.audience.issuer, audience=audience)

    def lifetimes_of(self, client: Client) -> Lifetimes:
        """How long this client's tokens live."""
        if not isinstance(client, RegisteredClient):
            return self.lifetimes
        access, refresh = client.access_ttl_seconds, client.refresh_ttl_seconds
        if access is None and refresh is None:
            return self.lifetimes
        return Lifetimes(
            access_seconds=self.lifetimes.access_seconds if access is None else access,
            refresh_seconds=self.lifetimes.refresh_seconds if refresh is None else refresh,
            session_seconds=self.lifetimes.session_seconds,
        )
