"""Somebody says who they are and that they have forgotten the password. Whoever has that name or mail address gets a
letter; whoever asked learns nothing about it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import LIFTED_BY_OWNER, Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.letter import RECOVERY_SECONDS, MailLink
from auth_gateway.core.mail_address import prepare_address
from auth_gateway.core.names import prepare_username
from auth_gateway.core.rotation import digest
from auth_gateway.core.throttle import letters_keys, mailbox_keys
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import (
    AuditTrail,
    Clock,
    MailLinks,
    PostOffice,
    Randomness,
    Recoverables,
    Throttle,
    Users,
)
from plumbing.database import Database
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRecovery:
    """Posts links to new passwords. `link_to` makes an address of a token."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    users: Users
    recoverables: Recoverables
    mail_links: MailLinks
    post_office: PostOffice
    audit: AuditTrail
    link_to: Callable[[str], str]

    async def __call__(self, named: str, ip: str, language: str) -> Throttled | None:
        """None whether or not anybody is called that; how long it took is for the caller to hide. Whose language is
        not known is written to in `language`.

        Raises: Refused("storage_unavailable", 503).
        """
        now = self.clock.now()
        reservation = await self.throttle.reserve(letters_keys(ip), now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        for account in self.database.read(lambda tx: self._called(tx, named)):
            if (await self.throttle.reserve(mailbox_keys(account.email), now)).wait_seconds > 0:
                continue  # their mailbox is full of these, and nobody is told
            spoken = account.language or language
            await self._write(msgspec.structs.replace(account, language=spoken), ip, now)
        return None

    def _called(self, tx: Transaction, named: str) -> list[Account]:
        """Who may get a letter: by user name, or by verified address. An operator alone lifts an operator's freeze."""
        username, address = prepare_username(named), prepare_address(named)
        found = [] if username is None else [self.users.find(tx, username)]
        if address is not None:
            found += [self.users.by_id(tx, user_id) for user_id in self.recoverables.of_address(tx, address)]
        accounts = {account.user_id: account for account in found if account is not None}
        return [account for account in accounts.values() if may_recover(account)]

    async def _write(self, account: Account, ip: str, now: float) -> None:
        token, event_id = self.randomness.token(), self.randomness.event_id("evt")
        letter = letter_to(account, "recover", {"link": self.link_to(token)})
        line = AuditEvent(event_id=event_id, ts=now, kind="mail.sent", user_id=account.user_id, ip=ip, rule="recover")
        link = MailLink(
            token_digest=digest(token),
            purpose="recover",
            user_id=account.user_id,
            data=b"{}",
            created_at=now,
            expires_at=now + RECOVERY_SECONDS,
        )

        def job(tx: Transaction) -> None:
            self.mail_links.add(tx, link)
            self.audit.record(tx, line)
            self.post_office.post(tx, letter, letter_id=event_id, now=now)

        await self.database.write(job)


def may_recover(account: Account) -> bool:
    """Whether a letter may open this account again."""
    is_operators_freeze = account.is_frozen and account.frozen_reason not in LIFTED_BY_OWNER
    return account.email != "" and account.email_verified and not is_operators_freeze
