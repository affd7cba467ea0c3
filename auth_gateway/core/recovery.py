"""Getting an account back: from where a new password may be set, and the ticket that says a factor was shown."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from hashlib import sha256

from auth_gateway.core.decision import Allow, Decision, Deny
from auth_gateway.core.policy import Policy, level_of
from risk_scorer.contract.assessment import RiskScore

TICKET_SECONDS = 900
_EXPIRY_BYTES = 8


def decide_recovery(score: RiskScore | None, *, has_shown_factor: bool, policy: Policy) -> Decision:
    """Whether somebody who holds the mailbox, and has shown a factor where there is one, may set a password from here.

    High risk may not; an operator who steps up at high risk demands the factor. A new password lets nobody in by
    itself: the login that follows is judged like every other.
    """
    reasons = tuple(reason.code for reason in score.reasons) if score is not None else ()
    level = level_of(score)
    if level == "high" and (policy.high_deny or not has_shown_factor):
        return Deny("recovery_high", reasons)
    return Allow("recovery", reasons if level is not None else ())


def new_ticket(key: bytes, *, link_digest: bytes, user_id: str, now: float) -> str:
    """Says that the person of this link has shown a factor. It opens nothing without the link, which counts once."""
    expiry = (int(now) + TICKET_SECONDS).to_bytes(_EXPIRY_BYTES, "big")
    return urlsafe_b64encode(expiry + _mac(key, expiry, link_digest, user_id)).rstrip(b"=").decode()


def is_good_ticket(ticket: str, key: bytes, *, link_digest: bytes, user_id: str, now: float) -> bool:
    """Whether it is ours, of this link and person, and in time."""
    try:
        raw = urlsafe_b64decode(ticket.encode("ascii") + b"=" * (-len(ticket) % 4))
    except (ValueError, NotBase64):
        return False
    expiry, mac = raw[:_EXPIRY_BYTES], raw[_EXPIRY_BYTES:]
    is_ours = hmac.compare_digest(mac, _mac(key, expiry, link_digest, user_id))
    return is_ours and now < int.from_bytes(expiry, "big")


def _mac(key: bytes, expiry: bytes, link_digest: bytes, user_id: str) -> bytes:
    return hmac.digest(key, expiry + sha256(link_digest).digest() + user_id.encode("utf-8", "surrogatepass"), sha256)
