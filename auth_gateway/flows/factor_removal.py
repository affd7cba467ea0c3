"""All factors of a person taken away by an operator: those of somebody who has lost them all, or whose account a
stranger has put their own on.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.accounts import known_account
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.ports import (
    AuditTrail,
    Clock,
    Factors,
    Passkeys,
    Randomness,
    RecoveryCodes,
    Sessions,
    TrustedDevices,
    Users,
)
from plumbing.database import Database
from plumbing.statements import Transaction

FACTORS_REMOVED = "factors_removed"
"""Why sessions ended: an operator took the factors away that they may rest on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFactors:
    """Removes them; blocks, for command lines."""

    database: Database
    clock: Clock
    randomness: Randomness
    users: Users
    factors: Factors
    passkeys: Passkeys
    recovery_codes: RecoveryCodes
    trusted_devices: TrustedDevices
    sessions: Sessions
    ending: Ending
    audit: AuditTrail

    def __call__(self, username: str) -> tuple[int, int]:
        """Authenticator, passkeys and recovery codes count no more, no browser is trusted, and all sessions end; how
        many factors there were, and how many sessions.

        Raises: Refused("unknown_user").
        """
        user_id = known_account(self.database, self.users, username).user_id
        now, event_id = self.clock.now(), self.randomness.event_id("evt")
        line = AuditEvent(event_id=event_id, ts=now, kind="factor.removed", user_id=user_id, rule="operator")

        def job(tx: Transaction) -> tuple[int, int]:
            removed = self.passkeys.of_user(tx, user_id)
            for passkey in removed:
                self.passkeys.remove(tx, user_id, passkey.credential_id)
            totp = self.factors.find(tx, user_id)
            if totp is not None:
                self.factors.remove(tx, user_id, totp.factor_id)
            self.recovery_codes.replace(tx, user_id, (), now)
            self.trusted_devices.revoke_all(tx, user_id, now)
            count = len(removed) + (totp is not None)
            for detail, is_there in (("passkey", bool(removed)), ("totp", totp is not None)):
                if is_there:
                    self.audit.record(tx, msgspec.structs.replace(line, detail=detail))
            ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
            return count, self.ending.end_all(tx, ids, reason=FACTORS_REMOVED, event_id=event_id, now=now)

        return self.database.write_sync(job)
