"""What an authorization code is worth to whoever presents it: the one place that says so.

Source: RFC 6749, section 4.1.3; RFC 7636, section 4.6; RFC 9449, section 10.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Literal

import msgspec

from auth_gateway.core.provider.authorization import AuthorizationCode

CodeVerdict = Literal[
    "redeem", "reused", "expired", "other_client", "other_redirect_uri", "other_verifier", "other_key", "unknown"
]

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636, section 4.1."""


class CodeShown(msgspec.Struct, frozen=True, kw_only=True):
    """What came with a code; `jkt` is the thumbprint of the key that was proven, if one was."""

    client_id: str
    redirect_uri: str
    code_verifier: str
    jkt: str | None = None


def code_verdict(code: AuthorizationCode | None, shown: CodeShown, *, now: float) -> CodeVerdict:
    """What to do with this code now.

    Whoever lacks the verifier, the key or the client is told apart before anything else, so that a code that was read
    on its way spends nothing and ends nothing. A second use is judged before expiry: it betrays a theft at any age.
    """
    if code is None:
        return "unknown"
    if code.client_id != shown.client_id:
        return "other_client"
    if code.redirect_uri != shown.redirect_uri:
        return "other_redirect_uri"
    if not _is_verifier(shown.code_verifier, code.code_challenge):
        return "other_verifier"
    if code.dpop_jkt is not None and code.dpop_jkt != shown.jkt:
        return "other_key"
    if code.used_at is not None:
        return "reused"
    return "redeem" if now < code.expires_at else "expired"


def _is_verifier(verifier: str, challenge: str) -> bool:
    """Whether the S256 challenge was made from it."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode("utf-8", "surrogatepass"))
