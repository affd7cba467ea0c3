"""From one card to the next, and at last to the code: asks `core.provider.journey` what is left to do and writes it.

Everything is decided and written in one transaction, so that of two answers at once one gets the code.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.context import LoginContext, login_event
from auth_gateway.core.factor import Demand
from auth_gateway.core.pending import CHALLENGE_ATTEMPTS, CHALLENGE_TTL_SECONDS, PendingLogin
from auth_gateway.core.provider.account_access import visit_step
from auth_gateway.core.provider.assurance import demanded_level, is_strong_enough
from auth_gateway.core.provider.authorization import (
    ACCOUNT_CLIENT_ID,
    CODE_SECONDS,
    AccountVisit,
    AuthorizationCode,
    AuthorizationRequest,
    Card,
    DeviceApproval,
    Interaction,
)
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.journey import (
    AskConsent,
    ChooseNewPassword,
    GiveCode,
    Refuse,
    SignIn,
    Standing,
    Step,
    StepUp,
    before_a_resting_session,
    next_step,
    stronger,
)
from auth_gateway.core.provider.owed_password import before_going_on, owes_new_password
from auth_gateway.core.provider.reply import BackToAccount, CodeReply, Reply, refused
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from auth_gateway.flows.admission import CHALLENGE_TOKEN_BYTES
from auth_gateway.flows.ports import Clients, Clock, PendingLogins, Randomness, Sealer, Sessions, Users
from auth_gateway.flows.provider.entrance import CHALLENGE_PURPOSE
from auth_gateway.flows.provider.ports import ProviderRepositories
from plumbing.database import Database
from plumbing.statements import Transaction


class CardNext(msgspec.Struct, frozen=True):
    """The person sees the interaction's card."""

    interaction_id: str


class Over(msgspec.Struct, frozen=True):
    """Nothing comes of this interaction any more: finished, too old, or its application is gone."""


Onwards = CardNext | Reply | BackToAccount | Over


OUR_ACCOUNT_PAGES = RegisteredClient(client_id=ACCOUNT_CLIENT_ID)
"""What stands where an application would, for a visit to the own account."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What a step may need, drawn before the transaction that may run twice; `context` is the request's, `risk_score`
    its risk where that was judged."""

    now: float
    code: str
    challenge_token: str
    challenge_id: str
    event_id: str
    context: LoginContext
    risk_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward:
    """Takes interactions further."""

    database: Database
    clock: Clock
    randomness: Randomness
    vault: Sealer
    users: Users
    sessions: Sessions
    clients: Clients
    pending_logins: PendingLogins
    store: ProviderRepositories

    def draw(self, context: LoginContext) -> Drawn:
        """Everything that the next step could need."""
        return Drawn(
            now=self.clock.now(),
            code=self.randomness.token(),
            challenge_token=self.randomness.token(CHALLENGE_TOKEN_BYTES),
            challenge_id=self.randomness.event_id("chg"),
            event_id=self.randomness.event_id("evt"),
            context=context,
        )

    async def __call__(self, interaction_id: str, context: LoginContext) -> Onwards:
        """Whatever comes next for a stored interaction.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        drawn = self.draw(context)
        return await self.database.write(lambda tx: self.advance(tx, interaction_id, drawn))

    def advance(self, tx: Transaction, interaction_id: str, drawn: Drawn, *, has_agreed_here: bool = False) -> Onwards:
        """The same inside a transaction."""
        interaction = self.store.interactions.find(tx, interaction_id)
        client = None if interaction is None else self.client_of(tx, interaction)
        if interaction is None or client is None or not is_open(interaction, drawn.now):
            return Over()
        standing = self.standing(tx, interaction.session_id, client, now=drawn.now, has_agreed_here=has_agreed_here)
        step = self.step(interaction.request, client, standing, began_at=interaction.created_at, now=drawn.now)
        reply = self.settle(tx, interaction, step, standing.session, drawn)
        if reply is not None:
            return reply if self.store.interactions.finish(tx, interaction_id, drawn.now) else Over()
        shown = self.prepare(tx, interaction, step, standing.session, drawn)
        self.store.interactions.show(
            tx, interaction_id, shown.card, session_id=shown.session_id, challenge=shown.challenge
        )
        return CardNext(interaction_id)

    def client_of(self, tx: Transaction, interaction: Interaction) -> RegisteredClient | None:
        """The application that the person is on the way to; None when it is gone."""
        if isinstance(interaction.request, AccountVisit):
            return OUR_ACCOUNT_PAGES
        return self.clients.find(tx, interaction.client_id)

    def standing(
        self,
        tx: Transaction,
        session_id: str | None,
        client: RegisteredClient,
        *,
        now: float,
        has_agreed_here: bool = False,
    ) -> Standing:
        """What is known of the person whose session this is; nobody when it does not run any more."""
        session = None if session_id is None else self.sessions.find(tx, session_id)
        if session is None or session.revoked_at is not None or now >= session.expires_at:
            return Standing()
        account = self.users.by_id(tx, session.user_id)
        if account is None or account.is_frozen:
            return Standing()
        consent = self.store.consents.find(tx, session.user_id, client.client_id)
        return Standing(
            session=session,
            factors=self.users.factor_kinds(tx, session.user_id),
            consented=consent.scope if consent else "",
            has_agreed_here=has_agreed_here,
            owes_new_password=owes_new_password(session, is_password_listed=account.is_password_listed),
        )

    def settle(
        self, tx: Transaction, interaction: Interaction, step: Step, session: Session | None, drawn: Drawn
    ) -> Reply | BackToAccount | None:
        """Where the person goes when this step ends the request; None when a card comes first."""
        request = interaction.request
        if isinstance(request, AccountVisit):
            return BackToAccount(request.page) if isinstance(step, GiveCode) and session is not None else None
        if not isinstance(request, AuthorizationRequest):
            return None
        if isinstance(step, Refuse):
            return refused(request, step.error, step.description)
        if _is_somebody_else(interaction, request, session):
            return refused(request, "login_required", "Another person signed in.")
        if isinstance(step, GiveCode) and session is not None:
            self.store.codes.add(tx, _code(request, session, drawn))
            return CodeReply(redirect_uri=request.redirect_uri, state=request.state, code=drawn.code)
        return None

    def prepare(
        self, tx: Transaction, interaction: Interaction, step: Step, session: Session | None, drawn: Drawn
    ) -> Interaction:
        """The interaction with its next card; a second factor is asked for by a challenge like that of a login."""
        if session is None or isinstance(step, SignIn):
            return msgspec.structs.replace(interaction, card="password", session_id=None, challenge=None)
        if isinstance(step, StepUp):
            account = self.users.by_id(tx, session.user_id)
            version = account.password_version if account else 0
            pending = _pending(session, interaction, drawn, password_version=version, demand=step.demand)
            self.pending_logins.add(tx, pending)
            sealed = self.vault.seal(drawn.challenge_token.encode(), CHALLENGE_PURPOSE)
            return msgspec.structs.replace(interaction, card="code", session_id=session.session_id, challenge=sealed)
        card: Card = "consent" if isinstance(step, AskConsent) else "device"
        if isinstance(step, ChooseNewPassword):
            card = "new_password"
        if isinstance(step, Refuse):  # a device cannot be told; its person is
            card = "denied"
        return msgspec.structs.replace(interaction, card=card, session_id=session.session_id, challenge=None)

    def step(
        self,
        request: AuthorizationRequest | DeviceApproval | AccountVisit,
        client: RegisteredClient,
        standing: Standing,
        *,
        began_at: float | None,
        now: float,
    ) -> Step:
        """What is left to do for a request; `began_at` as `next_step` has it."""
        is_silent = isinstance(request, AuthorizationRequest) and "none" in request.prompt
        if isinstance(request, DeviceApproval):
            step = _device_step(request, standing)
        elif isinstance(request, AccountVisit):
            step = visit_step(request, standing, now=now)
        else:
            step = next_step(request, client, standing, began_at=began_at, now=now)
        step = before_a_resting_session(step, standing, is_silent=is_silent)
        return before_going_on(step, standing, is_silent=is_silent, now=now)


def is_open(interaction: Interaction, now: float) -> bool:
    """Whether something can still come of it."""
    return interaction.finished_at is None and now < interaction.expires_at


def _is_somebody_else(interaction: Interaction, request: AuthorizationRequest, session: Session | None) -> bool:
    """Whether who has signed in here is not the person whom the application named: asking again would help nobody.

    Somebody else who was signed in before is not kept by the interaction: it begins with the password.
    """
    if session is None or interaction.session_id != session.session_id:
        return False
    return request.id_token_hint_sub not in (None, session.user_id)


def _device_step(approval: DeviceApproval, standing: Standing) -> Step:
    """A device gets what it asked for only by the person's own word, so the last card is always shown."""
    session = standing.session
    if session is None:
        return SignIn()
    demanded = demanded_level(approval.acr_values)
    if is_strong_enough(session.acr, demanded):
        return GiveCode()
    return stronger(demanded, standing)


def _code(request: AuthorizationRequest, session: Session, drawn: Drawn) -> AuthorizationCode:
    return AuthorizationCode(
        code_digest=digest(drawn.code),
        client_id=request.client_id,
        session_id=session.session_id,
        redirect_uri=request.redirect_uri,
        scope=request.scope,
        code_challenge=request.code_challenge,
        created_at=drawn.now,
        expires_at=drawn.now + CODE_SECONDS,
        nonce=request.nonce,
        claims=request.claims,
        dpop_jkt=request.dpop_jkt,
    )


def _pending(
    session: Session, interaction: Interaction, drawn: Drawn, *, password_version: int, demand: Demand
) -> PendingLogin:
    """The challenge of a step-up: the password was shown in the login that the session began with."""
    event = login_event(drawn.context, event_id=drawn.event_id, user_id=session.user_id, success=True, kind="step_up")
    return PendingLogin(
        challenge_id=drawn.challenge_id,
        token_digest=digest(drawn.challenge_token),
        user_id=session.user_id,
        client_id=interaction.client_id,
        password_version=password_version,
        device_digest=device_digest(drawn.context.device_id),
        event_id=drawn.event_id,
        event=msgspec.json.encode(event),
        risk_score=_no_quieter(session.risk_score, drawn.risk_score),
        risk_level=None,
        created_at=drawn.now,
        expires_at=drawn.now + CHALLENGE_TTL_SECONDS,
        attempts_left=CHALLENGE_ATTEMPTS,
        country=session.country,
        recognised_at=session.auth_time,
        place=session.place,
        demand=demand,
        amr=session.amr,
    )


def _no_quieter(began_at: float | None, asked_at: float | None) -> float | None:
    """The risk of the session that a step-up makes: a code from a doubtful place does not make it as quiet as the one
    that it is added to. A session that began without a score stays one."""
    return began_at if began_at is None or asked_at is None else max(began_at, asked_at)
