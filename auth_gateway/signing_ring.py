"""The keys that tokens are signed with, for as long as the longest-lived token needs them. No rules."""

from auth_gateway.adapters.keys import ACCESS_ALGORITHMS, ALGORITHMS, KeyRing, SigningKeyStore
from auth_gateway.core.provider.registration import LONGEST_ACCESS_TTL_SECONDS
from auth_gateway.settings import Settings
from plumbing.clock import Clock
from plumbing.database import Database


def signing_ring(settings: Settings, database: Database, key_store: SigningKeyStore, clock: Clock) -> KeyRing:
    """The ring of this gateway's own keys."""
    return KeyRing(
        database,
        key_store,
        clock,
        access_ttl_seconds=longest_access_seconds(settings),
        algorithms=ACCESS_ALGORITHMS if settings.provider_issuer is None else ALGORITHMS,
    )


def longest_access_seconds(settings: Settings) -> int:
    """How long the longest-lived access token may live: applications have lifetimes of their own."""
    return max(settings.access_ttl_min * 60, LONGEST_ACCESS_TTL_SECONDS)
