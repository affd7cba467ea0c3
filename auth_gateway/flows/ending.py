"""The end of a session, through whichever door it comes: one set of effects, in the caller's transaction.

The session is over, and with it every refresh family and access token that names it, since each use of one looks at
the session; the audit trail has one line; every application that has a part in it is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.facts import Facts
from auth_gateway.flows.ports import AuditTrail, Sessions
from auth_gateway.flows.provider.farewell import Farewells
from auth_gateway.flows.session_notices import SessionNotices
from plumbing.statements import Transaction

LOGOUT = "logout"
REVOCATION_ENDPOINT = "revocation_endpoint"
OPERATOR = "operator"
ACCOUNT_FROZEN = "account_frozen"
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason's name
PASSWORD_SET = "password_set"  # noqa: S105 - a reason's name
CLIENT_REMOVED = "client_removed"
ANOTHER_PERSON = "another_person"
SESSION_RISK = "session_risk"
SESSION_RISK_EVERYWHERE = "session_risk_everywhere"
RESET_BY_REVIEW = "reset_by_review"
ENDED_BY_REVIEW = "ended_by_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Ends sessions inside a transaction. Without `farewells` no application is told: there is no provider, so none has
    a part in a session. By `notices` the scorer is told."""

    sessions: Sessions
    audit: AuditTrail
    farewells: Farewells | None = None
    notices: SessionNotices | None = None

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
            facts=Facts(
                user_agent=session.user_agent,
                device="" if session.device_digest is None else session.device_digest.hex(),
                country=session.country,
                amr=tuple(session.amr.split()),
            ),
        )
        self.audit.record(tx, line)
        if self.farewells is not None:
            self.farewells.add(tx, session, event_id=event_id, now=now)
        if self.notices is not None:
            self.notices.ended(tx, session, reason=reason, now=now)
        return True

    def end_all(self, tx: Transaction, session_ids: Iterable[str], *, reason: str, event_id: str, now: float) -> int:
        """End each of them; how many still ran."""
        return sum(self.end(tx, each, reason=reason, event_id=event_id, now=now) for each in session_ids)
