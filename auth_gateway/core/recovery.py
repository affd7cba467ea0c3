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
_MAC_END = _EXPIRY_BYTES + sha256().digest_size


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


def shown_passkey(credential_id: bytes) -> str:
    """How a ticket names the passkey that was shown; a code it calls by its kind."""
    return f"passkey {sha256(credential_id).hexdigest()}"


def new_ticket(key: bytes, *, link_digest: bytes, user_id: str, shown: str, now: float) -> str:
    """Says that the person of this link has shown this factor. It opens nothing without the link, which counts once."""
    expiry = (int(now) + TICKET_SECONDS).to_bytes(_EXPIRY_BYTES, "big")
    mac = _mac(key, expiry, link_digest, user_id, shown)
    return urlsafe_b64encode(expiry + mac + shown.encode()).rstrip(b"=").decode()


def shown_by(ticket: str, key: bytes, *, link_digest: bytes, user_id: str, now: float) -> str:
    """What was shown, when the ticket is ours, of this link and person, and in time; else ""."""
    try:
        raw = urlsafe_b64decode(ticket.encode("ascii") + b"=" * (-len(ticket) % 4))
        expiry, mac, shown = raw[:_EXPIRY_BYTES], raw[_EXPIRY_BYTES:_MAC_END], raw[_MAC_END:].decode()
    except (ValueError, NotBase64):
        return ""
    is_ours = hmac.compare_digest(mac, _mac(key, expiry, link_digest, user_id, shown))
    return shown if is_ours and now < int.from_bytes(expiry, "big") else ""


def _mac(key: bytes, expiry: bytes, link_digest: bytes, user_id: str, shown: str) -> bytes:
    fixed = expiry + sha256(link_digest).digest() + sha256(shown.encode()).digest()
    return hmac.digest(key, fixed + user_id.encode("utf-8", "surrogatepass"), sha256)
