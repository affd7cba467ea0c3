"""An application as it is registered: what it may ask for, how it proves itself, what it gets. No look-up here."""

from typing import Literal, get_args

from auth_gateway.core.context import Client

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant type's name
CLIENT_CREDENTIALS = "client_credentials"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

GrantType = Literal[
    "authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"
]
AuthMethod = Literal["client_secret_basic", "private_key_jwt", "none"]
SigningAlgorithm = Literal["ES256", "RS256"]
ApplicationType = Literal["web", "native"]

AdminScope = Literal[
    "events:read", "webhooks:manage", "risk:read", "risk:write", "policy:read", "policy:write", "streams:manage"
]
"""What programs that run the gateway may be registered for."""

OPENID_SCOPES = ("openid", "profile", "email", "offline_access")
ADMIN_SCOPES: tuple[AdminScope, ...] = get_args(AdminScope)


class RegisteredClient(Client, frozen=True, kw_only=True):
    """One registration, in the names of OpenID Connect Dynamic Registration 1.0 where it has one.

    `application_type` "web" calls the token endpoint from a server of its own, so those calls say nothing about the
    person; "native" (also pages in a browser) calls from the person's own machine. `may_log_in` opens the JSON
    `/login`. A lifetime of None is the gateway's own; `audience` "" is the gateway's `JWT_AUDIENCE`. `jwks` is a JWK
    set as JSON, for `private_key_jwt`.
    """

    client_name: str = ""
    application_type: ApplicationType = "web"
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"  # noqa: S105 - a name
    grant_types: tuple[GrantType, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    jwks: str | None = None
    scopes: tuple[str, ...] = OPENID_SCOPES
    audience: str = ""
    access_ttl_seconds: int | None = None
    refresh_ttl_seconds: int | None = None
    id_token_signed_response_alg: SigningAlgorithm = "ES256"  # noqa: S105 - a name
    requires_consent: bool = False
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    may_log_in: bool = False
    may_introspect: bool = False

    @property
    def is_public(self) -> bool:
        """Whether it has nothing to prove itself with."""
        return self.token_endpoint_auth_method == "none"  # noqa: S105 - a method's name

    @property
    def name(self) -> str:
        """What people are shown."""
        return self.client_name or self.client_id

    def allowed_scope(self, asked: str) -> str:
        """What it gets of the scopes that it asked for, in their order, each once."""
        return " ".join(dict.fromkeys(scope for scope in asked.split() if scope in self.scopes))
