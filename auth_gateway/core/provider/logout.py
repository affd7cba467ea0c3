"""What an application is told when a session ends in which it had a part. Signing and sending live elsewhere.

Source: OpenID Connect Back-Channel Logout 1.0.
"""

import hashlib
from base64 import urlsafe_b64encode

import msgspec

from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.provider.tokens import LOGOUT_EVENT, LOGOUT_TOKEN_SECONDS, LogoutClaims

EVENT_TYPE = "session.logout"
ENDPOINT_PREFIX = "backchannel-logout "
"""An endpoint of the outbox is this and the address, so that each address has its own queue."""


class LogoutNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One application that must hear of one ended session. It waits in the outbox; the token is made when it is sent,
    since a token lives two minutes and a receiver may be away for days."""

    client_id: str
    user_id: str
    session_id: str
    algorithm: SigningAlgorithm

    def claims(self, *, issuer: str, jti: str, now: float) -> LogoutClaims:
        """The logout token of an attempt made now. Each attempt has its own `jti`, or a receiver that took the first
        and whose answer was lost would refuse the second as a replay (section 2.6)."""
        issued_at = int(now)
        return LogoutClaims(
            iss=issuer,
            sub=self.user_id,
            aud=self.client_id,
            iat=issued_at,
            exp=issued_at + LOGOUT_TOKEN_SECONDS,
            jti=jti,
            sid=self.session_id,
            events={LOGOUT_EVENT: {}},
        )


def endpoint_of(address: str) -> str:
    """The outbox's name of that address."""
    return ENDPOINT_PREFIX + address


def address_of(endpoint: str) -> str | None:
    """The address behind an endpoint's name; None when the endpoint is another kind of receiver."""
    return endpoint.removeprefix(ENDPOINT_PREFIX) if endpoint.startswith(ENDPOINT_PREFIX) else None


def notice_id(event_id: str, *, session_id: str, client_id: str) -> str:
    """The id of one notice: the same when a transaction runs again, another for each session and application of the
    same event."""
    told = hashlib.sha256("\n".join((event_id, session_id, client_id)).encode()).digest()[:16]
    return f"msg_{urlsafe_b64encode(told).rstrip(b'=').decode()}"
