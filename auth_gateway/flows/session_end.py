"""A reviewer ends one session of a person's; their other sessions go on, and browsers that are trusted stay trusted."""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.ending import ENDED_BY_REVIEW, Ending
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, Sessions, Users
from auth_gateway.flows.said import Said
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """Ends it. Blocks."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    sessions: Sessions
    audit: AuditTrail
    ending: Ending

    def __call__(self, user_id: str, session_id: str, said: Said) -> bool:
        """Whether it ran until now; one that is over already stays as it is, and nothing is written down.

        Raises: Refused `unknown_user`, `unknown_session` (404); nobody learns whether it is somebody else's.
        """
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=self.clock.now(),
            kind="session.reset",
            user_id=user_id,
            client_id=said.client_id,
            session_id=session_id,
            detail=said.beside("1 ended"),
        )
        return self.database.write_sync(lambda tx: self._end(tx, line))

    def _end(self, tx: Transaction, line: AuditEvent) -> bool:
        session_id = line.session_id or ""
        if self.users.by_id(tx, line.user_id or "") is None:
            raise Refused("unknown_user", "There is no account with this id.", status=404)
        session = self.sessions.find(tx, session_id)
        if session is None or session.user_id != line.user_id:
            raise Refused("unknown_session", "This person has no session with this id.", status=404)
        if line.ts >= session.expires_at:
            return False
        if not self.ending.end(tx, session_id, reason=ENDED_BY_REVIEW, event_id=line.event_id, now=line.ts):
            return False
        self.audit.record(tx, line)
        return True
