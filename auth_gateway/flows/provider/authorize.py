"""One authorization request that is well-formed: is somebody signed in at this browser, is it still them, and what is
left to do? A quiet return gets its code at once; everything else begins an interaction.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.decision import Challenge, Deny
from auth_gateway.core.factor import Demand, stricter
from auth_gateway.core.facts import facts_of
from auth_gateway.core.origin import Origin
from auth_gateway.core.policy import taken
from auth_gateway.core.provider.authorization import (
    INTERACTION_SECONDS,
    AccountVisit,
    AuthorizationRequest,
    DeviceApproval,
    Interaction,
)
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.journey import (
    GiveCode,
    Refuse,
    SignIn,
    Standing,
    Step,
    StepUp,
    before_a_resting_session,
)
from auth_gateway.core.ruling import Ruling, why_ended
from auth_gateway.core.session import Session
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.provider.onward import CardNext, Drawn, Onward, Onwards
from auth_gateway.flows.provider.visits import Visits
from auth_gateway.flows.recheck import Recheck, Returning
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.statements import Transaction


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request at this browser: `shown` is the digest of its session cookie, `binding` that of its sign-in cookie."""

    request: AuthorizationRequest | DeviceApproval | AccountVisit
    client: RegisteredClient
    context: LoginContext
    shown: bytes | None
    binding: bytes

    @property
    def is_silent(self) -> bool:
        """Whether the person may not be shown anything."""
        return isinstance(self.request, AuthorizationRequest) and "none" in self.request.prompt


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done for an arrival. `ended` is what is written when its risk ends the session, `risk_score` its
    risk where that was asked for."""

    arrival: Arrival
    interaction: Interaction
    standing: Standing
    step: Step
    ended: Entry | None = None
    risk_score: float | None = None

    @property
    def needs_a_page(self) -> bool:
        """Whether the person will be shown something, so that an interaction is kept."""
        return isinstance(self.arrival.request, DeviceApproval) or not isinstance(self.step, GiveCode | Refuse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """Answers one authorization request."""

    onward: Onward
    recheck: Recheck
    recorder: Recorder
    ending: Ending
    visits: Visits

    async def __call__(self, arrival: Arrival) -> Onwards:
        """A code or an error for the application, or a card for the person.

        Raises: Refused("throttled", 429) for a card too many; Refused("busy" or "storage_unavailable", 503).
        """
        onward = self.onward
        drawn = onward.draw(msgspec.structs.replace(arrival.context, client_id=arrival.client.client_id))
        interaction = Interaction(
            interaction_id=onward.randomness.token(),
            binding_digest=arrival.binding,
            client_id=arrival.client.client_id,
            request=arrival.request,
            created_at=drawn.now,
            expires_at=drawn.now + INTERACTION_SECONDS,
        )
        standing = onward.database.read(lambda tx: self._standing(tx, arrival, drawn.now))
        judged = await self._judged(arrival, interaction, standing, drawn)
        if judged.needs_a_page:
            await self.visits.begin(arrival.context.ip)
        return await onward.database.write(lambda tx: self._write(tx, judged, drawn))

    def _standing(self, tx: Transaction, arrival: Arrival, now: float) -> Standing:
        """Who is signed in here; an account that is frozen, or a session that is over, is nobody."""
        browser = None if arrival.shown is None else self.onward.store.browser_sessions.find(tx, arrival.shown)
        session_id = browser.session_id if browser is not None and now < browser.expires_at else None
        return self.onward.standing(tx, session_id, arrival.client, now=now)

    async def _judged(self, arrival: Arrival, interaction: Interaction, standing: Standing, drawn: Drawn) -> Judged:
        """The next step with the risk taken into account. Who must sign in anyway is judged then."""
        step = self._step(arrival, standing, drawn.now)
        session = standing.session
        if session is None or isinstance(step, SignIn) or _is_login_required(step):
            return Judged(arrival=arrival, interaction=interaction, standing=standing, step=step)
        ruling = await self._ruling(arrival, session, drawn)
        if isinstance(ruling.decision, Deny):
            return self._denied(arrival, interaction, session, ruling, drawn)
        if isinstance(ruling.decision, Challenge):
            demand = stricter(ruling.decision.demand, step.demand if isinstance(step, StepUp) else "any")
            standing, step = self._challenged(arrival, standing, ruling, demand, drawn.now)
        return Judged(
            arrival=arrival, interaction=interaction, standing=standing, step=step, risk_score=ruling.risk_score
        )

    def _step(self, arrival: Arrival, standing: Standing, now: float) -> Step:
        return self.onward.step(arrival.request, arrival.client, standing, began_at=None, now=now)

    async def _ruling(self, arrival: Arrival, session: Session, drawn: Drawn) -> Ruling:
        returning = Returning(
            event_id=drawn.event_id,
            user_id=session.user_id,
            # What the browser sends was seen by ourselves; no application stands between.
            client=Client(client_id=arrival.client.client_id),
            context=drawn.context,
            origin=origin_of(session),
            login_score=session.risk_score,
            amr=tuple(session.amr.split()),
            acr=session.acr,
        )
        return await self.recheck.refresh(returning, session.session_id, drawn.now)

    def _challenged(
        self, arrival: Arrival, standing: Standing, ruling: Ruling, demand: Demand, now: float
    ) -> tuple[Standing, Step]:
        """The session is not strong enough for where it comes from: a factor that answers the demand, or the password
        where there is none. A scorer that does not answer is no reason to trust a code more than a password."""
        if ruling.level is not None and taken(standing.factors, demand, self.recheck.policy):
            return standing, Refuse(
                "interaction_required", "A second factor is needed."
            ) if arrival.is_silent else StepUp(demand)
        return Standing(), self._step(arrival, Standing(), now)

    def _denied(
        self, arrival: Arrival, interaction: Interaction, session: Session, ruling: Ruling, drawn: Drawn
    ) -> Judged:
        """The session ends; the person gets an incident id, the application nothing but that nobody is signed in."""
        incident_id = self.onward.randomness.event_id("inc")
        line = ruling.on(
            AuditEvent(
                event_id=drawn.event_id,
                ts=drawn.now,
                kind="login.denied",
                user_id=session.user_id,
                client_id=arrival.client.client_id,
                session_id=session.session_id,
                ip=drawn.context.ip,
                incident_id=incident_id,
                facts=facts_of(drawn.context, None),
            )
        )
        announced = Announced(
            event_id=drawn.event_id,
            user_id=session.user_id,
            username=self.onward.database.read(lambda tx: self.onward.users.username(tx, session.user_id)),
            rule=ruling.decision.rule,
            incident_id=incident_id,
        )
        return Judged(
            arrival=arrival,
            interaction=msgspec.structs.replace(interaction, card="denied", incident_id=incident_id),
            standing=Standing(session=session),
            step=self._step(arrival, Standing(), drawn.now),
            ended=self.recorder.session_ended(line, announced, drawn.context, ruling.score),
        )

    def _write(self, tx: Transaction, judged: Judged, drawn: Drawn) -> Onwards:
        onward, session, interaction = self.onward, judged.standing.session, judged.interaction
        if judged.ended is not None:
            return self._write_denial(tx, judged, drawn)
        step, drawn = judged.step, msgspec.structs.replace(drawn, risk_score=judged.risk_score)
        if session is not None and isinstance(step, GiveCode | StepUp):
            # It may have ended while its risk was asked for.
            still = onward.standing(tx, session.session_id, judged.arrival.client, now=drawn.now)
            if still.session is None:
                session, step = None, self._step(judged.arrival, Standing(), drawn.now)
            else:
                step = before_a_resting_session(step, still, is_silent=judged.arrival.is_silent)
        if session is not None:
            onward.sessions.see(tx, session.session_id, drawn.now)
        reply = onward.settle(tx, interaction, step, session, drawn)
        if reply is not None:
            return reply
        onward.store.interactions.start(tx, onward.prepare(tx, interaction, step, session, drawn))
        return CardNext(interaction.interaction_id)

    def _write_denial(self, tx: Transaction, judged: Judged, drawn: Drawn) -> Onwards:
        onward, session, interaction = self.onward, judged.standing.session, judged.interaction
        if judged.ended is not None:
            self.recorder.write(tx, judged.ended)
        if session is not None:
            reason = why_ended(None if judged.ended is None else judged.ended.line.rule)
            self.ending.end(tx, session.session_id, reason=reason, event_id=drawn.event_id, now=drawn.now)
        reply = onward.settle(tx, interaction, judged.step, None, drawn)
        if reply is not None:
            return reply
        onward.store.interactions.start(tx, interaction)
        return CardNext(interaction.interaction_id)


def _is_login_required(step: Step) -> bool:
    return isinstance(step, Refuse) and step.error == "login_required"


def origin_of(session: Session) -> Origin:
    """Where a session began, for a request of it to be held against."""
    return Origin(
        ip=session.ip,
        user_agent=session.user_agent,
        device_digest=session.device_digest,
        ja4=session.ja4,
        started_at=session.created_at,
        is_vouched=bool(session.is_vouched),
        country=session.country,
    )
