"""An analyst looks at a person's risk, and says what it was. The scorer learns from a word that is about its scores;
"compromised" also puts everybody out.
"""

from dataclasses import dataclass
from typing import get_args

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.user_risk import OF_VERDICT, UserLevel, Verdict, user_level
from auth_gateway.flows.accounts import known_account
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import Clock, Randomness, Sessions, TrustedDevices, Users
from auth_gateway.flows.ports.user_risk import NotedChange, RiskBook
from auth_gateway.flows.recording import Recorder
from auth_gateway.flows.said import said
from auth_gateway.flows.user_risk import RiskFollower
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

COMPROMISED = "compromised"
LATEST = 2**62
"""Before this place stands every change."""
MOST_SHOWN = 200
MOST_TAUGHT = 20


class PersonRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A person's risk now, and a page of how it came to be, the newest first; `next_place` goes on, None is the end."""

    user_id: str
    value: float
    level: UserLevel
    is_held: bool
    changed_at: float
    history: tuple[NotedChange, ...]
    next_place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskDesk:
    """Where analysts work; blocks, so the event loop asks it in a thread."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    book: RiskBook
    follower: RiskFollower
    recorder: Recorder

    def named(self, username: str) -> Account:
        """The person of that name.

        Raises: Refused("unknown_user").
        """
        return known_account(self.database, self.users, username)

    def of_id(self, user_id: str) -> Account:
        """The person of that id.

        Raises: Refused("unknown_user").
        """
        account = self.database.read(lambda tx: self.users.by_id(tx, user_id))
        if account is None:
            raise Refused("unknown_user", "There is no account with this id.", status=404)
        return account

    def show(self, account: Account, *, before: int = LATEST, limit: int = 50) -> PersonRisk:
        """What is held against a person, and its history."""
        limit, now = min(max(limit, 1), MOST_SHOWN), self.clock.now()

        def read(tx: Transaction) -> PersonRisk:
            risk = self.book.find(tx, account.user_id)
            noted = self.book.history(tx, account.user_id, before=before, limit=limit + 1)
            value = risk.value_at(now, self.follower.half_life_seconds)
            return PersonRisk(
                user_id=account.user_id,
                value=value,
                level=user_level(value),
                is_held=risk.is_held,
                changed_at=risk.at,
                history=tuple(noted[:limit]),
                next_place=noted[limit - 1].place if len(noted) > limit else None,
            )

        return self.database.read(read)

    def verdict(self, account: Account, verdict: str, *, by: str, why: str, client_id: str | None = None) -> PersonRisk:
        """The person's risk after an analyst's word; `client_id` is the program that passes it on.

        Raises: Refused("invalid_verdict", 422).
        """
        word = _checked(verdict, by, why)
        move = OF_VERDICT[word]
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=self.clock.now(),
            kind="risk.user_raised" if word == COMPROMISED else "risk.user_lowered",
            user_id=account.user_id,
            client_id=client_id,
        )

        def job(tx: Transaction) -> None:
            if word == COMPROMISED:
                self._put_out(tx, line)
            if word != "dismissed":
                self._teach(tx, line, was_owner=word == "safe", by=by)
            self.follower.apply(tx, line, move, by=by, why=why)

        self.database.write_sync(job)
        return self.show(account)

    def _teach(self, tx: Transaction, line: AuditEvent, *, was_owner: bool, by: str) -> None:
        """What the scorer has scored since an analyst spoke last."""
        taught = 0
        for noted in self.book.history(tx, line.user_id or "", before=LATEST, limit=MOST_SHOWN):
            if noted.change.source == "analyst" or taught == MOST_TAUGHT:
                return
            if noted.change.scored_as:
                taught += 1
                word = msgspec.structs.replace(line, event_id=f"{line.event_id}.{taught}")
                self.recorder.tell(tx, self.recorder.verdict(word, noted.change.scored_as, was_owner=was_owner, by=by))

    def _put_out(self, tx: Transaction, line: AuditEvent) -> None:
        """Nobody is in any more; who gets in again is policy's to say."""
        user_id = line.user_id or ""
        self.users.hold(tx, user_id)
        ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
        self.ending.end_all(tx, ids, reason=COMPROMISED, event_id=line.event_id, now=line.ts)
        self.trusted_devices.revoke_all(tx, user_id, line.ts)


def _checked(verdict: str, by: str, why: str) -> Verdict:
    known: tuple[Verdict, ...] = get_args(Verdict)
    found = next((each for each in known if each == verdict), None)
    if found is None:
        raise Refused("invalid_verdict", "A verdict is safe, dismissed or compromised.", status=422)
    said(by, why, code="invalid_verdict")
    return found
