"""A browser that its owner trusts: after a second factor that was shown there, and for as long as the risk is low, the
password is enough. What it is worth is said where the login is decided; here it begins.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import TrustedDevice, is_shown
from auth_gateway.core.facts import Facts
from auth_gateway.core.provider.assurance import is_strong_enough
from auth_gateway.core.rotation import digest
from auth_gateway.core.session import Session
from auth_gateway.flows.ports import AuditTrail, Randomness, TrustedDevices
from plumbing.statements import Transaction

TRUSTED_SECONDS = 30 * 86_400


class NewTrust(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn before the transaction that may run twice. `token` is the cookie's; `replaces` the digest of the
    one that the browser had before."""

    token: str
    device_id: str
    event_id: str
    replaces: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Begins trust."""

    randomness: Randomness
    trusted_devices: TrustedDevices
    audit: AuditTrail

    def draw(self, *, replaces: bytes | None) -> NewTrust:
        """The token and names of a browser that its person wants to trust."""
        return NewTrust(
            token=self.randomness.token(),
            device_id=self.randomness.event_id("tdv"),
            event_id=self.randomness.event_id("evt"),
            replaces=replaces,
        )

    def begin(self, tx: Transaction, new: NewTrust, session: Session) -> None:
        """From now on this browser is trusted; the trust that it had from the same person before ends with that."""
        now = session.created_at
        before = None if new.replaces is None else self.trusted_devices.find(tx, new.replaces)
        if before is not None and before.user_id == session.user_id:
            self.trusted_devices.revoke(tx, before.user_id, before.device_id, now)
        device = TrustedDevice(
            token_digest=digest(new.token),
            device_id=new.device_id,
            user_id=session.user_id,
            user_agent=session.user_agent,
            ip=session.ip,
            place=session.place,
            created_at=now,
            expires_at=now + TRUSTED_SECONDS,
        )
        self.trusted_devices.add(tx, device)
        line = AuditEvent(
            event_id=new.event_id,
            ts=now,
            kind="device.trusted",
            user_id=session.user_id,
            client_id=session.client_id,
            session_id=session.session_id,
            ip=session.ip,
            detail=new.device_id,
            facts=Facts(user_agent=session.user_agent, country=session.country, amr=tuple(session.amr.split())),
        )
        self.audit.record(tx, line)


def may_begin(session: Session) -> bool:
    """Whether a factor that reaches two was shown in the login itself: a code by mail, or a browser that is trusted
    already, begins no trust."""
    return is_shown(session.amr.split()) and is_strong_enough(session.acr, "aal2")
