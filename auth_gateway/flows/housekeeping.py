"""What has run out is cleared away, so that the tables hold what is alive and a while of what was."""

from dataclasses import dataclass
from functools import partial

from auth_gateway.flows.ports import Clock, KnownDevices, PendingLogins, RefreshTokens, Sessions
from plumbing.database import Database
from plumbing.statements import Transaction

KEPT_SECONDS = 7 * 86_400  # a spent token that comes back within a week of its end still betrays a theft
DEVICE_KEPT_SECONDS = 180 * 86_400


TOKENS_AT_A_TIME = 500  # few enough that nobody's refresh waits for the broom


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """Clears away in short transactions; to be run now and then."""

    database: Database
    clock: Clock
    pending_logins: PendingLogins
    sessions: Sessions
    refresh_tokens: RefreshTokens
    devices: KnownDevices

    async def __call__(self) -> int:
        """How many rows are gone. The audit trail is never shortened here."""
        now = self.clock.now()
        gone = await self._clear_refresh_tokens(now - KEPT_SECONDS)

        def job(tx: Transaction) -> int:
            return (
                self.pending_logins.forget_expired(tx, now - KEPT_SECONDS)
                + self.sessions.forget_ended(tx, now - KEPT_SECONDS)
                + self.refresh_tokens.forget_orphaned_families(tx)
                + self.devices.forget_unseen(tx, now - DEVICE_KEPT_SECONDS)
            )

        return gone + await self.database.write(job)

    async def _clear_refresh_tokens(self, expired_before: float) -> int:
        gone = 0
        while True:
            old = await self.database.read_in_thread(
                lambda tx: self.refresh_tokens.expired(tx, expired_before, TOKENS_AT_A_TIME)
            )
            if not old:
                return gone
            gone += await self.database.write(partial(self.refresh_tokens.forget, token_digests=old))
