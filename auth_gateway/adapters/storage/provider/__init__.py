"""What the OpenID provider keeps, one module for each thing that ends in its own way."""

from dataclasses import dataclass, field

from auth_gateway.adapters.storage.provider.browsers import StoredBrowserSessions, StoredSessionClients
from auth_gateway.adapters.storage.provider.codes import StoredAuthorizationCodes
from auth_gateway.adapters.storage.provider.consents import StoredConsents
from auth_gateway.adapters.storage.provider.device_grants import StoredDeviceGrants
from auth_gateway.adapters.storage.provider.interactions import StoredInteractions
from auth_gateway.adapters.storage.provider.once import StoredRevokedTokens, StoredSeenOnce


@dataclass(frozen=True, kw_only=True)
class ProviderStore:
    """The provider's repositories; they hold nothing but statements."""

    browser_sessions: StoredBrowserSessions = field(default_factory=StoredBrowserSessions)
    session_clients: StoredSessionClients = field(default_factory=StoredSessionClients)
    interactions: StoredInteractions = field(default_factory=StoredInteractions)
    codes: StoredAuthorizationCodes = field(default_factory=StoredAuthorizationCodes)
    device_grants: StoredDeviceGrants = field(default_factory=StoredDeviceGrants)
    consents: StoredConsents = field(default_factory=StoredConsents)
    seen_once: StoredSeenOnce = field(default_factory=StoredSeenOnce)
    revoked_tokens: StoredRevokedTokens = field(default_factory=StoredRevokedTokens)
