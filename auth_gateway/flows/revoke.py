"""Sessions ended by an operator: one, or all of a person, with everything that the end of a session takes with it."""

from dataclasses import dataclass

from auth_gateway.core.session import Session
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import Clock, Randomness, Sessions, Users
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
    ending: Ending

    def found(self, username: str | None = None) -> list[Session]:
        """Sessions, the newest first; of one person when a prepared name is given."""
        return self.database.read(lambda tx: self._sessions(tx, username))

    def session(self, session_id: str, *, reason: str) -> bool:
        """End one session; False when there is none that still runs."""
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")
        return self.database.write_sync(
            lambda tx: self.ending.end(tx, session_id, reason=reason, event_id=event_id, now=now)
        )

    def all_of(self, username: str, *, reason: str) -> int:
        """End every running session of a person, all of them or none; how many there were. A second factor that is
        being added to one of them at this moment saves none."""
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")

        def job(tx: Transaction) -> int:
            account = self.users.find(tx, username)
            if account is None:
                return 0
            self.users.hold(tx, account.user_id)
            ids = [session.session_id for session in self.sessions.of_user(tx, account.user_id)]
            return self.ending.end_all(tx, ids, reason=reason, event_id=event_id, now=now)

        return self.database.write_sync(job)

    def _sessions(self, tx: Transaction, username: str | None) -> list[Session]:
        if username is None:
            return self.sessions.recent(tx, LONGEST_LIST)
        account = self.users.find(tx, username)
        return self.sessions.of_user(tx, account.user_id) if account else []
