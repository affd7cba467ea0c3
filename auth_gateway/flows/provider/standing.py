"""Whether an access token counts at this moment. Its signature, type, issuer and times were checked before; here is
what only the database knows.
"""

from dataclasses import dataclass

from auth_gateway.core.context import PUBLIC_CLIENT_ID
from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.flows.ports import Clients, Sessions, Users
from auth_gateway.flows.provider.ports import RevokedTokens, SessionClients
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStanding:
    """Asks the database, by primary keys alone."""

    clients: Clients
    sessions: Sessions
    users: Users
    session_clients: SessionClients
    revoked_tokens: RevokedTokens

    def in_force(self, tx: Transaction, token: VerifiedToken, now: float) -> bool:
        """Whether nothing has taken the token back: its application is registered as it was, it was not revoked itself,
        and for a person's token the session runs and has awaited no factor since it was issued, the account is not
        frozen, and the application's part in the session has not ended."""
        if now >= token.exp or not self._is_known(tx, token):
            return False
        if self.revoked_tokens.holds(tx, token.jti):
            return False
        return self._runs(tx, token, now) if token.is_of_a_person else True

    def _is_known(self, tx: Transaction, token: VerifiedToken) -> bool:
        """A removed application takes its tokens with it, also when its id is given again; the public one is not in
        the list of registrations."""
        if token.client_id == PUBLIC_CLIENT_ID:
            return True
        registered_at = self.clients.registered_at(tx, token.client_id)
        return registered_at is not None and int(registered_at) <= token.iat

    def _runs(self, tx: Transaction, token: VerifiedToken, now: float) -> bool:
        session = self.sessions.find(tx, token.sid)
        if session is None or session.user_id != token.sub:
            return False
        if session.revoked_at is not None or now >= session.expires_at or not session.counts(token.iat):
            return False
        if self.session_clients.has_ended(tx, token.sid, token.client_id, issued_at=token.iat):
            return False
        account = self.users.by_id(tx, token.sub)
        return account is not None and not account.is_frozen
