"""What policy would answer to a request that somebody supposes: reads what is known of the person, writes nothing."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core.policy import Policy, available
from auth_gateway.core.policy_trial import Standing, Supposed, supposed_request
from auth_gateway.core.policy_verdict import Verdict
from auth_gateway.flows.policy_in_force import PolicyInForce
from auth_gateway.flows.ports import Clock, Users
from plumbing.database import Database
from plumbing.statements import Transaction

AccountWord = Literal["active", "frozen", "unknown"]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Policy's answer, and what of the person it was given for."""

    verdict: Verdict
    standing: Standing
    account: AccountWord


@dataclass(frozen=True, slots=True, kw_only=True)
class TryPolicy:
    """Asks the switches and the document that are in force. What blocks is asked in a thread."""

    database: Database
    clock: Clock
    users: Users
    policy: Policy
    in_force: PolicyInForce

    def __call__(self, asked: Supposed, user_id: str, *, is_known_device: bool) -> Tried:
        """What would become of it; somebody whom nobody knows has no factor, and nothing is held against them.

        Raises: Refused("storage_unavailable", 503).
        """
        now = self.clock.now()
        account, standing = self.database.read(lambda tx: self._person(tx, user_id, now, is_known_device))
        request = supposed_request(asked, standing, now)
        verdict = request.under(self.in_force.document, self.policy)
        return Tried(verdict=verdict, standing=standing, account=account)

    def _person(self, tx: Transaction, user_id: str, now: float, is_known_device: bool) -> tuple[AccountWord, Standing]:
        account = self.users.by_id(tx, user_id) if user_id else None
        facts = None if account is None else self.users.login_facts(tx, account.username, None, now=now)
        if account is None or facts is None:
            return "unknown", Standing(factors=available((), self.policy))
        return "frozen" if account.is_frozen else "active", Standing(
            username=account.username,
            factors=available(facts.factors, self.policy),
            user_risk=facts.risk.value_at(now, self.policy.user_risk_half_life_seconds),
            leeway=facts.leeway.points(now) if is_known_device else 0.0,
        )
