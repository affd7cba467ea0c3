"""What applications learn of the provider by themselves. Every word is kept by an endpoint; a test asks each of them.

Source: OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2; and the extensions named beside their fields.
"""

from dataclasses import dataclass
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.core.provider.assurance import LEVELS
from auth_gateway.core.provider.client import OPENID_SCOPES, AuthMethod, GrantType, SigningAlgorithm
from plumbing.asgi import json_answer

SECONDS = 300
CLIENT_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
"""What clients may sign assertions and proofs with."""
PERSON_CLAIMS = ("name", "preferred_username", "email", "email_verified")
TOKEN_CLAIMS = ("sub", "iss", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash")
PROVEN_METHODS = ("client_secret_basic", "private_key_jwt")


@dataclass(frozen=True, slots=True)
class DiscoveryRoutes:
    """The discovery document, the same at both of its addresses."""

    issuer: str

    async def get_document(self, _request: Request) -> Response:
        """May be cached as its headers say."""
        return json_answer(document(self.issuer), headers={"cache-control": f"public, max-age={SECONDS}"})


def document(issuer: str) -> dict[str, Any]:
    """The provider of that issuer."""
    return {**_endpoints(issuer), **_authorization(), **_clients(), **_tokens()}


def _endpoints(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",  # RFC 9126, section 5
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "device_authorization_endpoint": f"{issuer}/device_authorization",  # RFC 8628, section 4
        "end_session_endpoint": f"{issuer}/logout",  # RP-Initiated Logout 1.0, section 2.1
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
    }


def _authorization() -> dict[str, Any]:
    return {
        "scopes_supported": list(OPENID_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": list(LEVELS),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,  # RFC 9207, section 3
    }


def _clients() -> dict[str, Any]:
    return {
        "grant_types_supported": list(get_args(GrantType)),
        "token_endpoint_auth_methods_supported": list(get_args(AuthMethod)),
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": list(PROVEN_METHODS),
        "introspection_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": list(get_args(AuthMethod)),
        "revocation_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "dpop_signing_alg_values_supported": list(CLIENT_ALGORITHMS),  # RFC 9449, section 5.1
        "backchannel_logout_supported": True,  # Back-Channel Logout 1.0, section 2.1
        "backchannel_logout_session_supported": True,
    }


def _tokens() -> dict[str, Any]:
    return {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(get_args(SigningAlgorithm)),
        "claim_types_supported": ["normal"],
        "claims_supported": [*TOKEN_CLAIMS, *PERSON_CLAIMS],
    }
