"""An application of the person's shows up for the first time, with a code or as a device that waited: does it come from
where it should? docs/decisions/0012 says what it is held against. An application with a server of its own is not
asked: its connection says nothing about the person.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.announcement import Announced
from auth_gateway.core.decision import Deny
from auth_gateway.core.origin import Browser, first_of, is_same_network
from auth_gateway.core.ruling import Ruling, is_let_go_on, why_ended
from auth_gateway.flows.answers import LoginNeeded, SessionEnded
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import Randomness
from auth_gateway.flows.provider.granting import Asking, Part
from auth_gateway.flows.recheck import Recheck, Returning
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.statements import Transaction


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Where what is redeemed began; `is_proven` says that only who began it can redeem it (PKCE)."""

    ip: str
    started_at: float
    country: str
    is_proven: bool


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the risk says; `ruling` None is nobody asked. `ended` is written when the session ends by it."""

    ruling: Ruling | None = None
    ended: Entry | None = None
    incident_id: str = ""

    @property
    def is_let_go_on(self) -> bool:
        """Whether nothing holds it back."""
        return self.ruling is None or is_let_go_on(self.ruling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Judges where an application comes from, and writes what a refusal means."""

    randomness: Randomness
    recheck: Recheck
    recorder: Recorder
    ending: Ending

    async def judge(self, asking: Asking, part: Part, start: Start) -> Arrival:
        """The same network goes on unasked; another one is scored like a refresh.

        Raises: Refused("busy", 503) when as many refreshes as may are being scored.
        """
        context, session = asking.context, part.session
        if not asking.is_of_the_person or is_same_network(start.ip, context.ip):
            return Arrival()
        origin = first_of(
            context,
            browser=Browser(user_agent=session.user_agent, ja4=session.ja4),
            ip=start.ip,
            started_at=start.started_at,
            country=start.country,
        )
        returning = Returning(
            event_id=asking.event_id,
            user_id=session.user_id,
            client=asking.client,
            context=context,
            origin=origin,
            has_key=start.is_proven,
            username=part.account.username,
            login_score=session.risk_score,
            amr=tuple(session.amr.split()),
            acr=session.acr,
        )
        ruling = await self.recheck.refresh(returning, session.session_id, asking.now)
        if not isinstance(ruling.decision, Deny):
            return Arrival(ruling=ruling)
        incident_id = self.randomness.event_id("inc")
        line = ruling.on(asking.line("token.denied", session))
        announced = Announced(
            event_id=asking.event_id,
            user_id=session.user_id,
            username=part.account.username,
            rule=ruling.decision.rule,
            incident_id=incident_id,
        )
        line = msgspec.structs.replace(line, incident_id=incident_id)
        ended = self.recorder.session_ended(line, announced, context, ruling.score)
        return Arrival(ruling=ruling, ended=ended, incident_id=incident_id)

    def refuse(self, tx: Transaction, asking: Asking, part: Part, arrival: Arrival) -> LoginNeeded | SessionEnded:
        """Write down that it is held back, or end the session; what was redeemed is spent either way."""
        session, ruling = part.session, arrival.ruling
        if arrival.ended is not None and ruling is not None:
            self.ending.end(
                tx, session.session_id, reason=why_ended(ruling.decision.rule), event_id=asking.event_id, now=asking.now
            )
            self.recorder.write(tx, arrival.ended)
            return SessionEnded(incident_id=arrival.incident_id)
        line = asking.line("token.refused", session)
        self.recorder.audit.record(tx, line if ruling is None else ruling.on(line))
        return LoginNeeded("" if ruling is None else ruling.decision.rule)
