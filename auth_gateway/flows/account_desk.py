"""What a reviewer sees of a person's account and does to it: freeze, open again, end every session. Each act has a name
and a reason.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.session import Session
from auth_gateway.core.session_risk import KeptSignal
from auth_gateway.core.user_risk import HALF_LIFE_SECONDS, UserRisk
from auth_gateway.flows.accounts import Accounts
from auth_gateway.flows.ports import Clock, Sessions, Users
from auth_gateway.flows.ports.session_risk import Behaviour, Behaviours, SessionSignals
from auth_gateway.flows.ports.user_risk import RiskBook
from auth_gateway.flows.provider.ports import SessionClients
from auth_gateway.flows.said import Said
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

MOST_SESSIONS: Final = 50
MOST_SIGNALS: Final = 20
MOST_LISTED: Final = 200


class AccountFile(msgspec.Struct, frozen=True, kw_only=True):
    """A person's account with the sessions that run, the newest first, and the latest signals about them."""

    account: Account
    sessions: tuple[Session, ...]
    risk: UserRisk
    risk_value: float
    signals: tuple[KeptSignal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDesk:
    """Where reviewers work. What blocks is asked in a thread."""

    database: Database
    clock: Clock
    users: Users
    sessions: Sessions
    session_clients: SessionClients
    signals: SessionSignals
    book: RiskBook
    accounts: Accounts
    behaviours: Behaviours
    half_life_seconds: float = HALF_LIFE_SECONDS

    async def summary(self, user_id: str) -> tuple[AccountFile, Behaviour]:
        """What is known of a person, here and at the scorer.

        Raises: Refused("unknown_user", 404); Refused("storage_unavailable", 503).
        """
        found = await asyncio.to_thread(self.file, user_id)
        return found, await self.behaviours.of(user_id)

    def file(self, user_id: str) -> AccountFile:
        """What is known here.

        Raises: Refused("unknown_user", 404).
        """
        now = self.clock.now()

        def read(tx: Transaction) -> AccountFile:
            account = self._known(tx, user_id)
            risk = self.book.find(tx, user_id)
            running = [each for each in self.sessions.of_user(tx, user_id) if _runs(each, now)]
            return AccountFile(
                account=account,
                sessions=tuple(running[:MOST_SESSIONS]),
                risk=risk,
                risk_value=risk.value_at(now, self.half_life_seconds),
                signals=tuple(self.signals.of_user(tx, user_id, MOST_SIGNALS)),
            )

        return self.database.read(read)

    def live_sessions(self, user_id: str) -> list[tuple[Session, tuple[str, ...]]]:
        """The sessions that run, the newest first, each with the applications that have a part in it.

        Raises: Refused("unknown_user", 404).
        """
        now = self.clock.now()

        def read(tx: Transaction) -> list[tuple[Session, tuple[str, ...]]]:
            self._known(tx, user_id)
            running = [each for each in self.sessions.of_user(tx, user_id) if _runs(each, now)]
            return [(each, self._clients(tx, each)) for each in running[:MOST_LISTED]]

        return self.database.read(read)

    def freeze(self, user_id: str, said: Said) -> bool:
        """Nobody gets in any more; False when it was so already.

        Raises: Refused("unknown_user", 404).
        """
        return self.accounts.freeze(self._name(user_id), said)

    def unfreeze(self, user_id: str, said: Said, *, expected_version: int | None = None) -> bool:
        """The person may log in again; False when they could already. `expected_version` is of the account that was
        looked at: one that was frozen again since stays so.

        Raises: Refused("unknown_user", 404); Refused("changed_meanwhile", 409).
        """
        return self.accounts.unfreeze(self._name(user_id), said, expected_version=expected_version)

    def reset_sessions(self, user_id: str, said: Said) -> int:
        """Every session ends; how many there were.

        Raises: Refused("unknown_user", 404).
        """
        return self.accounts.reset_sessions(self._name(user_id), said)

    def _clients(self, tx: Transaction, session: Session) -> tuple[str, ...]:
        return tuple(dict.fromkeys((session.client_id, *self.session_clients.of(tx, session.session_id))))

    def _name(self, user_id: str) -> str:
        return self.database.read(lambda tx: self._known(tx, user_id)).username

    def _known(self, tx: Transaction, user_id: str) -> Account:
        account = self.users.by_id(tx, user_id)
        if account is None:
            raise Refused("unknown_user", "There is no account with this id.", status=404)
        return account


def _runs(session: Session, now: float) -> bool:
    return session.revoked_at is None and now < session.expires_at
