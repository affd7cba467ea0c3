"""People's accounts as an operator keeps them: add, list, freeze, unfreeze, another password. Blocks, for
command lines.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import SHIELD, Account
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.mail_address import stored_address
from auth_gateway.core.names import may_be_email, prepare_password, prepare_username
from auth_gateway.flows.ending import ACCOUNT_FROZEN, PASSWORD_SET, RESET_BY_REVIEW, Ending
from auth_gateway.flows.ports import AuditTrail, Clock, PasswordHashes, Randomness, Sessions, TrustedDevices, Users
from auth_gateway.flows.ports.session_risk import Shields
from auth_gateway.flows.said import Said
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Keeps accounts."""

    database: Database
    clock: Clock
    randomness: Randomness
    hashes: PasswordHashes
    users: Users
    sessions: Sessions
    audit: AuditTrail
    ending: Ending
    trusted_devices: TrustedDevices
    shields: Shields

    def add(self, username: str, password: str, *, user_id: str | None = None, email: str = "") -> Account:
        """A new account; a mail address that an operator gives is taken for verified.

        Raises: Refused("invalid_username" or "invalid_email" or "invalid_password" or "username_taken").
        """
        prepared = prepare_username(username)
        if email and not may_be_email(email):
            raise Refused("invalid_email", "This is no mail address.", status=422)
        if prepared is None:
            raise Refused("invalid_username", "This name has characters or a length that no name may have.", status=422)
        account = Account(
            user_id=user_id or self.randomness.uuid(),
            username=prepared,
            display_name=username,
            password_hash=self._hash(password),
            created_at=self.clock.now(),
            email=stored_address(email),
            email_verified=email != "",
        )
        if not self._store(account, "user.added"):
            raise Refused("username_taken", "There is an account with this name or id already.", status=409)
        return account

    def list(self) -> list[Account]:
        """All accounts by name."""
        return self.database.read(self.users.all)

    def freeze(self, username: str, said: Said | None = None) -> bool:
        """Nobody gets in as this person any more, and all their sessions end; False when it was so already.

        Raises: Refused("unknown_user").
        """
        account = known_account(self.database, self.users, username)
        line = self._line("user.frozen", account, said)

        def job(tx: Transaction) -> bool:
            if not self.users.set_frozen(tx, account.user_id, is_frozen=True):
                return False
            self.audit.record(tx, line)
            self._end_sessions(tx, line, reason=ACCOUNT_FROZEN)
            return True

        return self.database.write_sync(job)

    def unfreeze(self, username: str, said: Said | None = None, *, expected_version: int | None = None) -> bool:
        """They may log in again; ended sessions stay ended. False when they could already. What was frozen until a
        review is opened by who says why; what was frozen again since `expected_version`, or since just now, stays so.

        Raises: Refused("unknown_user"); "review_needed" or "changed_meanwhile" (409).
        """
        account = known_account(self.database, self.users, username)
        if not account.is_frozen:
            return False
        if account.frozen_reason == SHIELD and said is None:
            text = "This account is frozen until somebody has looked: say who has, and why it may be opened."
            raise Refused("review_needed", text, status=409)
        version = account.password_version if expected_version is None else expected_version
        line = self._line("user.unfrozen", account, said)

        def job(tx: Transaction) -> None:
            if not self.shields.lift(tx, account.user_id, expected_version=version):
                text = "The account has changed since it was looked at: look again."
                raise Refused("changed_meanwhile", text, status=409)
            self.audit.record(tx, line)

        self.database.write_sync(job)
        return True

    def reset_sessions(self, username: str, said: Said) -> int:
        """All their sessions end; how many still ran.

        Raises: Refused("unknown_user").
        """
        account = known_account(self.database, self.users, username)
        line = self._line("session.reset", account, said)

        def job(tx: Transaction) -> int:
            self.users.hold(tx, account.user_id)
            ended = self._end_sessions(tx, line, reason=RESET_BY_REVIEW)
            self.audit.record(tx, msgspec.structs.replace(line, detail=said.beside(f"{ended} ended")))
            return ended

        return self.database.write_sync(job)

    def set_password(self, username: str, password: str) -> int:
        """Another password. Whoever got in with the one before is out: all sessions end; how many still ran.

        Raises: Refused("unknown_user" or "invalid_password").
        """
        account = known_account(self.database, self.users, username)
        new_hash = self._hash(password)
        line = self._line("user.password_changed", account)

        def job(tx: Transaction) -> int:
            self.users.set_password(tx, account.user_id, new_hash)
            self.audit.record(tx, line)
            return self._end_sessions(tx, line, reason=PASSWORD_SET)

        return self.database.write_sync(job)

    def _hash(self, password: str) -> str:
        prepared = prepare_password(password)
        if prepared is None:
            raise Refused("invalid_password", "This password is empty, too long, or holds a NUL.", status=422)
        return self.hashes.hash(prepared)

    def _store(self, account: Account, kind: Kind) -> bool:
        line = self._line(kind, account)

        def job(tx: Transaction) -> bool:
            if not self.users.add(tx, account):
                return False
            self.audit.record(tx, line)
            return True

        return self.database.write_sync(job)

    def _end_sessions(self, tx: Transaction, line: AuditEvent, *, reason: str) -> int:
        """End every session of the person whom the line is about, and the trust in every browser."""
        self.trusted_devices.revoke_all(tx, line.user_id or "", line.ts)
        found = self.sessions.of_user(tx, line.user_id or "")
        ids = [session.session_id for session in found]
        return self.ending.end_all(tx, ids, reason=reason, event_id=line.event_id, now=line.ts)

    def _line(self, kind: Kind, account: Account, said: Said | None = None) -> AuditEvent:
        return AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=self.clock.now(),
            kind=kind,
            user_id=account.user_id,
            client_id=None if said is None else said.client_id,
            detail=None if said is None else said.beside("by review"),
        )


def known_account(database: Database, users: Users, username: str) -> Account:
    """The account of that name.

    Raises: Refused("unknown_user"); for operators only, never on a way that a stranger can take.
    """
    prepared = prepare_username(username)
    account = database.read(lambda tx: users.find(tx, prepared)) if prepared is not None else None
    if account is None:
        raise Refused("unknown_user", "There is no account with this name.", status=404)
    return account
