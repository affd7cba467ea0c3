"""What has run out is cleared away, so that the tables hold what is alive and a while of what was."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from auth_gateway.core.ssf.stream import UNCOLLECTED_SECONDS
from auth_gateway.flows.ports import (
    Clock,
    KnownDevices,
    MailedCodes,
    MailLinks,
    PendingLogins,
    RefreshTokens,
    Sessions,
    TrustedDevices,
)
from auth_gateway.flows.provider.ports import ProviderRepositories
from plumbing.database import Database
from plumbing.statements import Transaction

KEPT_SECONDS = 7 * 86_400  # a spent token or code that comes back within a week of its end still betrays a theft
DEVICE_KEPT_SECONDS = 180 * 86_400
ANSWERED_SECONDS = 86_400  # who comes back to a page, link or device the day after is told that it is over, not unknown
LATE_SECONDS = 300  # what counts once outlives its expiry by more than any leeway that a verifier grants


TOKENS_AT_A_TIME = 500  # few enough that nobody's refresh waits for the broom


SIGNALS_KEPT_SECONDS = 90 * 86_400
"""What a reviewer may want to see; one that comes again is refused by its signature's time after five minutes."""


class Expiring(Protocol):
    """Rows that end by age."""

    def forget_expired(self, tx: Transaction, expired_before: float) -> int:
        """Forget some of them; how many, 0 when none is left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """Clears away in short transactions; to be run now and then."""

    database: Database
    clock: Clock
    pending_logins: PendingLogins
    sessions: Sessions
    refresh_tokens: RefreshTokens
    devices: KnownDevices
    mailed_codes: MailedCodes
    mail_links: MailLinks
    trusted_devices: TrustedDevices
    provider: ProviderRepositories
    streams: Expiring
    session_signals: Expiring

    async def __call__(self) -> int:
        """How many rows are gone. The audit trail is never shortened here."""
        now = self.clock.now()
        gone = await self._clear_refresh_tokens(now - KEPT_SECONDS)
        for rows, kept_seconds in self._kept():
            gone += await self._clear(rows, now - kept_seconds)

        def job(tx: Transaction) -> int:
            return (
                self.pending_logins.forget_expired(tx, now - KEPT_SECONDS)
                + self.sessions.forget_ended(tx, now - KEPT_SECONDS)
                + self.refresh_tokens.forget_orphaned_families(tx)
                + self.provider.session_clients.forget_orphaned(tx)
                + self.devices.forget_unseen(tx, now - DEVICE_KEPT_SECONDS)
            )

        return gone + await self.database.write(job)

    def _kept(self) -> tuple[tuple[Expiring, int], ...]:
        """What ends by age, and for how long it is kept beyond."""
        provider = self.provider
        return (
            (self.mailed_codes, 0),
            (self.mail_links, ANSWERED_SECONDS),
            (self.trusted_devices, 0),
            (self.streams, UNCOLLECTED_SECONDS),
            (self.session_signals, SIGNALS_KEPT_SECONDS),
            (provider.browser_sessions, 0),
            (provider.interactions, ANSWERED_SECONDS),
            (provider.codes, KEPT_SECONDS),
            (provider.device_grants, ANSWERED_SECONDS),
            (provider.seen_once, LATE_SECONDS),
            (provider.revoked_tokens, LATE_SECONDS),
        )

    async def _clear(self, rows: Expiring, expired_before: float) -> int:
        gone = 0
        while some := await self.database.write(partial(rows.forget_expired, expired_before=expired_before)):
            gone += some
        return gone

    async def _clear_refresh_tokens(self, expired_before: float) -> int:
        gone = 0
        while True:
            old = await self.database.read_in_thread(
                lambda tx: self.refresh_tokens.expired(tx, expired_before, TOKENS_AT_A_TIME)
            )
            if not old:
                return gone
            gone += await self.database.write(partial(self.refresh_tokens.forget, token_digests=old))
