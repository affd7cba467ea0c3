"""Where a device is, held against its person before their yes counts: a code that was sent from afar brings a person
who is really themselves, so nothing about the person shows it.

In the person's own network nobody is asked. Elsewhere the device is scored as if the person's browser were there: high
is refused, anything else that is not plainly well takes a second factor. Without a score and without a factor nothing
is connected now: fails closed.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.decision import Challenge, Deny
from auth_gateway.core.factor import Demand, is_shown, stricter, usable
from auth_gateway.core.facts import facts_of
from auth_gateway.core.origin import Browser, first_of, is_same_network
from auth_gateway.core.provider.authorization import DeviceApproval, Interaction
from auth_gateway.core.provider.device_grant import DeviceGrant
from auth_gateway.core.provider.journey import Standing
from auth_gateway.core.ruling import Ruling
from auth_gateway.core.session import Session
from auth_gateway.flows.provider.onward import Drawn, Onward
from auth_gateway.flows.recheck import Recheck, Returning
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.refusals import Refused
from plumbing.statements import Transaction


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The device is refused for where it is; `entry` is what is written of it."""

    incident_id: str
    entry: Entry


class FactorFirst(msgspec.Struct, frozen=True):
    """The person's yes counts after a second factor that answers the demand."""

    demand: Demand


Objection = Refusal | FactorFirst


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRisk:
    """Judges where a device is."""

    onward: Onward
    recheck: Recheck
    recorder: Recorder

    async def objection(self, interaction: Interaction, drawn: Drawn) -> Objection | None:
        """What stands against the yes of the person who asks for it at `drawn.context`; None is nothing.

        Raises: Refused `risk_unknown` (503) when neither a score nor a second factor can speak for it; "busy" (503).
        """
        grant, standing, username = self.onward.database.read(lambda tx: self._facts(tx, interaction, drawn.now))
        session = standing.session
        if grant is None or session is None:
            return None  # whoever answers finds that out and says so
        ruling = await self.ruling(grant, session, drawn)
        if ruling is None or not isinstance(ruling.decision, Deny | Challenge):
            return None
        if not isinstance(ruling.decision, Deny):
            # A code by mail is read wherever the mail is: it says nothing of who holds a device that is far away.
            demand = stricter(ruling.decision.demand, "enrolled")
            if _has_answered(session, demand):
                return None
            if usable(standing.factors, demand):
                return FactorFirst(demand)
            if ruling.level is None:
                text = "We cannot check where this device is now. Try again in a moment."
                raise Refused("risk_unknown", text, status=503, retry_after_seconds=30)
        return self._refusal(interaction, session, ruling, drawn, username=username)

    async def ruling(self, grant: DeviceGrant, session: Session, drawn: Drawn) -> Ruling | None:
        """What policy says of the device's place; None when nobody is asked: it is the person's own, or unknown because
        a server asked in the device's name."""
        if not grant.ip or is_same_network(grant.ip, drawn.context.ip):
            return None
        return await self.recheck.refresh(_returning(grant, session, drawn), session.session_id, drawn.now)

    async def country(self, interaction: Interaction, drawn: Drawn) -> str:
        """The country of a device that is elsewhere, as the scorer knows it; "" when nobody does. The page is shown all
        the same when the scorer is down or busy."""
        grant, standing, _ = self.onward.database.read(lambda tx: self._facts(tx, interaction, drawn.now))
        session = standing.session
        if grant is None or session is None or not grant.ip or is_same_network(grant.ip, drawn.context.ip):
            return ""
        try:
            with self.recheck.places.one():
                score = await self.recheck.scorer.score(_returning(grant, session, drawn).event("refresh"))
        except Refused:
            return ""
        return score.explain.country if score is not None else ""

    def _facts(self, tx: Transaction, interaction: Interaction, now: float) -> tuple[DeviceGrant | None, Standing, str]:
        onward, approval = self.onward, interaction.request
        client = onward.clients.find(tx, interaction.client_id)
        if client is None or not isinstance(approval, DeviceApproval):
            return None, Standing(), ""
        standing = onward.standing(tx, interaction.session_id, client, now=now)
        session = standing.session
        username = "" if session is None else onward.users.username(tx, session.user_id)
        return onward.store.device_grants.find(tx, approval.device_digest), standing, username

    def _refusal(
        self, interaction: Interaction, session: Session, ruling: Ruling, drawn: Drawn, *, username: str
    ) -> Refusal:
        incident_id = self.onward.randomness.event_id("inc")
        line = AuditEvent(
            event_id=drawn.event_id,
            ts=drawn.now,
            kind="device.denied",
            user_id=session.user_id,
            client_id=interaction.client_id,
            session_id=session.session_id,
            ip=drawn.context.ip,
            incident_id=incident_id,
            facts=facts_of(drawn.context, None),
        )
        announced = Announced(
            event_id=drawn.event_id,
            user_id=session.user_id,
            username=username,
            rule=ruling.decision.rule,
            incident_id=incident_id,
        )
        entry = self.recorder.denied(ruling.on(line), announced, drawn.context, ruling.score)
        return Refusal(incident_id=incident_id, entry=entry)


def _has_answered(session: Session, demand: Demand) -> bool:
    """Whether such a factor was shown when the session began; a trusted device stands for none."""
    if demand == "phishing_resistant":
        return session.acr == PHISHING_RESISTANT_LEVEL
    return is_shown(session.amr.split())


def _returning(grant: DeviceGrant, session: Session, drawn: Drawn) -> Returning:
    """The device as somebody who comes back to the person's session from where it is."""
    there = LoginContext(ip=grant.ip, timestamp=drawn.now, client_id=grant.client_id, user_agent=grant.user_agent)
    origin = first_of(
        there,
        browser=Browser(user_agent=session.user_agent, ja4=session.ja4),
        ip=session.ip,
        started_at=session.created_at,
        country=session.country,
    )
    return Returning(
        event_id=drawn.event_id,
        user_id=session.user_id,
        client=Client(client_id=grant.client_id),
        context=there,
        origin=origin,
        login_score=session.risk_score,
        amr=tuple(session.amr.split()),
        acr=session.acr,
    )
