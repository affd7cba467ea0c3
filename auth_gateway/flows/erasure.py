"""One person's erasure: everything that names them goes, and whoever else knows of them is told, in one transaction.

The messages that tell of it are made before; they hold the person's id, which is what the others erase by, and no name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.erasure import ERASED_PREFIX, is_named
from auth_gateway.core.letter import LETTER_PURPOSE, MAIL_ENDPOINT
from auth_gateway.flows.accounts import known_account
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.folding import Told
from auth_gateway.flows.ports import AuditTrail, Clock, Logged, OutboxWriter, Randomness, Sealer, Sessions, Users
from auth_gateway.flows.ports.erasure import Erasing, Traces
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from plumbing.vault import Unsealable
from risk_scorer.contract.feedback import Erasure
from webhooks.announcement import message_id

ACCOUNT_ERASED: Final = "account_erased"
SCORER_ENDPOINT: Final = "scorer-erasure"
ERASE_EVENT_TYPE: Final = "person.erase"
AGAIN_SECONDS: Final = 900.0
"""The scorer is told once more then: a report that was on its way to it may have come after the first time."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was done: rows that went or were blanked, what the audit trail calls them now, how many are told."""

    tombstone: str
    rows: int
    told: int
    is_scorer_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseAccount:
    """Erases people; blocks, for command lines. `tellings` makes what destinations and streams are told of a line."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    sessions: Sessions
    ending: Ending
    audit: AuditTrail
    outbox: OutboxWriter
    erasing: Erasing
    vault: Sealer
    tellings: Callable[[Transaction, Logged], Sequence[Told]]
    covered: Callable[[Account], tuple[str, ...]]
    has_scorer: bool

    def __call__(self, username: str) -> Erased:
        """Nothing of the person is left but lines of the audit trail that name nobody.

        Raises: Refused("unknown_user").
        """
        account = known_account(self.database, self.users, username)
        tombstone = f"{ERASED_PREFIX}{self.randomness.uuid()}"
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"), ts=self.clock.now(), kind="user.erased", user_id=tombstone
        )
        logged = Logged(0, msgspec.structs.replace(line, user_id=account.user_id), "")
        messages = self.database.read(lambda tx: self.tellings(tx, logged))
        names = (account.user_id, account.username, account.email)
        traces = Traces(
            user_id=account.user_id,
            tombstone=tombstone,
            covered=self.covered(account),
            is_named_in=lambda text: is_named(text, names),
        )

        def job(tx: Transaction) -> int:
            if not self.erasing.hold(tx, account.user_id):
                raise Refused("unknown_user", "There is no account with this name.", status=404)
            rows = self.erasing.untell(tx, account.user_id, lambda _id, to, body: self._is_about(account, to, body))
            ids = [session.session_id for session in self.sessions.of_user(tx, account.user_id)]
            self.ending.end_all(tx, ids, reason=ACCOUNT_ERASED, event_id=line.event_id, now=line.ts)
            rows += self.erasing.erase(tx, traces)
            self.audit.record(tx, line)
            self.erasing.keep_untold(tx, line.event_id)
            self._tell(tx, account.user_id, line, messages)
            return rows

        rows = self.database.write_sync(job)
        return Erased(tombstone=tombstone, rows=rows, told=len(messages), is_scorer_told=self.has_scorer)

    def _is_about(self, account: Account, endpoint: str, body: bytes) -> bool:
        """Other people's messages may well say a word that is somebody's name: only letters are known by names."""
        if endpoint != MAIL_ENDPOINT:
            return is_named(body, (account.user_id, account.email))
        try:
            return is_named(self.vault.open(body, LETTER_PURPOSE), (account.username, account.email))
        except Unsealable:
            return True  # nobody can send it

    def _tell(self, tx: Transaction, user_id: str, line: AuditEvent, messages: Sequence[Told]) -> None:
        for message in messages:
            self.outbox.add(
                tx,
                message_id=message_id(message.event.event_id),
                endpoint=message.destination_id,
                event_type=message.event.type,
                body=message.body,
                now=line.ts,
            )
        if self.has_scorer:
            body = msgspec.json.encode(Erasure(user_id=user_id))
            for name, due_at in ((line.event_id, line.ts), (f"{line.event_id}.again", line.ts + AGAIN_SECONDS)):
                self.outbox.add(
                    tx,
                    message_id=message_id(name),
                    endpoint=SCORER_ENDPOINT,
                    event_type=ERASE_EVENT_TYPE,
                    body=body,
                    now=line.ts,
                    due_at=due_at,
                )
