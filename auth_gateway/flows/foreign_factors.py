"""What somebody else left behind who was in the account: a passkey of theirs would outlive the new password."""

from dataclasses import dataclass

from auth_gateway.core.account_activity import SHOWN_SECONDS
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.recovery import shown_passkey
from auth_gateway.flows.ports import AuditReader, Factors, Passkeys, RecoveryCodes, Sessions
from plumbing.statements import Transaction

LINES_READ = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFactors:
    """Removes what was enrolled in a sign-in that its owner said was not theirs.

    Only a recovery may that has shown a factor, and never takes that one: else whoever holds the mailbox alone could
    report the owner's own sign-in, and be rid of the factor that keeps them out.
    """

    audit: AuditReader
    sessions: Sessions
    factors: Factors
    passkeys: Passkeys
    recovery_codes: RecoveryCodes

    def remove(self, tx: Transaction, user_id: str, *, shown: str, now: float) -> list[str]:
        """Which factors went ("passkey", "totp"), one word for each; `shown` is what the ticket says (`core.recovery`).
        Recovery codes go with the last factor, and where that sign-in made them."""
        lines = self.audit.of_user(tx, user_id, since=now - SHOWN_SECONDS, limit=LINES_READ)
        foreign = self._sessions(tx, user_id, lines)
        done = [line for line in lines if line.session_id in foreign]
        enrolled = {(line.detail, line.ts) for line in done if line.kind == "factor.enrolled"}
        removed = []
        for passkey in self.passkeys.of_user(tx, user_id):
            is_foreign = ("passkey", passkey.created_at) in enrolled
            if is_foreign and shown != shown_passkey(passkey.credential_id):
                self.passkeys.remove(tx, user_id, passkey.credential_id)
                removed.append("passkey")
        factor = self.factors.find(tx, user_id)
        if factor is not None and ("totp", factor.created_at) in enrolled and shown != "totp":
            self.factors.remove(tx, user_id, factor.factor_id)
            removed.append("totp")
            factor = None
        has_made_codes = any(line.kind == "recovery_codes.made" for line in done) and shown != "recovery_code"
        has_no_other = removed != [] and factor is None and not self.passkeys.of_user(tx, user_id)
        if has_made_codes or has_no_other:
            self.recovery_codes.replace(tx, user_id, (), now)
        return removed

    def _sessions(self, tx: Transaction, user_id: str, lines: list[AuditEvent]) -> set[str]:
        """The reported ones, and what else began at their browsers: a step-up there begins another session."""
        reported = {line.session_id for line in lines if line.kind == "sign_in.reported" and line.session_id}
        sessions = self.sessions.of_user(tx, user_id)
        browsers = {each.browser_id for each in sessions if each.session_id in reported and each.browser_id}
        return reported | {each.session_id for each in sessions if each.browser_id in browsers}
