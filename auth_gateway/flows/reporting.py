"""The owner's word about a sign-in: it was them, or it was not. Either teaches the scorer; "not me" also puts everybody
out and keeps them out until the owner has set a new password (`recovery`).
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import REPORTED, Account
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.rotation import digest
from auth_gateway.core.sign_in_report import AskedAbout, SignIn
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.ports import (
    Clock,
    MailLinks,
    PostOffice,
    Randomness,
    Recoverables,
    Sessions,
    TrustedDevices,
    Users,
)
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.database import Database
from plumbing.statements import Transaction


class LinkOver(msgspec.Struct, frozen=True):
    """This link says nothing any more: answered, too old, or none of ours."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's word is kept."""

    was_owner: bool


class OwnersWord(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer writes, drawn before the transaction that may run twice."""

    sign_in: SignIn
    was_owner: bool
    now: float
    said: AuditEvent
    frozen: AuditEvent
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Takes the owner's word."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    recoverables: Recoverables
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    links: OpenLinks
    mail_links: MailLinks
    post_office: PostOffice
    recorder: Recorder

    def asked(self, token: str) -> AskedAbout | None:
        """What the letter with this link asks about, None once it is answered or too old. Looking changes nothing:
        programs that read mail look too."""
        link = self.links.find(token, "was_this_you")
        return None if link is None else msgspec.json.decode(link.data, type=AskedAbout)

    async def by_link(self, token: str, *, was_owner: bool, ip: str) -> Answered | LinkOver:
        """The answer that a letter's link brings, once, whatever it says.

        Raises: Refused("storage_unavailable", 503).
        """
        about = self.asked(token)
        if about is None:
            return LinkOver()
        word = self.word(about.sign_in, was_owner=was_owner, ip=ip)

        def job(tx: Transaction) -> bool:
            if not self.mail_links.use(tx, digest(token), "was_this_you", word.now):
                return False
            self.keep(tx, word)
            return True

        return Answered(was_owner=was_owner) if await self.database.write(job) else LinkOver()

    async def at_account(self, sign_in: SignIn, *, was_owner: bool, ip: str) -> Answered:
        """The same from somebody who is signed in and looks at what was done in their name; `sign_in` is theirs.

        Raises: Refused("storage_unavailable", 503).
        """
        word = self.word(sign_in, was_owner=was_owner, ip=ip)
        await self.database.write(lambda tx: self.keep(tx, word))
        return Answered(was_owner=was_owner)

    def word(self, sign_in: SignIn, *, was_owner: bool, ip: str | None) -> OwnersWord:
        """What an answer will write, drawn before its transaction."""
        now, event_id = self.clock.now(), self.randomness.event_id("evt")
        kind: Kind = "sign_in.confirmed" if was_owner else "sign_in.reported"
        line = AuditEvent(
            event_id=event_id,
            ts=now,
            kind=kind,
            user_id=sign_in.user_id,
            session_id=sign_in.session_id or None,
            ip=ip,
            detail=sign_in.scored_as,
        )
        return OwnersWord(
            sign_in=sign_in,
            was_owner=was_owner,
            now=now,
            said=line,
            frozen=msgspec.structs.replace(
                line, event_id=self.randomness.event_id("evt"), kind="user.frozen", rule=REPORTED
            ),
            letter_id=self.randomness.event_id("ltr"),
        )

    def keep(self, tx: Transaction, word: OwnersWord) -> None:
        """Write it; whoever calls makes sure that it counts once."""
        self.recorder.write(tx, self.recorder.verdict(word.said, word.sign_in.scored_as, was_owner=word.was_owner))
        account = self.users.by_id(tx, word.sign_in.user_id)
        if not word.was_owner and account is not None:
            self._shut(tx, account, word)

    def _shut(self, tx: Transaction, account: Account, word: OwnersWord) -> None:
        """Nobody is in any more and nobody gets in. The owner is told how to, in a letter of its own."""
        now, user_id = word.now, account.user_id
        # The account first: whoever is being let in at this moment holds its row, and their session is there after.
        was_frozen_now = self.recoverables.freeze(tx, user_id)
        ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
        self.ending.end_all(tx, ids, reason=REPORTED, event_id=word.said.event_id, now=now)
        self.trusted_devices.revoke_all(tx, user_id, now)
        if not was_frozen_now:
            return
        frozen: Entry = self.recorder.account_frozen(word.frozen, account)
        self.recorder.write(tx, frozen)
        letter = letter_to(account, "account_frozen", {"at": str(now)})
        self.post_office.post(tx, letter, letter_id=word.letter_id, now=now)
