"""What an operator does for somebody who has lost everything. No rules."""

from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.recovery_codes import StoredRecoveryCodes
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.assembly import Gateway
from auth_gateway.flows.factor_removal import RemoveFactors


def remove_factors(gateway: Gateway) -> RemoveFactors:
    """Takes a person's factors away."""
    return RemoveFactors(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        factors=gateway.factors,
        passkeys=StoredPasskeys(),
        recovery_codes=StoredRecoveryCodes(),
        trusted_devices=StoredTrustedDevices(),
        sessions=gateway.sessions,
        ending=gateway.ending,
        audit=gateway.audit,
    )
