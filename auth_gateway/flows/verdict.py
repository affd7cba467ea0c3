"""The word of an MFA system about a login that waits for it: yes, no, or no and somebody else has the password. Whose
word it is was proven before; here it counts once, for one challenge, and only while that lives. A yes lets nobody in:
whoever began the login comes for it and is judged anew (`completion`).
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.facts import Facts
from auth_gateway.core.pending import PendingLogin, push_standing
from auth_gateway.core.push import MOST_NUMBERS, Word
from auth_gateway.core.rotation import digest
from auth_gateway.core.sign_in_report import SignIn
from auth_gateway.flows.ports import Clock, Guesses, PendingLogins, Randomness, Users
from auth_gateway.flows.provider.ports import SeenOnce
from auth_gateway.flows.recording import Entry, Recorder
from auth_gateway.flows.reporting import OwnersWord, Reporting
from plumbing.database import Database
from plumbing.statements import Transaction

REPLAY_SECONDS = 600.0
"""How long a message's id is remembered: its signature is good from five minutes before its time to five after."""


class Taken(msgspec.Struct, frozen=True):
    """The word is kept."""


class Repeated(msgspec.Struct, frozen=True):
    """The message was taken before, whatever came of it."""


class NotAsked(msgspec.Struct, frozen=True):
    """No such challenge, or one that takes no word."""


class AnsweredBefore(msgspec.Struct, frozen=True):
    """Another word was first."""


class Late(msgspec.Struct, frozen=True):
    """The challenge is finished, too old, or its account has changed."""


class WrongNumber(msgspec.Struct, frozen=True):
    """The approval carries another number than its person was shown, or none."""

    attempts_left: int


VerdictAnswer = Taken | Repeated | NotAsked | AnsweredBefore | Late | WrongNumber


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """One word with everything drawn that its transaction may need."""

    word: Word
    pending: PendingLogin
    now: float
    event_id: str
    incident_id: str
    report: OwnersWord | None

    def line(self, kind: Kind, rule: str | None = None) -> AuditEvent:
        """The audit line of this word: the login that it is about, and nothing of where it was said."""
        pending = self.pending
        return AuditEvent(
            event_id=self.event_id,
            ts=self.now,
            kind=kind,
            user_id=pending.user_id,
            client_id=pending.client_id,
            ip=pending.login.ip,
            rule=rule,
            score=pending.risk_score,
            level=pending.risk_level,
            detail=f"{pending.challenge_id} {pending.event_id}",
            facts=Facts(
                user_agent=pending.login.user_agent,
                country=pending.country,
                demand=pending.demand,
                method="push",
                amr=tuple(pending.amr.split()),
                challenge_id=pending.challenge_id,
                began_as=pending.event_id,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeVerdict:
    """Takes one word."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    pending_logins: PendingLogins
    guesses: Guesses
    seen_once: SeenOnce
    recorder: Recorder
    reporting: Reporting

    async def __call__(self, challenge_id: str, word: Word, *, message_id: str) -> VerdictAnswer:
        """Keep it, once; each message counts once, also one whose word is refused.

        Raises: Refused("storage_unavailable", 503); then it may be sent again.
        """
        now = self.clock.now()
        pending = self.database.read(lambda tx: self.pending_logins.find_asked(tx, challenge_id))
        said = None if pending is None else self._said(pending, word, now)
        replay_digest = digest(f"mfa-verdict\n{message_id}")

        def job(tx: Transaction) -> VerdictAnswer:
            if not self.seen_once.first(tx, replay_digest, now + REPLAY_SECONDS):
                return Repeated()
            return NotAsked() if said is None else self._take(tx, said)

        return await self.database.write(job)

    def _said(self, pending: PendingLogin, word: Word, now: float) -> _Said:
        sign_in = SignIn(user_id=pending.user_id, session_id="", scored_as=pending.event_id)
        is_report = word.verdict == "reported"
        return _Said(
            word=word,
            pending=pending,
            now=now,
            event_id=self.randomness.event_id("evt"),
            incident_id=self.randomness.event_id("inc"),
            report=self.reporting.word(sign_in, was_owner=False, ip=None) if is_report else None,
        )

    def _take(self, tx: Transaction, said: _Said) -> VerdictAnswer:
        """Looks again, for much may have happened since; of two who come together the compare-and-set takes one."""
        pending = self.pending_logins.find_asked(tx, said.pending.challenge_id)
        standing = "none" if pending is None else push_standing(pending, said.now)
        if pending is None or standing == "none":
            return NotAsked()
        if pending.push != "waiting":
            return AnsweredBefore()
        if standing == "over" or not self.users.is_still(tx, pending.user_id, pending.password_version):
            return Late()
        if said.word.verdict != "approved":
            return self._refuse(tx, said)
        if pending.number and not self._is_shown_number(tx, said):
            return self._count_wrong(tx, said)
        if not self.pending_logins.approve(tx, pending.token_digest, said.now):
            return AnsweredBefore()
        self.recorder.write(tx, Entry(line=said.line("challenge.approved")))
        return Taken()

    def _is_shown_number(self, tx: Transaction, said: _Said) -> bool:
        """The look is counted first, across challenges: somebody who types anything to be left alone hits one day."""
        user_id = said.pending.user_id
        if not self.guesses.take(tx, user_id, "number", most=MOST_NUMBERS, now=said.now):
            return False
        if said.word.number != said.pending.number:
            return False
        self.guesses.give_back(tx, user_id, "number", most=MOST_NUMBERS)
        return True

    def _count_wrong(self, tx: Transaction, said: _Said) -> VerdictAnswer:
        pending = said.pending
        if not self.pending_logins.count_attempt(tx, pending.token_digest, client_id=pending.client_id, now=said.now):
            return Late()
        line = said.line("challenge.failed", "wrong_number")
        self.recorder.write(tx, self.recorder.outcome(line, pending.login, "mfa_failed"))
        left = self.pending_logins.find(tx, pending.token_digest)
        return WrongNumber(left.attempts_left if left else 0)

    def _refuse(self, tx: Transaction, said: _Said) -> VerdictAnswer:
        """The login is refused at once, whether or not anybody comes to hear of it."""
        pending, verdict, incident_id = said.pending, said.word.verdict, said.incident_id
        is_first = self.pending_logins.refuse(tx, pending.token_digest, verdict, incident_id=incident_id, now=said.now)
        if not is_first:
            return AnsweredBefore()
        line = said.line("challenge.failed", verdict)
        line = msgspec.structs.replace(line, decision="deny", incident_id=incident_id)
        self.recorder.write(tx, self.recorder.outcome(line, pending.login, "mfa_failed"))
        if said.report is not None:
            self.reporting.keep(tx, said.report)
        return Taken()
