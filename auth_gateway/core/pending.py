"""An unfinished login: what it remembers of its first half, and whether it may still be finished."""

from typing import Literal

import msgspec

from auth_gateway.core.claims import PASSWORD
from auth_gateway.core.factor import Demand
from auth_gateway.core.origin import Origin
from auth_gateway.core.push import PushState, Standing
from risk_scorer.contract.events import LoginEvent

CHALLENGE_TTL_SECONDS = 300
CHALLENGE_ATTEMPTS = 5

# Why a challenge cannot be finished. All of them look the same from outside.
Obstacle = Literal["unknown", "other_client", "consumed", "expired", "exhausted", "user_changed"]


class PendingLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A login whose password was right and whose second factor is awaited.

    It carries the facts of its first half (`event`: the scored LoginEvent as JSON), so that nothing the second
    request says can change who logs in, from where, or for which client; the second is held against them.
    `recognised_at` is when the password was shown, where that was in an earlier login: a second factor alone does not
    make it younger; `amr` is how the first half was shown. `demand` says which factors it takes. `password_version` is
    the user's at the time: a password changed meanwhile ends the challenge. `push` is how far an MFA system has come
    with it, `number` what its person must type there, "" where none is asked for, and `incident_id` what a refusal is
    known by.
    """

    challenge_id: str
    token_digest: bytes
    user_id: str
    client_id: str
    password_version: int
    device_digest: bytes | None
    event_id: str
    event: bytes
    risk_score: float | None
    risk_level: str | None
    created_at: float
    expires_at: float
    attempts_left: int
    consumed_at: float | None = None
    is_vouched: bool = False
    country: str = ""
    recognised_at: int | None = None
    place: str = ""
    demand: Demand = "any"
    amr: str = PASSWORD
    is_known_device: bool = False
    push: PushState = ""
    number: str = ""
    incident_id: str = ""
    polled_at: float | None = None

    @property
    def login(self) -> LoginEvent:
        """The first half as it was scored."""
        return msgspec.json.decode(self.event, type=LoginEvent)

    @property
    def known_device(self) -> bytes | None:
        """The digest of the device, where it was one of the person's own."""
        return self.device_digest if self.is_known_device else None

    @property
    def origin(self) -> Origin:
        """Where the challenge was issued to."""
        login = self.login
        return Origin(
            ip=login.ip,
            user_agent=login.user_agent,
            device_digest=self.device_digest,
            ja4=login.ja4,
            started_at=self.created_at,
            is_vouched=bool(self.is_vouched),
            country=self.country,
        )


def obstacle(pending: PendingLogin | None, *, expected_client_id: str, now: float) -> Obstacle | None:
    """What stops this challenge from being tried now, or None when it may be tried."""
    if pending is None:
        return "unknown"
    if pending.client_id != expected_client_id:
        return "other_client"
    if pending.consumed_at is not None:
        return "consumed"
    if now >= pending.expires_at:
        return "expired"
    if pending.attempts_left < 1:
        return "exhausted"
    return None


def push_standing(pending: PendingLogin, now: float) -> Standing:
    """What the word of an MFA system is worth for this challenge now: none was asked, it is awaited, it was yes or no,
    or the challenge was finished or ran out without it."""
    if not pending.push:
        return "none"
    if now >= pending.expires_at:
        return "over"
    if pending.push in ("denied", "reported"):
        return "refused"
    if pending.consumed_at is not None or pending.attempts_left < 1:
        return "over"
    return "approved" if pending.push == "approved" else "waiting"


def refusal_of(pending: PendingLogin | None, *, expected_client_id: str, now: float) -> str | None:
    """The incident id of a challenge that its person refused at an MFA system, for the client that began it and while
    it would have lived."""
    if pending is None or pending.client_id != expected_client_id or push_standing(pending, now) != "refused":
        return None
    return pending.incident_id
