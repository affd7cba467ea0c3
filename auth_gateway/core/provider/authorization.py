"""An authorization request from the moment it is understood until its code is spent. Values only."""

from typing import Literal

import msgspec

from auth_gateway.core.factor import Demand

REQUEST_SECONDS = 60
"""How long a pushed request waits (RFC 9126, section 2.2, proposes 5 to 600)."""
INTERACTION_SECONDS = 1800
ACCOUNT_CLIENT_ID = "account"
"""Our own account pages, where an application would stand; no application may have this id."""
CODE_SECONDS = 60
"""RFC 6749, section 4.1.2, allows ten minutes; a client redeems at once."""

Card = Literal["password", "code", "new_password", "consent", "device", "denied", "done"]
"""What the person sees next on the sign-in page."""


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that has passed every check of its form. "" and None are "not asked".

    `code_challenge` is S256 always. `claims` is the `claims` parameter as JSON, `acr_values` the known ones in the
    order of preference, `dpop_jkt` the thumbprint that the code will be bound to (RFC 9449, section 10), `ui_locales`
    the first language of ours that was wished for.
    """

    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    state: str | None = None
    nonce: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    claims: str | None = None
    login_hint: str = ""
    id_token_hint_sub: str | None = None
    dpop_jkt: str | None = None
    ui_locales: str = ""


class DeviceApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A person at the sign-in page for a device that waits elsewhere (RFC 8628)."""

    client_id: str
    scope: str
    device_digest: bytes
    user_code: str
    acr_values: tuple[str, ...] = ()


class AccountVisit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person at the sign-in page on the way to the own account's `page`.

    `insufficient` is the session that was there and did not do: it is left behind where it `needs_login`, else made
    stronger by a factor that answers `demand`. `is_sensitive` pages change what the account is proven with.
    """

    client_id: str = ACCOUNT_CLIENT_ID
    page: str = ""
    is_sensitive: bool = False
    insufficient: str = ""
    needs_login: bool = False
    demand: Demand = "enrolled"


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One way through the sign-in page: what began it, and how far the person has come.

    `interaction_id` stands in the address; only the browser whose cookie has `binding_digest` (SHA-256) may go on with
    it, so a link sent to somebody else opens nothing. `session_id` is who was recognised here, `challenge` the sealed
    token of a second factor that is awaited.
    """

    interaction_id: str
    binding_digest: bytes
    client_id: str
    request: AuthorizationRequest | DeviceApproval | AccountVisit
    created_at: float
    expires_at: float
    card: Card = "password"
    session_id: str | None = None
    challenge: bytes | None = None
    incident_id: str | None = None
    finished_at: float | None = None

    @property
    def progress(self) -> tuple[object, ...]:
        """What changes from card to card: of two answers to one card, the second finds another."""
        return (self.card, self.session_id, self.challenge, self.finished_at)


class AuthorizationCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a code stands for; the code itself is kept as its SHA-256."""

    code_digest: bytes
    client_id: str
    session_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    created_at: float
    expires_at: float
    nonce: str | None = None
    claims: str | None = None
    dpop_jkt: str | None = None
    used_at: float | None = None


class PushedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that its client pushed beforehand, by the SHA-256 of its `request_uri`; used once."""

    request_digest: bytes
    request: AuthorizationRequest
    expires_at: float


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has agreed to give an application."""

    user_id: str
    client_id: str
    scope: str
    granted_at: float


class BrowserSession(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in at one browser, by the SHA-256 of its cookie.

    The cookie's value is new after each login and each step-up, and so is the session that it leads to; `browser_id`
    stays, so that signing out ends every session that began here.
    """

    token_digest: bytes
    browser_id: str
    session_id: str
    user_id: str
    created_at: float
    expires_at: float
