"""Changes that people make to the own account, each in one transaction: the session still stands, the change itself,
its audit line, the letter about it, and the trusted devices that it takes along.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import Kind
from auth_gateway.core.letter import LetterKind
from auth_gateway.flows.account.door import AccountDoor, Person
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import AuditTrail, PostOffice, Randomness, TrustedDevices
from plumbing.database import Database
from plumbing.statements import Transaction

Job = Callable[[Transaction], bool]
"""Changes something; False when there was nothing of that kind to change, and then nothing else is written."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is written beside a change. `letter` tells its owner, by mail to a verified address; `distrusts` says that
    no browser is trusted any more."""

    kind: Kind
    detail: str | None = None
    rule: str | None = None
    letter: LetterKind | None = None
    distrusts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Writes them."""

    database: Database
    randomness: Randomness
    door: AccountDoor
    audit: AuditTrail
    post_office: PostOffice
    trusted_devices: TrustedDevices

    async def make(self, person: Person, change: Change, job: Job, *, after: Person | None = None) -> bool:
        """Whether it was done. `after` is who the person is when the change itself has made them another: with another
        password, under another cookie.

        Raises: Refused("signed_out_meanwhile", 409); Refused("busy" or "storage_unavailable", 503).
        """
        event_id, also = self.randomness.event_id("evt"), self.alongside(after or person, change)

        def write(tx: Transaction) -> bool:
            self.door.still(tx, person)
            if not job(tx):
                return False
            self.audit.record(tx, person.line(change.kind, event_id, detail=change.detail, rule=change.rule))
            also(tx)
            return True

        return await self.database.write(write)

    def alongside(self, person: Person, change: Change) -> Callable[[Transaction], None]:
        """What belongs to a change and is not its own line: the session must still stand, the letter goes out, and the
        trusted browsers go."""
        event_id, letter_id = self.randomness.event_id("evt"), self.randomness.event_id("ltr")

        def write(tx: Transaction) -> None:
            self.door.still(tx, person)
            if change.distrusts and self.trusted_devices.revoke_all(tx, person.user_id, person.now):
                self.audit.record(tx, person.line("device.distrusted", event_id, rule=change.kind))
            if change.letter is not None:
                letter = letter_to(person.account, change.letter, {"at": str(person.now)})
                self.post_office.post(tx, letter, letter_id=letter_id, now=person.now)

        return write
