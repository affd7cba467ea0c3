"""What the scorer is told of sessions: that one began, was stepped up, or ended. It leaves with the transaction that
does so, in a lane of its own: a scorer that is too old for it holds up no outcome. That a session ran out is not told,
since each notice of a living one says when it will.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from auth_gateway.core.session import Session
from auth_gateway.flows.ports.records import OutboxWriter
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.sessions import SessionNotice
from webhooks.announcement import message_id

SESSIONS_ENDPOINT: Final = "scorer-sessions"
SESSION_EVENT_TYPE: Final = "session.notice"
MOST_ROLES: Final = 64
"""As many as the contract takes."""


class RolesOfPeople(Protocol):
    """What people are, in the operator's own words."""

    def of(self, tx: Transaction, user_id: str) -> tuple[str, ...] | None:
        """The groups and roles that name this person; None where there are no such words."""
        ...


class NoRoles:
    """The operator has no words for people."""

    def of(self, tx: Transaction, user_id: str) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNotices:
    """Puts notices into the outbox; none where no scorer takes them."""

    outbox: OutboxWriter
    is_on: bool = True
    roles: RolesOfPeople = field(default_factory=NoRoles)

    def started(self, tx: Transaction, session: Session, *, device_id: str = "") -> None:
        """A session began. The device's own id goes along, as it does when a login is scored: what an application
        reports later is held against it."""
        began = SessionNotice(
            session_id=session.session_id,
            user_id=session.user_id,
            state="started",
            at=session.created_at,
            client_id=session.client_id,
            ip=session.ip,
            user_agent=session.user_agent,
            device_id=device_id,
            ja4=session.ja4,
            country=session.country,
            roles=self._roles(tx, session),
            amr=tuple(session.amr.split()),
            expires_at=session.expires_at,
        )
        self._add(tx, began, f"{session.session_id}.started", now=session.created_at)

    def stepped_up(self, tx: Transaction, session: Session, shown: LoginEvent, now: float) -> None:
        """Its owner showed a factor, from where `shown` says, and it goes on."""
        notice = SessionNotice(
            session_id=session.session_id,
            user_id=session.user_id,
            state="stepped_up",
            at=now,
            client_id=session.client_id,
            ip=shown.ip,
            user_agent=shown.user_agent,
            device_id=shown.device_id,
            ja4=shown.ja4,
            country=session.country,
            roles=self._roles(tx, session),
            amr=tuple(session.amr.split()),
            expires_at=session.expires_at,
        )
        self._add(tx, notice, f"{session.session_id}.stepped_up.{int(now * 1000)}", now=now)

    def ended(self, tx: Transaction, session: Session, *, reason: str, now: float) -> None:
        """It is over, for that reason."""
        notice = SessionNotice(
            session_id=session.session_id,
            user_id=session.user_id,
            state="ended",
            at=now,
            client_id=session.client_id,
            reason=reason,
        )
        self._add(tx, notice, f"{session.session_id}.ended", now=now)

    def _roles(self, tx: Transaction, session: Session) -> tuple[str, ...] | None:
        """None is not known here: what applications say of it counts then."""
        found = self.roles.of(tx, session.user_id) if self.is_on else None
        return None if found is None else found[:MOST_ROLES]

    def _add(self, tx: Transaction, notice: SessionNotice, name: str, *, now: float) -> None:
        if self.is_on:
            self.outbox.add(
                tx,
                message_id=message_id(name),
                endpoint=SESSIONS_ENDPOINT,
                event_type=SESSION_EVENT_TYPE,
                body=msgspec.json.encode(notice),
                now=now,
            )
