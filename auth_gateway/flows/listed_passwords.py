"""A right password that others guess first: written down, announced and told its owner once."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import PostOffice, Randomness, Users
from auth_gateway.flows.recording import Recorder
from plumbing.statements import Transaction

LISTED = "listed"
"""The audit line's rule, and the message's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPasswords:
    """Notes what the blocklist says of a password that was just shown and was right."""

    randomness: Randomness
    users: Users
    recorder: Recorder
    post_office: PostOffice

    def note(self, tx: Transaction, account: Account, found: AuditEvent, *, is_listed: bool) -> None:
        """Whatever becomes of the login: who was refused knows the password too. `found` is the line to
        write; it gets an id of its own, because the login's line has messages as well."""
        if account.is_password_listed == is_listed:
            return
        is_news = self.users.mark_password(
            tx, account.user_id, password_version=account.password_version, is_listed=is_listed
        )
        if not (is_listed and is_news):
            return
        line = msgspec.structs.replace(
            found, event_id=self.randomness.event_id("evt"), rule=LISTED, decision=None, detail=None
        )
        self.recorder.write(tx, self.recorder.password_breached(line, account))
        letter = letter_to(account, "password_breached")
        self.post_office.post(tx, letter, letter_id=self.randomness.event_id("ltr"), now=line.ts)
