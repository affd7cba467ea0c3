"""The end of a session, through whichever door it comes: one set of effects, in the caller's transaction.

The session is over, and with it every refresh family and access token that names it, since each use of one looks at
the session; the audit trail has one line.
"""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.ports import AuditTrail, Sessions
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Ends sessions inside a transaction."""

    sessions: Sessions
    audit: AuditTrail

    def end(self, tx: Transaction, session_id: str, *, reason: str, event_id: str, now: float) -> bool:
        """End one session; False when there is none or it was over already. `event_id` is drawn before the
        transaction, which may run twice; several sessions may end under one."""
        session = self.sessions.find(tx, session_id)
        if session is None or not self.sessions.revoke(tx, session_id, now=now, reason=reason):
            return False
        line = AuditEvent(
            event_id=event_id,
            ts=now,
            kind="session.revoked",
            user_id=session.user_id,
            client_id=session.client_id,
            session_id=session_id,
            rule=reason,
        )
        self.audit.record(tx, line)
        return True
