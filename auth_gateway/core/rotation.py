"""What happens to a refresh token when it is presented: the one place that says when it lives, dies, or takes its
family with it. The successor is derived, never drawn, so a lost answer can be given again without a fork.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Literal

import msgspec

from auth_gateway.core.claims import Authentication, recalled
from auth_gateway.core.origin import Browser, Origin
from auth_gateway.core.session import FamilyKind, awaits_factor
from auth_gateway.core.user_risk import NO_RISK, UserRisk

RETRY_WINDOW_SECONDS = 10.0
LONGEST_TOKEN = 256

Verdict = Literal[
    "rotate", "retry", "reused", "expired", "revoked", "frozen", "awaits_factor", "other_client", "other_key", "unknown"
]


class Presented(msgspec.Struct, frozen=True):
    """A presented token's row with the state of its successor, family, session and user, in the look-up's order."""

    family_id: str
    expires_at: float
    used_at: float | None
    successor_used_at: float | None
    client_id: str
    family_revoked_at: float | None
    session_id: str
    amr: str
    acr: str
    auth_time: int
    session_expires_at: float
    session_revoked_at: float | None
    user_id: str
    is_frozen: bool | int
    kind: FamilyKind
    scope: str
    audience: str
    jkt: str | None
    claims: str | None
    session_seen_at: float
    session_asked_at: float | None
    session_answered_at: float | None

    @property
    def authentication(self) -> Authentication:
        """How the person was recognised when the session began."""
        return recalled(amr_text=self.amr, acr=self.acr, auth_time=self.auth_time)


class Held(Presented, frozen=True):
    """The same with whose it is and where its session began: what a refresh is held against before it is spent."""

    username: str
    session_created_at: float
    ip: str
    user_agent: str
    device_digest: bytes | None
    ja4: str | None
    is_vouched: bool | int
    country: str
    first_ip: str | None
    first_user_agent: str | None
    first_device_digest: bytes | None
    first_ja4: str | None
    family_created_at: float
    login_score: float | None
    risk_value: float | None = None
    risk_at: float | None = None
    risk_is_held: bool | int | None = None

    @property
    def risk(self) -> UserRisk:
        """What is held against the person."""
        if self.risk_value is None or self.risk_at is None:
            return NO_RISK
        return UserRisk(value=self.risk_value, at=self.risk_at, is_held=bool(self.risk_is_held))

    @property
    def origin(self) -> Origin:
        """Where the session began, or where this family was first seen, if an application of the person's began it.

        An application that has a server of its own was seen nowhere: its connections say nothing about the person.
        """
        if self.first_ip is not None:
            return Origin(
                ip=self.first_ip,
                user_agent=self.first_user_agent or "",
                device_digest=self.first_device_digest,
                ja4=self.first_ja4,
                started_at=self.family_created_at,
                is_vouched=False,
                country=self.country,
                browser=Browser(user_agent=self.user_agent, ja4=self.ja4),
            )
        return Origin(
            ip=self.ip,
            user_agent=self.user_agent,
            device_digest=self.device_digest,
            ja4=self.ja4,
            started_at=self.session_created_at,
            is_vouched=bool(self.is_vouched) or self.kind != "login",
            country=self.country,
        )


def verdict(
    presented: Presented | None, *, expected_client_id: str, now: float, shown_jkt: str | None = None
) -> Verdict:
    """What to do with this token now; `shown_jkt` is the thumbprint of the key that its bearer has proven to hold.

    A token of another client or key is refused without touching its family: who finds a token must not be able to
    end the session with it from elsewhere. Reuse is judged before expiry, so that an old stolen token still betrays
    the theft.
    """
    if presented is None:
        return "unknown"
    if presented.client_id != expected_client_id:
        return "other_client"
    if presented.jkt is not None and presented.jkt != shown_jkt:
        return "other_key"
    if presented.session_revoked_at is not None or presented.family_revoked_at is not None:
        return "revoked"
    if presented.is_frozen:
        return "frozen"
    if awaits_factor(presented.session_asked_at, presented.session_answered_at):
        return "awaits_factor"  # a token that comes twice is told apart when the owner has answered: both are dead then
    if presented.used_at is not None:
        is_retry = presented.successor_used_at is None and now - presented.used_at <= RETRY_WINDOW_SECONDS
        return "retry" if is_retry else "reused"
    if now >= presented.expires_at or now >= presented.session_expires_at:
        return "expired"
    return "rotate"


def successor(pepper: bytes, token: str, family_id: str) -> str:
    """The one token that may follow `token`: 256 bits that only the holder of the pepper and of `token` can know.

    The same answer for the same token, always: docs/decisions/0004 says why a retry must not fork the family.
    """
    mac = hmac.digest(pepper, f"{token}\n{family_id}".encode(), "sha256")
    return urlsafe_b64encode(mac).rstrip(b"=").decode()


def successor_expires_at(*, used_at: float, refresh_seconds: float, session_expires_at: float) -> float:
    """When the successor of a token spent at `used_at` ends: never later than its session."""
    return min(used_at + refresh_seconds, session_expires_at)


def digest(token: str) -> bytes:
    """What is stored of an opaque token: SHA-256. Unsalted is enough for 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def narrowed(granted: str, asked: str | None) -> str | None:
    """The scope of one access token: what was asked for of what the family has, in the family's order; all of it when
    nothing was asked. None when more was asked than was granted (RFC 6749, section 6)."""
    if not asked:
        return granted
    wanted, had = set(asked.split()), granted.split()
    return " ".join(scope for scope in had if scope in wanted) if wanted and wanted <= set(had) else None


def is_plausible(token: str) -> bool:
    """Whether a text could be a token of ours; anything else is unknown without a look-up."""
    return 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable()
