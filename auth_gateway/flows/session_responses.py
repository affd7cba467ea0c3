"""What the risk of a session does to it and to its person, in the caller's transaction."""

from dataclasses import dataclass
from typing import Final

import msgspec

from auth_gateway.core.account import SHIELD, Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.session import Session
from auth_gateway.core.session_risk import Response
from auth_gateway.flows.ending import SESSION_RISK, SESSION_RISK_EVERYWHERE, Ending
from auth_gateway.flows.ports import Sessions, TrustedDevices, Users
from auth_gateway.flows.ports.session_risk import Shields
from auth_gateway.flows.recording import Recorder
from plumbing.statements import Transaction

STEP_UP_SUFFIX: Final = ".step_up"
FROZEN_SUFFIX: Final = ".frozen"


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a risk is about; `session` None is the person alone. What was seen was seen at `observed_at`."""

    account: Account
    session: Session | None
    observed_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResponses:
    """Carries responses out."""

    users: Users
    shields: Shields
    sessions: Sessions
    trusted_devices: TrustedDevices
    ending: Ending
    recorder: Recorder

    def apply(self, tx: Transaction, response: Response, line: AuditEvent, about: Concerned) -> bool:
        """Do what `response` says, as what follows from `line`; False when there was nothing left to do.

        The caller holds the account's row: whoever is being let in at this moment waits, and is found here or refused.
        """
        if response == "freeze":
            return self._freeze(tx, line, about)
        if response == "logout":
            return self._end_all(tx, line, about, reason=SESSION_RISK_EVERYWHERE) > 0
        if about.session is None or response == "none":
            return False
        if response == "step_up":
            return self._ask(tx, line, about, about.session)
        session_id = about.session.session_id
        return self.ending.end(tx, session_id, reason=SESSION_RISK, event_id=line.event_id, now=line.ts)

    def _ask(self, tx: Transaction, line: AuditEvent, about: Concerned, session: Session) -> bool:
        """The session rests. What was seen before its owner showed a factor asks for no other."""
        if not self.sessions.ask(tx, session.session_id, now=line.ts, observed_at=about.observed_at):
            return False
        asked = msgspec.structs.replace(
            line, event_id=line.event_id + STEP_UP_SUFFIX, kind="session.step_up_required", detail=None
        )
        self.recorder.audit.record(tx, asked)
        return True

    def _freeze(self, tx: Transaction, line: AuditEvent, about: Concerned) -> bool:
        was_frozen_now = self.shields.shield(tx, about.account.user_id)
        ended = self._end_all(tx, line, about, reason=SHIELD)
        if was_frozen_now:
            frozen = msgspec.structs.replace(
                line, event_id=line.event_id + FROZEN_SUFFIX, kind="user.frozen", rule=SHIELD, session_id=None
            )
            self.recorder.write(tx, self.recorder.account_frozen(frozen, about.account))
        return was_frozen_now or ended > 0

    def _end_all(self, tx: Transaction, line: AuditEvent, about: Concerned, *, reason: str) -> int:
        user_id = about.account.user_id
        self.trusted_devices.revoke_all(tx, user_id, line.ts)
        ids = [session.session_id for session in self.sessions.of_user(tx, user_id)]
        return self.ending.end_all(tx, ids, reason=reason, event_id=line.event_id, now=line.ts)
