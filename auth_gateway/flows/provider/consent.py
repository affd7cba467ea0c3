"""The cards that ask for a person's word: may this application have this, and is this device theirs."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import LoginContext
from auth_gateway.core.facts import facts_of
from auth_gateway.core.provider.authorization import AuthorizationRequest, Consent, DeviceApproval, Interaction
from auth_gateway.core.provider.device_grant import Whereabouts, whereabouts
from auth_gateway.core.provider.journey import StepUp
from auth_gateway.core.provider.reply import CodeReply, refused
from auth_gateway.core.session import Session
from auth_gateway.flows.ports import AuditTrail
from auth_gateway.flows.provider.device_risk import DeviceRisk, FactorFirst, Objection
from auth_gateway.flows.provider.onward import CardNext, Drawn, Onward, Onwards, Over
from auth_gateway.flows.provider.visits import Visits
from plumbing.statements import Transaction


class Approved(msgspec.Struct, frozen=True):
    """The person's word about a device is kept; there is nothing to return to."""

    is_approved: bool


class AskingDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device that waits for a person's word, and where it is; `country` is "" where nobody knows."""

    user_code: str
    place: Whereabouts
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreements:
    """Keeps what people say yes and no to."""

    onward: Onward
    audit: AuditTrail
    device_risk: DeviceRisk
    visits: Visits

    async def device(self, interaction: Interaction, context: LoginContext) -> AskingDevice | None:
        """The device that this interaction is about, as its person should see it."""
        approval = interaction.request
        if not isinstance(approval, DeviceApproval):
            return None
        grants = self.onward.store.device_grants
        grant = self.onward.database.read(lambda tx: grants.find(tx, approval.device_digest))
        if grant is None:
            return None
        country = await self.device_risk.country(interaction, self.onward.draw(context))
        return AskingDevice(user_code=grant.user_code, place=whereabouts(grant.ip, context.ip), country=country)

    async def answer(self, interaction: Interaction, context: LoginContext, *, is_given: bool) -> Onwards | Approved:
        """The person's answer to the card that is shown; of two at once the first counts.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        drawn = self.onward.draw(msgspec.structs.replace(context, client_id=interaction.client_id))
        objection = None
        if is_given and isinstance(interaction.request, DeviceApproval):
            objection = await self.device_risk.objection(interaction, drawn)
        answer = await self.onward.database.write(
            lambda tx: self._answer(tx, interaction, drawn, is_given=is_given, objection=objection)
        )
        if isinstance(answer, CodeReply | Approved):
            await self.visits.finish(context.ip)
        return answer

    def _answer(
        self, tx: Transaction, interaction: Interaction, drawn: Drawn, *, is_given: bool, objection: Objection | None
    ) -> Onwards | Approved:
        store = self.onward.store
        stored = store.interactions.find(tx, interaction.interaction_id)
        if stored is None or stored.progress != interaction.progress or not _is_asked(interaction):
            return CardNext(interaction.interaction_id)
        client = self.onward.clients.find(tx, interaction.client_id)
        if client is None:
            return Over()
        session = self.onward.standing(tx, interaction.session_id, client, now=drawn.now).session
        if session is None or session.awaits_factor:  # since the card is on the screen
            return self.onward.advance(tx, interaction.interaction_id, drawn)
        if isinstance(interaction.request, DeviceApproval):
            if objection is not None:
                return self._object(tx, interaction, interaction.request, session, drawn, objection=objection)
            return self._about_device(tx, interaction, interaction.request, session, drawn, is_given=is_given)
        if not isinstance(interaction.request, AuthorizationRequest):  # nobody is asked on the way to the own account
            return CardNext(interaction.interaction_id)
        return self._about_scope(tx, interaction, interaction.request, session, drawn, is_given=is_given)

    def _about_scope(
        self,
        tx: Transaction,
        interaction: Interaction,
        request: AuthorizationRequest,
        session: Session,
        drawn: Drawn,
        *,
        is_given: bool,
    ) -> Onwards:
        kind: Kind = "consent.given" if is_given else "consent.refused"
        self.audit.record(tx, _line(kind, interaction, session, drawn, detail=request.scope))
        store = self.onward.store
        if not is_given:
            is_first = store.interactions.finish(tx, interaction.interaction_id, drawn.now)
            return refused(request, "access_denied", "The person did not agree.") if is_first else Over()
        before = store.consents.find(tx, session.user_id, request.client_id)
        scopes = [*(before.scope.split() if before else []), *request.scope.split()]
        consent = Consent(
            user_id=session.user_id,
            client_id=request.client_id,
            scope=" ".join(dict.fromkeys(scopes)),
            granted_at=drawn.now,
        )
        store.consents.put(tx, consent)
        return self.onward.advance(tx, interaction.interaction_id, drawn, has_agreed_here=True)

    def _about_device(
        self,
        tx: Transaction,
        interaction: Interaction,
        approval: DeviceApproval,
        session: Session,
        drawn: Drawn,
        *,
        is_given: bool,
    ) -> Approved | Over:
        store = self.onward.store
        store.interactions.finish(tx, interaction.interaction_id, drawn.now)
        is_pending = store.device_grants.answer(
            tx, approval.device_digest, session_id=session.session_id if is_given else None, now=drawn.now
        )
        if not is_pending:
            return Over()
        kind: Kind = "device.approved" if is_given else "device.denied"
        self.audit.record(tx, _line(kind, interaction, session, drawn, detail=approval.scope))
        return Approved(is_given)

    def _object(
        self,
        tx: Transaction,
        interaction: Interaction,
        approval: DeviceApproval,
        session: Session,
        drawn: Drawn,
        *,
        objection: Objection,
    ) -> Onwards:
        """The yes does not count: a code is asked for first, or the device is refused."""
        store, interaction_id = self.onward.store, interaction.interaction_id
        if isinstance(objection, FactorFirst):
            shown = self.onward.prepare(tx, interaction, StepUp(objection.demand), session, drawn)
            store.interactions.show(
                tx, interaction_id, shown.card, session_id=shown.session_id, challenge=shown.challenge
            )
            return CardNext(interaction_id)
        if not store.device_grants.answer(tx, approval.device_digest, session_id=None, now=drawn.now):
            return Over()
        store.interactions.show(tx, interaction_id, "denied", session_id=None, incident_id=objection.incident_id)
        self.device_risk.recorder.write(tx, objection.entry)
        return CardNext(interaction_id)


def _is_asked(interaction: Interaction) -> bool:
    """Whether the card that asks for this very word is shown. Right after a password another one is for a moment, and
    what is left to do, a second factor perhaps, is not known yet: a yes to that would be a yes to nothing."""
    is_device = isinstance(interaction.request, DeviceApproval)
    return interaction.card == ("device" if is_device else "consent")


def _line(kind: Kind, interaction: Interaction, session: Session, drawn: Drawn, *, detail: str) -> AuditEvent:
    return AuditEvent(
        event_id=drawn.event_id,
        ts=drawn.now,
        kind=kind,
        user_id=session.user_id,
        client_id=interaction.client_id,
        session_id=session.session_id,
        ip=drawn.context.ip,
        detail=detail,
        facts=facts_of(drawn.context, None),
    )
