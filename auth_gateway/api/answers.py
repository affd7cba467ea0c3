"""The shapes that the endpoints answer with, as they are sent and as they are documented."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.push import Verdict
from auth_gateway.flows.answers import AccessAlone, IssuedTokens
from risk_scorer.contract.assessment import RiskScore

# Only a client that may see scores gets the field at all; for it, null says that the scorer gave none.
Score = RiskScore | None | UnsetType


CODE_AWAITED = "A second factor is required to finish this login."
ONLY_A_PASSKEY = "Only a passkey finishes this login, and only our own page can ask for one: begin at /authorize."


class LoginAllowed(msgspec.Struct, frozen=True, kw_only=True):
    """The person is in. `password_change_required` is there when the password is on a list of common or breached ones:
    have the person choose another one, for others try it as well."""

    allowed: Literal[True] = True
    session_id: str
    tokens: IssuedTokens
    password_change_required: Literal[True] | UnsetType = UNSET
    score: Score = UNSET


class SecondFactorAwaited(msgspec.Struct, frozen=True, kw_only=True):
    """A second factor is needed: send its code with `challenge_id` and its `method` to /login/complete within
    `expires_in` seconds. `methods` are those that this login takes from this person, the strongest first; a code by
    mail is sent by /login/email-code. `passkey` cannot be sent here: where it is the only one, begin again at
    /authorize, whose page asks for it. `push` is the word of the MFA system, which was asked already: show the person
    `number`, where there is one, and call /login/complete again and again, as its answers say.

    `challenge_ref` names the same challenge in webhook messages and cannot be used to complete it.
    """

    allowed: Literal[False] = False
    mfa_required: Literal[True] = True
    message: str = CODE_AWAITED
    challenge_id: str
    challenge_ref: str
    expires_in: int
    methods: tuple[str, ...]
    number: str | UnsetType = UNSET
    score: Score = UNSET


class WordAwaited(msgspec.Struct, frozen=True, kw_only=True):
    """The MFA system has not said anything yet: ask again in so many seconds."""

    pending: Literal[True] = True
    retry_after: int


class VerdictTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The word counts; whoever began the login comes for it."""

    verdict: Verdict


class CodeMailed(msgspec.Struct, frozen=True, kw_only=True):
    """A code is on its way to the person's verified address; the challenge waits for it so many seconds."""

    sent: Literal[True] = True
    expires_in: int


class LoginDenied(msgspec.Struct, frozen=True, kw_only=True):
    """Policy refused; support finds out why by the incident id."""

    allowed: Literal[False] = False
    denied: Literal[True] = True
    incident_id: str
    message: str = "This login was refused. Tell support the incident id."
    score: Score = UNSET


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every other answer: a stable code, and a text for people that repeats nothing of the request."""

    error: str
    error_description: str
    field: str | None = None
    attempts_left: int | None = None
    reason: Literal["step_up_required"] | None = None
    incident_id: str | None = None


PolicyState = Literal["built_in", "document", "last_good_document"]


class Health(msgspec.Struct, frozen=True):
    """The event loop answers."""

    status: Literal["ok"] = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether people can log in; `scorer` is `reachable` or why it is not, and does not count: logins go on without.
    `policy` is what decides: the built-in tables, the operator's document, or the last good one while the file is
    wrong."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, bool]
    scorer: str
    policy: PolicyState


class KeySet(msgspec.Struct, frozen=True):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, str]]


class PersonClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who the person is, as far as the application may know (OpenID Connect Core 1.0, section 5.1)."""

    sub: str
    name: str | None = None
    preferred_username: str | None = None
    email: str | None = None
    email_verified: bool | None = None


DOCUMENTED = (
    LoginAllowed,
    SecondFactorAwaited,
    WordAwaited,
    VerdictTaken,
    CodeMailed,
    LoginDenied,
    IssuedTokens,
    AccessAlone,
    PersonClaims,
    Refusal,
    Health,
    Readiness,
    KeySet,
)
