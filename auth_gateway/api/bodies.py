"""The shapes that the endpoints take, sizes and types only; what the values mean is decided further in."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from auth_gateway.core.push import Verdict

# Wide enough for any password and context we take, far too small to be worth sending for its size.
MOST_LOGIN_BYTES = 32_768
MOST_TOKEN_BYTES = 8_192
MOST_CHALLENGE_BYTES = 4_096
MOST_VERDICT_BYTES = 4_096

Address = Annotated[str, Meta(max_length=64)]
Agent = Annotated[str, Meta(max_length=2048)]
Text256 = Annotated[str, Meta(max_length=256)]
Text128 = Annotated[str, Meta(max_length=128)]
Asn = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Method = Literal["totp", "push", "recovery_code", "email_code"]
Timestamp = Annotated[str, Meta(max_length=64)] | float | int


class VouchedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a first-party client may say about the request it passes on; each of them left out is not vouched for."""

    timestamp: Timestamp | None = None
    ip: Address | None = None
    user_agent: Agent | None = None
    device_id: Text256 | None = None
    country: Text128 | None = None
    region: Text128 | None = None
    city: Text128 | None = None
    ja4: Text256 | None = None
    ja4h: Text256 | None = None
    ja4s: Text256 | None = None
    asn: Asn | None = None
    ip_rep: Percent | None = None


class LoginBody(VouchedFacts, frozen=True, kw_only=True):
    """`POST /login`. Name and password have no limit of their own: an impossible one is answered like a wrong one.

    `success`, which the reference's clients send, is ignored with every other unknown field: we find that out
    ourselves.
    """

    username: str
    password: str


class ChallengeBody(VouchedFacts, frozen=True, kw_only=True):
    """`POST /login/complete`; `method` is one of those that the login answered with, and all but `push` have a
    `code`."""

    challenge_id: Text256
    code: Annotated[str, Meta(max_length=64)] | None = None
    method: Method = "totp"


class EmailCodeBody(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /login/email-code`."""

    challenge_id: Text256


class VerdictBody(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /mfa/challenges/{challenge_id}/verdict`. The signature holds the body and not the address, so the body
    names the challenge again; `number` is what the person typed."""

    challenge_id: Text256
    verdict: Verdict
    number: Annotated[str, Meta(max_length=16)] = ""


class TokenBody(VouchedFacts, frozen=True, kw_only=True):
    """`POST /token`, the same fields as JSON and as a form (where all of them are text)."""

    grant_type: Text128 | None = None
    refresh_token: str | None = None
    scope: Annotated[str, Meta(max_length=1024)] | None = None
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    device_code: str | None = None
    client_id: Text256 | None = None
    client_secret: str | None = None
    client_assertion: str | None = None
    client_assertion_type: Text128 | None = None


VOUCHED_FIELDS = tuple(VouchedFacts.__struct_fields__)


def vouches(body: VouchedFacts) -> bool:
    """Whether the body says anything about the circumstances of the request."""
    return any(getattr(body, field) is not None for field in VOUCHED_FIELDS)
