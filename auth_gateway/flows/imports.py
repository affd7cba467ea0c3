"""Taking over people from another system with the passwords and authenticators they have. Blocks, for command lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import msgspec

from auth_gateway.core.account import Account, Factor
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.imported import ImportedUser, Reason, Record, Remainder, problem_of, usable_totp_secret
from auth_gateway.core.mail_address import stored_address
from auth_gateway.core.names import prepare_username
from auth_gateway.core.totp import NEVER_USED
from auth_gateway.flows.ports import AuditTrail, Clock, Factors, Randomness, Sealer, Users
from auth_gateway.flows.proofs import TOTP_PURPOSE
from plumbing.database import Database
from plumbing.statements import Transaction

# One transaction for so many: a login beside the import waits for one of them at most.
BATCH = 200


class HashJudge(Protocol):
    """Knows the hashes that can be verified."""

    def problem(self, stored_hash: str) -> Reason | None:
        """Why this hash is not taken, None when it is."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one record: not taken for this reason, or taken without its remainders."""

    place: str
    reason: Reason | None = None
    remainders: tuple[Remainder, ...] = ()


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many people were taken, how many of them without something they had, and how many were not."""

    taken: int
    incomplete: int
    refused: int


class _Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """All that is written for one person."""

    account: Account
    factor: Factor | None
    lines: tuple[AuditEvent, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Imports:
    """Takes over people."""

    database: Database
    clock: Clock
    randomness: Randomness
    vault: Sealer
    hashes: HashJudge
    users: Users
    factors: Factors
    audit: AuditTrail

    def __call__(self, records: Iterable[Record], tell: Callable[[Outcome], None] | None = None) -> ImportReport:
        """Takes what can be taken, a batch at a time, and tells of every record that it could not take whole.

        A second import of the same file takes nobody twice.

        Raises: BadFile from the records, Refused("storage_unavailable"); what was told before them stays.
        """
        return report_of((outcome for batch in _batches(records) for outcome in self._take(batch)), tell)

    def judged(self, record: Record) -> Outcome:
        """What becomes of a record as far as it alone says: whether its name is taken is seen when it is written."""
        user = record.user
        if user is None:
            return Outcome(place=record.place, reason=record.reason)
        reason = problem_of(user) or self.hashes.problem(user.password_hash)
        if reason is not None:
            return Outcome(place=record.place, reason=reason)
        remainders = record.remainders
        if user.totp_secret is not None and usable_totp_secret(user.totp_secret) is None:
            remainders = (*remainders, "invalid_totp_secret")
        return Outcome(place=record.place, remainders=remainders)

    def _take(self, batch: Sequence[Record]) -> list[Outcome]:
        prepared = [self._prepared(record) for record in batch]

        def job(tx: Transaction) -> list[Outcome]:
            return [one if isinstance(one, Outcome) else self._write(tx, one) for one in prepared]

        return self.database.write_sync(job)

    def _prepared(self, record: Record) -> _Newcomer | Outcome:
        outcome, user = self.judged(record), record.user
        if outcome.reason is not None or user is None:
            return outcome
        account = self._account(user)
        secret = None if user.totp_secret is None else usable_totp_secret(user.totp_secret)
        lines = [self._line("user.imported", account)]
        if secret is not None:
            lines.append(self._line("factor.enrolled", account))
        return _Newcomer(
            account=account,
            factor=None if secret is None else self._factor(account, secret),
            lines=tuple(lines),
            outcome=outcome,
        )

    def _write(self, tx: Transaction, newcomer: _Newcomer) -> Outcome:
        account = newcomer.account
        if not self.users.add(tx, account):
            is_name_taken = self.users.find(tx, account.username) is not None
            reason: Reason = "username_taken" if is_name_taken else "user_id_taken"
            return Outcome(place=newcomer.outcome.place, reason=reason)
        if newcomer.factor is not None:
            self.factors.put(tx, newcomer.factor)
        for line in newcomer.lines:
            self.audit.record(tx, line)
        return newcomer.outcome

    def _account(self, user: ImportedUser) -> Account:
        """The account of a person that `problem_of` found nothing wrong with."""
        return Account(
            user_id=user.user_id or self.randomness.uuid(),
            username=prepare_username(user.username) or "",
            display_name=user.display_name or user.username,
            password_hash=user.password_hash,
            is_frozen=user.is_frozen,
            created_at=self.clock.now(),
            email=stored_address(user.email),
            email_verified=user.email_verified and bool(user.email),
        )

    def _factor(self, account: Account, secret: str) -> Factor:
        return Factor(
            factor_id=self.randomness.uuid(),
            user_id=account.user_id,
            sealed_secret=self.vault.seal(secret.encode(), TOTP_PURPOSE),
            last_used_step=NEVER_USED,
            created_at=account.created_at,
        )

    def _line(self, kind: Kind, account: Account) -> AuditEvent:
        return AuditEvent(
            event_id=self.randomness.event_id("evt"), ts=account.created_at, kind=kind, user_id=account.user_id
        )


def report_of(outcomes: Iterable[Outcome], tell: Callable[[Outcome], None] | None = None) -> ImportReport:
    """The count of them; tells of each as it comes that is not about somebody taken whole."""
    taken = incomplete = refused = 0
    for outcome in outcomes:
        taken += outcome.reason is None
        incomplete += outcome.reason is None and bool(outcome.remainders)
        refused += outcome.reason is not None
        if tell is not None and (outcome.reason is not None or outcome.remainders):
            tell(outcome)
    return ImportReport(taken=taken, incomplete=incomplete, refused=refused)


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    rest = iter(records)
    while batch := list(islice(rest, BATCH)):
        yield batch
