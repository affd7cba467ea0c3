"""Applications of the provider and people who are signed in at them, put into the database as the flows do it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from auth_gateway.adapters.jwt import Es256Codec, ProviderTokens
from auth_gateway.core.claims import Authentication, by_password
from auth_gateway.core.context import LoginContext, login_event
from auth_gateway.core.provider.authorization import BrowserSession
from auth_gateway.core.provider.client import AUTHORIZATION_CODE, REFRESH_TOKEN, RegisteredClient
from auth_gateway.core.provider.tokens import ClientClaims, id_claims
from auth_gateway.flows.issue import Grant
from plumbing.credentials import digest, new_credential
from plumbing.statements import Transaction
from tests.stories.gateway.story import HOME, Story

ISSUER = "http://localhost:9000"
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True)
class Application:
    """A registration and its secret."""

    client: RegisteredClient
    secret: str

    @property
    def auth(self) -> tuple[str, str]:
        return self.client.client_id, self.secret


@dataclass(frozen=True)
class Visit:
    """One person's part in one session at one application."""

    user_id: str
    session_id: str
    browser_id: str
    cookie: str
    id_token: str
    access_token: str
    refresh_token: str


def registered(story: Story, client_id: str, **fields: Any) -> Application:
    """An application with a code and a refresh grant, and what else is given."""
    grants = (AUTHORIZATION_CODE, REFRESH_TOKEN)
    client = RegisteredClient(client_id=client_id, **{"grant_types": grants, "client_name": client_id, **fields})
    secret, stored = new_credential(story.gateway.randomness, "rgc")
    story.gateway.database.write_sync(
        lambda tx: story.gateway.clients.add(tx, client, b"" if client.is_public else stored, story.clock.now())
    )
    return Application(client, secret)


def signed_in(story: Story, app: Application, username: str = "alice", *, at: Visit | None = None) -> Visit:
    """A person signs in at an application: in a new session of a new browser, or in that of another visit."""
    gateway = story.gateway
    account = gateway.database.read(lambda tx: gateway.users.find(tx, username))
    assert account is not None
    grant = _grant(story, app.client, account.user_id, at)
    cookie = gateway.randomness.token(32) if at is None else at.cookie

    def job(tx: Transaction) -> None:
        if at is None:
            gateway.issuer.write(tx, grant)
            gateway.provider.browser_sessions.add(tx, _browser_session(grant, cookie))
        else:
            gateway.refresh_tokens.start(tx, grant.family)
            gateway.refresh_tokens.add(tx, grant.refresh_token)
        gateway.provider.session_clients.join(tx, grant.session.session_id, app.client.client_id, story.clock.now())

    gateway.database.write_sync(job)
    return _visit(story, app.client, grant, cookie)


def stepped_up(story: Story, app: Application, before: Visit) -> Visit:
    """The same browser after a step-up: another session, another cookie, the earlier session running still."""
    visit = signed_in(story, app)
    gateway = story.gateway

    def job(tx: Transaction) -> None:
        session = gateway.sessions.find(tx, visit.session_id)
        assert session is not None
        gateway.provider.browser_sessions.forget(tx, digest(before.cookie))
        gateway.provider.browser_sessions.forget(tx, digest(visit.cookie))
        tx._connection.execute(  # a step-up writes it at once; here the session is there already
            "UPDATE sessions SET browser_id = ? WHERE session_id = ?", (before.browser_id, visit.session_id)
        )
        gateway.provider.browser_sessions.add(
            tx,
            BrowserSession(
                token_digest=digest(visit.cookie),
                browser_id=before.browser_id,
                session_id=visit.session_id,
                user_id=visit.user_id,
                created_at=story.clock.now(),
                expires_at=story.clock.now() + 43_200,
            ),
        )

    gateway.database.write_sync(job)
    return visit


def own_token(story: Story, app: Application) -> str:
    """An access token that an application got for itself."""
    now = int(story.clock.now())
    claims = ClientClaims(
        iss=ISSUER,
        sub=app.client.client_id,
        aud=app.client.audience or "iam-clients",
        exp=now + 900,
        iat=now,
        jti=story.gateway.randomness.uuid(),
        client_id=app.client.client_id,
        scope="orders",
    )
    return Es256Codec(story.gateway.ring).encode(claims)


def _grant(story: Story, client: RegisteredClient, user_id: str, at: Visit | None) -> Grant:
    now = story.clock.now()
    context = LoginContext(ip=HOME, timestamp=now, client_id=client.client_id)
    event = login_event(context, event_id="evt_seed", user_id=user_id, success=True)
    authentication: Authentication = by_password(now)
    grant = story.gateway.issuer.prepare(
        event, client_id=client.client_id, authentication=authentication, risk_score=None, now=now
    )
    session, family = grant.session, grant.family
    browser_id = story.gateway.randomness.uuid() if at is None else at.browser_id
    session_id = session.session_id if at is None else at.session_id
    replace = msgspec.structs.replace
    return replace(
        grant,
        session=replace(session, session_id=session_id, browser_id=browser_id),
        family=replace(family, session_id=session_id, kind="code", scope=SCOPE, audience=client.audience),
    )


def _browser_session(grant: Grant, cookie: str) -> BrowserSession:
    session = grant.session
    return BrowserSession(
        token_digest=digest(cookie),
        browser_id=session.browser_id or "",
        session_id=session.session_id,
        user_id=session.user_id,
        created_at=session.created_at,
        expires_at=session.created_at + 43_200,
    )


def _visit(story: Story, client: RegisteredClient, grant: Grant, cookie: str) -> Visit:
    session = grant.session
    pair = story.gateway.issuer.pair(
        user_id=session.user_id,
        client_id=client.client_id,
        session_id=session.session_id,
        authentication=session.authentication,
        refresh_text=grant.refresh_text,
        refresh_expires_at=grant.refresh_token.expires_at,
        access_token_id=grant.access_token_id,
        now=session.created_at,
        scope=SCOPE,
        audience=client.audience,
    )
    claims = id_claims(
        issuer=ISSUER,
        user_id=session.user_id,
        client_id=client.client_id,
        session_id=session.session_id,
        authentication=session.authentication,
        now=story.clock.now(),
        nonce=None,
        access_token=pair.access_token,
        more={},
    )
    codec = ProviderTokens(story.gateway.ring, Es256Codec(story.gateway.ring))
    return Visit(
        user_id=session.user_id,
        session_id=session.session_id,
        browser_id=session.browser_id or "",
        cookie=cookie,
        id_token=codec.encode_id(claims, client.id_token_signed_response_alg),
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
    )
