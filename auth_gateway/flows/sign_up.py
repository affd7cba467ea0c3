"""Strangers make accounts for themselves, by a letter to their own mailbox. The address becomes the user name, so no
page ever has to say that a name is taken; whoever has an account already learns that by mail.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.letter import VERIFICATION_SECONDS, Letter, MailLink
from auth_gateway.core.mail_address import prepare_address
from auth_gateway.core.names import prepare_username
from auth_gateway.core.password_rules import shortest_for
from auth_gateway.core.rotation import digest
from auth_gateway.core.throttle import letters_keys, mailbox_keys
from auth_gateway.flows.answers import Throttled
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.new_passwords import NewPasswords
from auth_gateway.flows.ports import (
    AuditTrail,
    Clock,
    MailLinks,
    NewHashes,
    PostOffice,
    Randomness,
    Recoverables,
    Throttle,
    Users,
)
from auth_gateway.flows.reporting import LinkOver
from plumbing.database import Database
from plumbing.statements import Transaction

NOBODYS = ""
"""Whose link it is before there is an account."""


class NewComer(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants an account, as the link keeps it."""

    address: str
    language: str


class SignedUp(msgspec.Struct, frozen=True):
    """The account is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSignUp:
    """Posts links to new accounts. `link_to` makes an address of a token."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    users: Users
    recoverables: Recoverables
    mail_links: MailLinks
    post_office: PostOffice
    link_to: Callable[[str], str]

    async def __call__(self, named: str, ip: str, language: str) -> Throttled | None:
        """None whether the address is new, has an account, or is none; how long it took is for the caller to hide.

        Raises: Refused("storage_unavailable", 503).
        """
        now = self.clock.now()
        reservation = await self.throttle.reserve(letters_keys(ip), now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        address = prepare_address(named)
        if address is None or prepare_username(address) is None:
            return None
        if (await self.throttle.reserve(mailbox_keys(address), now)).wait_seconds > 0:
            return None
        letter_id, token = self.randomness.event_id("ltr"), self.randomness.token()
        await self.database.write(
            lambda tx: self._write(tx, NewComer(address=address, language=language), token, letter_id, now)
        )
        return None

    def _write(self, tx: Transaction, comer: NewComer, token: str, letter_id: str, now: float) -> None:
        """One letter to that mailbox: the link, or that there is an account already."""
        accounts = _accounts_of(tx, self.users, self.recoverables, comer.address)
        if accounts:
            letter = letter_to(accounts[0], "already_registered")
            self.post_office.post(tx, letter, letter_id=letter_id, now=now)
            return
        link = MailLink(
            token_digest=digest(token),
            purpose="verify_email",
            user_id=NOBODYS,
            data=msgspec.json.encode(comer),
            created_at=now,
            expires_at=now + VERIFICATION_SECONDS,
        )
        self.mail_links.add(tx, link)
        values = {"link": self.link_to(token)}
        letter = Letter(to=comer.address, kind="verify_email", language=comer.language, values=values)
        self.post_office.post(tx, letter, letter_id=letter_id, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """Makes accounts of links."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    recoverables: Recoverables
    links: OpenLinks
    mail_links: MailLinks
    new_passwords: NewPasswords
    new_hashes: NewHashes
    audit: AuditTrail

    @property
    def least(self) -> int:
        """How long the password must be: nobody has a factor yet."""
        return shortest_for(has_factor=False)

    def find(self, token: str) -> NewComer | None:
        """Whom the link makes an account for, None when it makes none any more."""
        link = self.links.find(token, "verify_email")
        return None if link is None else msgspec.json.decode(link.data, type=NewComer)

    async def __call__(self, token: str, password: str, ip: str) -> SignedUp | LinkOver:
        """The account, once.

        Raises: Refused (422) of `NewPasswords.checked`; Refused("busy" or "storage_unavailable", 503).
        """
        comer = self.find(token)
        username = None if comer is None else prepare_username(comer.address)
        if comer is None or username is None:
            return LinkOver()
        prepared = self.new_passwords.checked(password, names=(comer.address,), has_factor=False)
        now, event_id = self.clock.now(), self.randomness.event_id("evt")
        account = Account(
            user_id=self.randomness.uuid(),
            username=username,
            display_name=comer.address,
            password_hash=await self.new_hashes.hash(prepared),
            created_at=now,
            email=comer.address,
            email_verified=True,
            language=comer.language,
        )
        line = AuditEvent(event_id=event_id, ts=now, kind="user.signed_up", user_id=account.user_id, ip=ip)

        def job(tx: Transaction) -> bool:
            if not self.mail_links.use(tx, digest(token), "verify_email", now):
                return False
            # Of two letters to one address the second link finds the account of the first.
            if _accounts_of(tx, self.users, self.recoverables, account.email) or not self.users.add(tx, account):
                return False
            self.audit.record(tx, line)
            return True

        return SignedUp() if await self.database.write(job) else LinkOver()


def _accounts_of(tx: Transaction, users: Users, recoverables: Recoverables, address: str) -> list[Account]:
    """Whoever has this address for a name or as their verified address."""
    username = prepare_username(address)
    found = [] if username is None else [users.find(tx, username)]
    found += [users.by_id(tx, user_id) for user_id in recoverables.of_address(tx, address)]
    return [account for account in found if account is not None]
