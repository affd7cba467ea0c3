"""The access token that a request shows in its header, and how we say that it will not do.

Source: RFC 6750, sections 2 and 3; RFC 9449, section 7.1.
"""

from starlette.requests import Request

from plumbing.refusals import Refused

LONGEST_ACCESS_TOKEN = 8_192
DPOP_ALGORITHMS = "ES256 RS256 PS256 EdDSA Ed25519"

_TEXTS = {
    "invalid_token": "The access token is invalid, expired, revoked or shown in the wrong way.",
    "insufficient_scope": "This access token does not open this.",
    "invalid_dpop_proof": "The DPoP proof is missing, invalid or was used before.",
}


def shown_token(request: Request, *, realm: str, in_form: str = "") -> tuple[str, str]:
    """Scheme and token; what comes in a form is a bearer's, since DPoP is a scheme of the header alone. The address is
    never read: it ends in logs and histories (RFC 9700, section 4.3.2).

    Raises: Refused `unauthorized` (401) without any, with both schemes and no error in the header, as there was nothing
    to be wrong; `invalid_token` (401); `invalid_request` (400) for a token in two places.
    """
    headers = request.headers.getlist("authorization")
    if in_form and headers:  # RFC 6750, section 2: one way for each request
        raise Refused("invalid_request", "Show the access token once.", status=400)
    if in_form:
        headers = [f"Bearer {in_form}"]
    if not headers:
        challenge = f'Bearer realm="{realm}", DPoP algs="{DPOP_ALGORITHMS}"'
        # RFC 6750, section 3.1: who shows nothing is told how to, and of no error of a token.
        raise Refused("unauthorized", "Show an access token.", status=401, headers={"www-authenticate": challenge})
    scheme, _, token = headers[0].partition(" ")
    known = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower())
    token = token.strip()
    if len(headers) > 1 or known is None or not token or len(token) > LONGEST_ACCESS_TOKEN:
        raise token_refused("invalid_token", known or "Bearer")
    return known, token


def token_refused(error: str, scheme: str, *, scope: str = "") -> Refused:
    """401, or 403 for a token that lacks `scope`, with the scheme that was tried."""
    algorithms = f', algs="{DPOP_ALGORITHMS}"' if scheme == "DPoP" else ""
    wanted = f', scope="{scope}"' if error == "insufficient_scope" else ""
    challenge = f'{scheme} error="{error}"{wanted}{algorithms}'
    status = 403 if error == "insufficient_scope" else 401
    return Refused(error, _TEXTS[error], status=status, headers={"www-authenticate": challenge})
