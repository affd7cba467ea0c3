"""What receivers learn of the transmitter by themselves. Every word is kept by an endpoint; a test asks each of them.

Source: OpenID Shared Signals Framework 1.0, section 7.1.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.core.ssf.stream import POLL, PUSH, DefaultSubjects
from plumbing.asgi import json_answer

SECONDS = 300
PATH = "/.well-known/ssf-configuration"


@dataclass(frozen=True, slots=True)
class TransmitterRoutes:
    """The transmitter's configuration document."""

    issuer: str
    default_subjects: DefaultSubjects

    async def get_document(self, _request: Request) -> Response:
        """May be cached as its headers say."""
        told = transmitter(self.issuer, self.default_subjects)
        return json_answer(told, headers={"cache-control": f"public, max-age={SECONDS}"})


def transmitter(issuer: str, default_subjects: DefaultSubjects) -> dict[str, Any]:
    """The transmitter of that issuer."""
    return {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "delivery_methods_supported": [PUSH, POLL],
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "add_subject_endpoint": f"{issuer}/ssf/subjects/add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects/remove",
        "verification_endpoint": f"{issuer}/ssf/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": default_subjects,
    }
