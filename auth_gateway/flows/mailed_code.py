"""A code by mail for a challenge that takes one: sent when its person asks for it, never by itself, and only to an
address that was verified.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import Client
from auth_gateway.core.guessing import MOST_MAILED
from auth_gateway.core.mailed_code import CODE_BYTES, CODE_SECONDS, MOST_SENDS, code_digest, drawn_code
from auth_gateway.core.pending import PendingLogin
from auth_gateway.flows.answers import ChallengeOver
from auth_gateway.flows.challenge import CompleteLogin
from auth_gateway.flows.letters import letter_to
from auth_gateway.flows.ports import AuditTrail, Guesses, MailedCodes, PostOffice
from plumbing.statements import Transaction


class CodeSent(msgspec.Struct, frozen=True, kw_only=True):
    """A code is on its way; it counts for so long, and the challenge waits for it."""

    expires_in: int


class NotByMail(msgspec.Struct, frozen=True):
    """This challenge takes no code by mail from this person."""


class NoMoreCodes(msgspec.Struct, frozen=True):
    """As many were sent as may be, for this challenge or for a day."""


MailAnswer = CodeSent | ChallengeOver | NotByMail | NoMoreCodes


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One code with what is written beside it, drawn before the transaction that may run twice."""

    pending: PendingLogin
    code: str
    digest: bytes
    letter_id: str
    line: AuditEvent
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCode:
    """Sends codes for the challenges that `complete` answers; `key` is derived for their digests alone."""

    complete: CompleteLogin
    mailed_codes: MailedCodes
    guesses: Guesses
    post_office: PostOffice
    audit: AuditTrail
    key: bytes

    async def __call__(self, challenge_token: str, client: Client) -> MailAnswer:
        """Whoever holds the challenge may ask; nobody else is told that there is one.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        awaited = self.complete.awaited(challenge_token, client)
        if awaited is None:
            return ChallengeOver()
        if "email_code" not in awaited.methods:
            return NotByMail()
        sending = self._drawn(awaited.pending)
        return await self.complete.database.write(lambda tx: self._send(tx, sending))

    def _drawn(self, pending: PendingLogin) -> Sending:
        randomness, now = self.complete.randomness, self.complete.clock.now()
        code = drawn_code(randomness.bytes(CODE_BYTES))
        line = AuditEvent(
            event_id=randomness.event_id("evt"),
            ts=now,
            kind="mail.sent",
            user_id=pending.user_id,
            client_id=pending.client_id,
            rule="email_code",
            detail=pending.challenge_id,
        )
        return Sending(
            pending=pending,
            code=code,
            digest=code_digest(self.key, pending.token_digest, code) or b"",
            letter_id=randomness.event_id("ltr"),
            line=line,
            now=now,
        )

    def _send(self, tx: Transaction, sending: Sending) -> MailAnswer:
        pending, now = sending.pending, sending.now
        account = self.complete.users.by_id(tx, pending.user_id)
        is_still = self.complete.users.is_still(tx, pending.user_id, pending.password_version)
        until = now + CODE_SECONDS
        if account is None or not is_still:
            return ChallengeOver()
        letter = letter_to(account, "email_code", {"code": sending.code})
        if not letter.to:
            return NotByMail()
        if not self.guesses.take(tx, pending.user_id, "mailed_code", most=MOST_MAILED, now=now):
            return NoMoreCodes()
        if not self.mailed_codes.sent(
            tx, pending.token_digest, sending.digest, now=now, expires_at=until, most=MOST_SENDS
        ):
            self.guesses.give_back(tx, pending.user_id, "mailed_code", most=MOST_MAILED)
            return NoMoreCodes()
        if not self.complete.pending_logins.keep_until(tx, pending.token_digest, until, now=now):
            self.guesses.give_back(tx, pending.user_id, "mailed_code", most=MOST_MAILED)
            return ChallengeOver()
        self.post_office.post(tx, letter, letter_id=sending.letter_id, now=now)
        self.audit.record(tx, sending.line)
        return CodeSent(expires_in=CODE_SECONDS)
