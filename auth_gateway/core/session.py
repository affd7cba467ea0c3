"""A session and the refresh tokens that keep it alive, as values."""

from typing import Literal

import msgspec

from auth_gateway.core.claims import SCOPE, Authentication

SEEN_SECONDS = 3600.0
"""How exactly a session's owner is told when it was last seen: each look costs a write."""
REFUSALS_SECONDS = 3600.0
# Who is refused signs in; who goes on asking is a client in a loop, or a thief looking for a place that passes.
MOST_REFUSALS = 10


def awaits_factor(asked_at: float | None, answered_at: float | None) -> bool:
    """Whether a session that was asked for a factor, and answered, at those times has still to answer."""
    return asked_at is not None and (answered_at is None or answered_at < asked_at)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What follows one finished login. It ends at `expires_at` at the latest, refreshed or not.

    `amr` is one text, methods separated by spaces. The facts of the login stay with it, so that a later request of
    the same session can be held against them. `browser_id` is the browser that is signed in by it, if one is; `place`
    is where it began, in words for its owner. `asked_at` is when its risk last asked for a factor, and `answered_at`
    when one was shown for that: in between the session rests, and what was issued before stays dead afterwards.
    """

    session_id: str
    user_id: str
    client_id: str
    amr: str
    acr: str
    auth_time: int
    ip: str
    user_agent: str
    device_digest: bytes | None
    risk_score: float | None
    created_at: float
    expires_at: float
    revoked_at: float | None = None
    revoked_reason: str | None = None
    ja4: str | None = None
    is_vouched: bool = False
    country: str = ""
    browser_id: str | None = None
    place: str = ""
    last_seen_at: float = 0.0
    asked_at: float | None = None
    answered_at: float | None = None

    @property
    def awaits_factor(self) -> bool:
        """Whether it rests until its owner has shown a factor."""
        return awaits_factor(self.asked_at, self.answered_at)

    def counts(self, issued_at: int) -> bool:
        """Whether a token of that second (whole epoch seconds) is not one of before the owner answered. One of the very
        second in which they were asked may be a thief's copy."""
        if self.asked_at is None:
            return True
        is_since_answer = self.answered_at is not None and issued_at >= int(self.answered_at)
        return not self.awaits_factor and is_since_answer and issued_at > int(self.asked_at)

    @property
    def seen_at(self) -> float:
        """When it was last used, to the hour."""
        return max(self.created_at, self.last_seen_at)

    @property
    def authentication(self) -> Authentication:
        """How the person was recognised when the session began."""
        return Authentication(amr=tuple(self.amr.split()), acr=self.acr, auth_time=self.auth_time)


class Refusals(msgspec.Struct, frozen=True):
    """How often a family was refused for its risk in the hour that began at `since` (epoch seconds)."""

    count: int = 0
    since: float = 0.0

    def one_more(self, now: float) -> "Refusals":
        """With the refusal of `now`; an hour after the first of them the count begins anew."""
        if 0 <= now - self.since < REFUSALS_SECONDS:
            return Refusals(self.count + 1, self.since)
        return Refusals(1, now)


FamilyKind = Literal["login", "code", "device"]
"""What began a family: the JSON `/login`, an authorization code, a device's code."""


class FirstSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Where a family's first token was fetched from. An application that is not the browser itself (a phone's, a
    television's) shows a user agent of its own, so its refreshes are held against this and not against the login."""

    ip: str
    user_agent: str
    device_digest: bytes | None = None
    ja4: str | None = None


class RefreshFamily(msgspec.Struct, frozen=True, kw_only=True):
    """All refresh tokens that descend from one login at one client; they die together.

    `audience` "" is the gateway's own. `jkt` binds its tokens to a key (RFC 9449), `first_seen` None is the session's
    own beginning, `claims` what the `claims` parameter asked for.
    """

    family_id: str
    session_id: str
    client_id: str
    created_at: float
    revoked_at: float | None = None
    refusals: Refusals = Refusals()
    kind: FamilyKind = "login"
    scope: str = SCOPE
    audience: str = ""
    jkt: str | None = None
    claims: str | None = None
    first_seen: FirstSeen | None = None


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a family; the token itself is never kept, only its SHA-256."""

    token_digest: bytes
    family_id: str
    issued_at: float
    expires_at: float
    successor_digest: bytes | None = None
    used_at: float | None = None
