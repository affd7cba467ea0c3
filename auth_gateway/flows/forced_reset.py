"""A reviewer wants a person's password renewed: whoever is in is out, and the password of before lets nobody in. The
owner comes back by recovery, with a letter and a factor where there is one, as after a sign-in that they reported.

Changing it after a login with the old password is no way: whoever else knows that password could do it first.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import LIFTED_BY_OWNER, RENEWAL, Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import Clock, PostOffice, Randomness, Recoverables, Sessions, TrustedDevices, Users
from auth_gateway.flows.recording import Recorder
from auth_gateway.flows.said import Said
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


class _Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What the transaction writes, which may run twice."""

    line: AuditEvent
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedReset:
    """Asks for another password. Blocks."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    recoverables: Recoverables
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    post_office: PostOffice
    recorder: Recorder

    def __call__(self, user_id: str, said: Said, *, expected_version: int | None = None) -> int | None:
        """How many sessions ended, None where the password has to be renewed already.

        Raises: Refused `unknown_user` (404); 409 `changed_meanwhile`; `account_frozen` for a freeze that only a
        reviewer lifts, which keeps more out than this; `no_mail_address` where no letter could reach the owner.
        """
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=self.clock.now(),
            kind="user.frozen",
            user_id=user_id,
            client_id=said.client_id,
            rule=RENEWAL,
            detail=said.beside("by review"),
        )
        drawn = _Drawn(line=line, letter_id=self.randomness.event_id("ltr"))
        return self.database.write_sync(lambda tx: self._demand(tx, drawn, expected_version))

    def _demand(self, tx: Transaction, drawn: _Drawn, expected_version: int | None) -> int | None:
        line, user_id = drawn.line, drawn.line.user_id or ""
        # The account first: whoever is being let in at this moment holds its row, and their session is there after.
        self.users.hold(tx, user_id)
        account = self.users.by_id(tx, user_id)
        if account is None:
            raise Refused("unknown_user", "There is no account with this id.", status=404)
        if expected_version is not None and account.password_version != expected_version:
            text = "The account has changed since it was looked at: look again."
            raise Refused("changed_meanwhile", text, status=409)
        if account.is_frozen and account.frozen_reason in LIFTED_BY_OWNER:
            return None
        _refuse_dead_end(account)
        self.recoverables.demand(tx, user_id)
        self.recorder.write(tx, self.recorder.account_frozen(line, account))
        self.trusted_devices.revoke_all(tx, user_id, line.ts)
        ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
        ended = self.ending.end_all(tx, ids, reason=RENEWAL, event_id=line.event_id, now=line.ts)
        letter = letter_to(account, "password_renewal", {"at": str(line.ts)})
        self.post_office.post(tx, letter, letter_id=drawn.letter_id, now=line.ts)
        return ended


def _refuse_dead_end(account: Account) -> None:
    if account.is_frozen:
        text = "This account is frozen until a reviewer opens it; nobody gets in with any password."
        raise Refused("account_frozen", text, status=409)
    if not account.email or not account.email_verified:
        text = "This account has no verified mail address, so its owner could not set another password: freeze it."
        raise Refused("no_mail_address", text, status=409)
