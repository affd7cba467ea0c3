"""A session that rested until its owner showed a factor goes on, and nothing that was issued in it before does: not its
refresh tokens, codes or approved devices, whoever holds them.
"""

from dataclasses import dataclass

from auth_gateway.core.session import Session
from auth_gateway.flows.ports import RefreshTokens, Sessions
from auth_gateway.flows.provider.ports import AuthorizationCodes, DeviceGrants
from auth_gateway.flows.session_notices import SessionNotices
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Writes it inside the transaction that spends the factor."""

    sessions: Sessions
    refresh_tokens: RefreshTokens
    codes: AuthorizationCodes
    device_grants: DeviceGrants
    notices: SessionNotices

    def write(self, tx: Transaction, renewed: Session, shown: LoginEvent, now: float) -> bool:
        """Let the session go on as `renewed` says; False when it does not rest any more. The session comes first: who
        begins something in it at this moment holds its row, and what begins there is found here."""
        session_id = renewed.session_id
        if not self.sessions.answer(tx, session_id, now=now, amr=renewed.amr, acr=renewed.acr):
            return False
        self.refresh_tokens.revoke_session(tx, session_id, now=now)
        self.codes.forget_session(tx, session_id)
        self.device_grants.end_of_session(tx, session_id)
        self.notices.stepped_up(tx, renewed, shown, now)
        return True
