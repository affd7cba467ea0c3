"""Sessions ended by an operator: one, or all of a person. With the session die its refresh tokens, since every refresh
looks at its session; access tokens live out their minutes.
"""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.session import Session
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, Sessions, Users
from plumbing.database import Database
from plumbing.statements import Transaction

LONGEST_LIST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Lists and ends sessions; blocks, for command lines and threads."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    sessions: Sessions
    audit: AuditTrail

    def found(self, username: str | None = None) -> list[Session]:
        """Sessions, the newest first; of one person when a prepared name is given."""
        return self.database.read(lambda tx: self._sessions(tx, username))

    def session(self, session_id: str, *, reason: str) -> bool:
        """End one session; False when there is none that still runs."""
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")

        def job(tx: Transaction) -> bool:
            session = self.sessions.find(tx, session_id)
            if session is None:
                return False
            return end_session(
                tx, session, sessions=self.sessions, audit=self.audit, event_id=event_id, reason=reason, now=now
            )

        return self.database.write_sync(job)

    def all_of(self, username: str, *, reason: str) -> int:
        """End every running session of a person; how many there were."""
        running = [session for session in self.found(username) if session.revoked_at is None]
        return sum(self.session(session.session_id, reason=reason) for session in running)

    def _sessions(self, tx: Transaction, username: str | None) -> list[Session]:
        if username is None:
            return self.sessions.recent(tx, LONGEST_LIST)
        account = self.users.find(tx, username)
        return self.sessions.of_user(tx, account.user_id) if account else []


def end_session(
    tx: Transaction,
    session: Session,
    *,
    sessions: Sessions,
    audit: AuditTrail,
    event_id: str,
    reason: str,
    now: float,
) -> bool:
    """End a session inside a transaction and write it down; False when it was over already."""
    if not sessions.revoke(tx, session.session_id, now=now, reason=reason):
        return False
    line = AuditEvent(
        event_id=event_id,
        ts=now,
        kind="session.revoked",
        user_id=session.user_id,
        client_id=session.client_id,
        session_id=session.session_id,
        rule=reason,
    )
    audit.record(tx, line)
    return True
