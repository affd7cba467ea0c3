"""What the flows answer. All of them are values: a denied login is an outcome, not an accident.

The score is here for a caller that may see it; whether it is shown is the API's matter.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.claims import TOKEN_TYPE
from auth_gateway.core.factor import FactorKind
from risk_scorer.contract.assessment import RiskScore


class IssuedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh pair of tokens, lifetimes in seconds from now; an ID token for an application that asked for `openid`."""

    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    scope: str
    token_type: str = TOKEN_TYPE
    id_token: str | UnsetType = UNSET


class AccessAlone(msgspec.Struct, frozen=True, kw_only=True):
    """What an application gets that may not refresh, or that acts for nobody."""

    access_token: str
    expires_in: int
    scope: str
    token_type: str = TOKEN_TYPE
    id_token: str | UnsetType = UNSET


class LetIn(msgspec.Struct, frozen=True, kw_only=True):
    """The person is in. `owes_new_password` says that others guess the password they came with."""

    session_id: str
    user_id: str
    score: RiskScore | None = None
    owes_new_password: bool = False


class Allowed(LetIn, frozen=True, kw_only=True):
    """The person is in, and the application that asked has its tokens."""

    tokens: IssuedTokens


class MfaRequired(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor is awaited; `challenge_token` is the secret that finishes this login, once, with one
    of `methods`, the strongest first. `number` is what its person types where an MFA system asks them."""

    challenge_token: str
    challenge_id: str
    expires_in: int
    methods: tuple[FactorKind, ...]
    number: str = ""
    score: RiskScore | None = None


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """Policy refused; the person gets the incident id and nothing else."""

    incident_id: str
    score: RiskScore | None = None


class WrongCredentials(msgspec.Struct, frozen=True):
    """Unknown user, wrong password or frozen account: nobody outside can tell which, so the value cannot either."""


class Throttled(msgspec.Struct, frozen=True, kw_only=True):
    """Too many tries; nothing was looked at."""

    retry_after_seconds: float


class WrongCode(msgspec.Struct, frozen=True, kw_only=True):
    """The code was wrong or used before; the challenge can be tried again."""

    attempts_left: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The MFA system has not said anything yet."""

    retry_after_seconds: float


class SlowDown(msgspec.Struct, frozen=True, kw_only=True):
    """The same, asked sooner than it should be."""

    retry_after_seconds: float


class ChallengeOver(msgspec.Struct, frozen=True):
    """Unknown, expired, used, exhausted or somebody else's challenge: log in again."""


class Refreshed(msgspec.Struct, frozen=True, kw_only=True):
    """The next pair of tokens of a session."""

    session_id: str
    tokens: IssuedTokens


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """The first tokens of a grant."""

    tokens: IssuedTokens | AccessAlone


GrantError = Literal[
    "invalid_scope",
    "invalid_dpop_proof",
    "unauthorized_client",
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
]
"""Words of RFC 6749 (5.2), RFC 8628 (3.5) and RFC 9449 (5) that an application may act on."""


class NotGranted(msgspec.Struct, frozen=True):
    """Nothing is issued, and the application is told why."""

    error: GrantError


class InvalidGrant(msgspec.Struct, frozen=True):
    """The code or token gives nothing; the reason is for the operator's log, never for the caller."""

    verdict: str


class LoginNeeded(msgspec.Struct, frozen=True):
    """The token or code is good, but its bearer must be recognised again first. A refresh token stays unspent."""

    rule: str


class FactorNeeded(msgspec.Struct, frozen=True):
    """The session rests until its owner has shown a factor where they are signed in. The token stays dead."""


class SessionEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The token or code came from where it must not come from: its session is over."""

    incident_id: str


LoginAnswer = LetIn | MfaRequired | Denied | WrongCredentials | Throttled
CompletionAnswer = LetIn | Denied | WrongCode | ChallengeOver | Throttled | Waiting | SlowDown
RefreshAnswer = Refreshed | InvalidGrant | LoginNeeded | FactorNeeded | SessionEnded | NotGranted
GrantAnswer = Issued | InvalidGrant | LoginNeeded | SessionEnded | NotGranted
TokenAnswer = RefreshAnswer | GrantAnswer
