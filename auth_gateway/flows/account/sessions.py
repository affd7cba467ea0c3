"""Signing out from the own account: one browser or all of them; taking back the trust in a browser, and an
application's part.
"""

from dataclasses import dataclass
from typing import Literal

from auth_gateway.core.session import Session
from auth_gateway.flows.account.changes import Change, Changes
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import Sessions
from auth_gateway.flows.provider.ports import Consents, SessionClients
from plumbing.statements import Transaction

BY_OWNER = "owner"
"""Why a session ended: its owner said so at the account page."""

Ended = Literal["here", "elsewhere", "nothing"]
"""Which browser is signed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOuts:
    """Ends what runs in a person's name. Applications are told as of every end of a session."""

    changes: Changes
    ending: Ending
    sessions: Sessions
    consents: Consents
    session_clients: SessionClients

    async def one(self, person: Person, session_id: str) -> Ended:
        """End that session, and with it everything that began at the same browser; "nothing" when it is not the
        person's or does not run.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        event_id = self.changes.randomness.event_id("evt")

        def job(tx: Transaction) -> Ended:
            self.changes.door.still(tx, person)
            chosen = self.sessions.find(tx, session_id)
            if chosen is None or chosen.user_id != person.user_id or not is_running(chosen, person.now):
                return "nothing"
            ids = [each.session_id for each in self.sessions.of_user(tx, person.user_id) if _is_beside(each, chosen)]
            self.ending.end_all(tx, ids, reason=BY_OWNER, event_id=event_id, now=person.now)
            return "here" if _is_beside(chosen, person.session) else "elsewhere"

        return await self.changes.database.write(job)

    async def others(self, person: Person) -> int:
        """End every session but those of this browser; how many ended.

        Raises: as `one`.
        """
        event_id = self.changes.randomness.event_id("evt")
        return await self.changes.database.write(lambda tx: self.end_others(tx, person, BY_OWNER, event_id))

    async def all(self, person: Person) -> int:
        """End every session, this browser's too; how many ended.

        Raises: as `one`.
        """
        event_id = self.changes.randomness.event_id("evt")

        def job(tx: Transaction) -> int:
            self.changes.door.still(tx, person)
            ids = [each.session_id for each in self.sessions.of_user(tx, person.user_id)]
            return self.ending.end_all(tx, ids, reason=BY_OWNER, event_id=event_id, now=person.now)

        return await self.changes.database.write(job)

    def end_others(self, tx: Transaction, person: Person, reason: str, event_id: str) -> int:
        """The same inside a transaction."""
        self.changes.door.still(tx, person)
        here = person.session
        ids = [each.session_id for each in self.sessions.of_user(tx, person.user_id) if not _is_beside(each, here)]
        return self.ending.end_all(tx, ids, reason=reason, event_id=event_id, now=person.now)

    async def distrust(self, person: Person, device_id: str) -> bool:
        """That browser is asked for a factor again; False when the person trusts none of that id.

        Raises: as `one`.
        """
        trusted = self.changes.trusted_devices
        change = Change(kind="device.distrusted", rule=BY_OWNER)
        return await self.changes.make(
            person, change, lambda tx: trusted.revoke(tx, person.user_id, device_id, person.now)
        )

    async def disconnect(self, person: Person, client_id: str) -> bool:
        """End an application's part in every session of the person, its refresh tokens with it, and forget what they
        agreed to; False when there was nothing of it.

        Raises: as `one`.
        """
        change = Change(kind="consent.withdrawn", detail=client_id)
        return await self.changes.make(person, change, lambda tx: self._disconnect(tx, person, client_id))

    def _disconnect(self, tx: Transaction, person: Person, client_id: str) -> bool:
        had_agreed = self.consents.remove(tx, person.user_id, client_id)
        ended = 0
        for session in self.sessions.of_user(tx, person.user_id):
            if is_running(session, person.now) and client_id in self.session_clients.of(tx, session.session_id):
                ended += self.session_clients.end(tx, session.session_id, client_id, person.now)
        return had_agreed or ended > 0


def is_running(session: Session, now: float) -> bool:
    """Whether somebody is in by it."""
    return session.revoked_at is None and now < session.expires_at


def _is_beside(session: Session, other: Session) -> bool:
    """Whether both began at one browser: a step-up leaves the session before it running."""
    if session.session_id == other.session_id:
        return True
    return session.browser_id is not None and session.browser_id == other.browser_id
