"""The browser as an entrance: whoever is let in has a session, a new cookie that leads to it, and comes one card
further, all in the transaction of the decision itself.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import device_digest
from auth_gateway.core.claims import Authentication
from auth_gateway.core.provider.authorization import BrowserSession, Interaction
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from auth_gateway.flows.answers import LetIn
from auth_gateway.flows.ending import ANOTHER_PERSON, Ending
from auth_gateway.flows.ports import KnownDevices, Randomness, Sealer, Sessions
from auth_gateway.flows.provider.ports import BrowserSessions, Interactions
from auth_gateway.flows.renewal import Renewal
from auth_gateway.flows.session_notices import SessionNotices
from auth_gateway.flows.trust import NewTrust, Trust, may_begin
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent

CHALLENGE_PURPOSE = "sign-in-challenge"
OVERTAKEN = "sign_in_overtaken"


class SignedIn(LetIn, frozen=True, kw_only=True):
    """The person is in at this browser; `cookie` is the value that says so from now on, `trusted` the one by which the
    browser is trusted, where that has just begun."""

    cookie: str
    trusted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What every entrance by browser needs."""

    randomness: Randomness
    vault: Sealer
    sessions: Sessions
    devices: KnownDevices
    ending: Ending
    trust: Trust
    browser_sessions: BrowserSessions
    interactions: Interactions
    session_seconds: float
    browser_seconds: float
    renewal: Renewal
    notices: SessionNotices

    def entrance(
        self,
        interaction: Interaction,
        *,
        shown: bytes | None,
        new_trust: NewTrust | None = None,
        resting: Session | None = None,
    ) -> "BrowserEntrance":
        """The entrance of this interaction for the browser that showed the session cookie of digest `shown`;
        `new_trust` is what its person asks for, `resting` the session that goes on once they have shown a factor."""
        return BrowserEntrance(
            door=self,
            interaction=interaction,
            shown=shown,
            cookie=self.randomness.token(),
            browser_id=self.randomness.uuid(),
            event_id=self.randomness.event_id("evt"),
            new_trust=new_trust,
            resting=resting,
        )

    def resting(self, tx: Transaction, interaction: Interaction) -> Session | None:
        """The session that a factor is shown for here, where it rests until then; None begins one of its own."""
        session = None if interaction.session_id is None else self.sessions.find(tx, interaction.session_id)
        return session if session is not None and session.awaits_factor else None

    def still_open(self, tx: Transaction, interaction: Interaction) -> None:
        """
        Raises: Refused `sign_in_overtaken` (409) when the interaction went on since it was looked at: of two answers to
        one card, one counts.
        """
        stored = self.interactions.find(tx, interaction.interaction_id)
        if stored is None or stored.progress != interaction.progress:
            raise Refused(OVERTAKEN, "This step was answered already.", status=409)

    def still_stands(self, tx: Transaction, interaction: Interaction, shown: bytes | None, now: float) -> bool:
        """Whether what a second factor is added to is there: the session that runs at this very browser. Who has
        signed out meanwhile, or was signed out, is not let in by a code alone. A password that was given on this way
        needs nothing else."""
        if interaction.session_id is None:
            return True
        session = self.sessions.find(tx, interaction.session_id)
        browser = None if shown is None else self.browser_sessions.find(tx, shown)
        if session is None or browser is None or session.browser_id != browser.browser_id:
            return False
        return session.revoked_at is None and now < min(session.expires_at, browser.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserEntrance:
    """One interaction's entrance, with all that is drawn for it."""

    door: Door
    interaction: Interaction
    shown: bytes | None
    cookie: str
    browser_id: str
    event_id: str
    new_trust: NewTrust | None = None
    resting: Session | None = None

    def begin(
        self,
        event: LoginEvent,
        *,
        client_id: str,
        authentication: Authentication,
        risk_score: float | None,
        now: float,
        is_vouched: bool,
        country: str,
        place: str = "",
    ) -> "BrowserBeginning":
        if self.resting is not None:
            renewed = msgspec.structs.replace(
                self.resting, amr=authentication.amr_text, acr=authentication.acr, answered_at=now
            )
            return BrowserBeginning(entrance=self, session=renewed, event=event, now=now)
        session = Session(
            session_id=self.door.randomness.uuid(),
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
            expires_at=now + self.door.session_seconds,
            ja4=event.ja4,
            is_vouched=is_vouched,
            country=country,
            place=place,
            browser_id=self.browser_id,
        )
        return BrowserBeginning(entrance=self, session=session, event=event, now=now)

    def challenge(self, tx: Transaction, challenge_token: str) -> None:
        self.door.still_open(tx, self.interaction)
        sealed = self.door.vault.seal(challenge_token.encode(), CHALLENGE_PURPOSE)
        self.door.interactions.show(
            tx, self.interaction.interaction_id, "code", session_id=self.interaction.session_id, challenge=sealed
        )

    def deny(self, tx: Transaction, incident_id: str) -> None:
        """Whatever became of the interaction: a refusal is written down."""
        self.door.interactions.show(
            tx, self.interaction.interaction_id, "denied", session_id=None, incident_id=incident_id
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserBeginning:
    """A session that is about to begin at a browser, or to go on there."""

    entrance: BrowserEntrance
    session: Session
    event: LoginEvent
    now: float

    def write(self, tx: Transaction) -> None:
        """Keep the session under a new cookie; the cookie that was shown leads nowhere any more. The same person stays
        the same browser, so that signing out ends all of it; another person's sessions here end."""
        door, entrance = self.entrance.door, self.entrance
        door.still_open(tx, entrance.interaction)
        if not door.still_stands(tx, entrance.interaction, entrance.shown, self.now):
            raise Refused(OVERTAKEN, "The session that was to become stronger has ended.", status=409)
        before = self._before(tx)
        browser_id = entrance.browser_id if before is None else before.browser_id
        session = msgspec.structs.replace(self.session, browser_id=browser_id)
        self._keep(tx, session)
        if session.device_digest is not None:
            door.devices.remember(tx, session.user_id, session.device_digest, session.created_at)
        door.browser_sessions.add(
            tx,
            BrowserSession(
                token_digest=digest(entrance.cookie),
                browser_id=browser_id,
                session_id=session.session_id,
                user_id=session.user_id,
                created_at=self.now,
                expires_at=self._expires_at(before),
            ),
        )
        if self._new_trust is not None:
            door.trust.begin(tx, self._new_trust, session)
        door.interactions.show(tx, entrance.interaction.interaction_id, "done", session_id=session.session_id)

    def _keep(self, tx: Transaction, session: Session) -> None:
        door = self.entrance.door
        if self.entrance.resting is None:
            door.sessions.add(tx, session)
            door.notices.started(tx, session, device_id=self.event.device_id)
        elif not door.renewal.write(tx, session, self.event, self.now):
            raise Refused(OVERTAKEN, "The session goes on already, or has ended.", status=409)

    def answer(self, score: RiskScore | None) -> SignedIn:
        session, new_trust = self.session, self._new_trust
        return SignedIn(
            session_id=session.session_id,
            user_id=session.user_id,
            cookie=self.entrance.cookie,
            trusted=None if new_trust is None else new_trust.token,
            score=score,
        )

    @property
    def _new_trust(self) -> NewTrust | None:
        return self.entrance.new_trust if may_begin(self.session) else None

    def _before(self, tx: Transaction) -> BrowserSession | None:
        """What the cookie that was shown led to, where it was the same person's."""
        door, entrance, session = self.entrance.door, self.entrance, self.session
        before = None if entrance.shown is None else door.browser_sessions.find(tx, entrance.shown)
        if before is None:
            return None
        door.browser_sessions.forget(tx, before.token_digest)
        if before.user_id == session.user_id:
            return before
        theirs = door.browser_sessions.sessions_of(tx, before.browser_id)
        door.ending.end_all(tx, theirs, reason=ANOTHER_PERSON, event_id=entrance.event_id, now=session.created_at)
        return None

    def _expires_at(self, before: BrowserSession | None) -> float:
        """A second factor alone makes nobody stay longer: the hours count from the password."""
        session = self.session
        is_step_up = session.auth_time < int(self.now)
        if before is not None and is_step_up:
            return before.expires_at
        return session.created_at + self.entrance.door.browser_seconds
