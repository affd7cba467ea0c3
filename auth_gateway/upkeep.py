"""What is done again and again while the gateway runs, beside answering. No rules."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from auth_gateway.adapters.storage.audit_retention import AuditRetention
from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.adapters.storage.mailed_codes import StoredMailedCodes
from auth_gateway.adapters.storage.session_signals import StoredSessionSignals
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.assembly import Gateway
from auth_gateway.flows.housekeeping import Housekeeping

HOUSEKEEPING_SECONDS = 3600.0

log = structlog.get_logger(__name__)


def housekeeping(gateway: Gateway) -> Housekeeping:
    """What clears away."""
    return Housekeeping(
        database=gateway.database,
        clock=gateway.clock,
        pending_logins=gateway.pending_logins,
        sessions=gateway.sessions,
        refresh_tokens=gateway.refresh_tokens,
        devices=gateway.devices,
        mailed_codes=StoredMailedCodes(),
        mail_links=StoredMailLinks(),
        trusted_devices=StoredTrustedDevices(),
        provider=gateway.provider,
        streams=StoredStreams(),
        session_signals=StoredSessionSignals(),
    )


def retention(gateway: Gateway) -> AuditRetention:
    """What shortens the audit trail, where an operator wants it shortened."""
    return AuditRetention(gateway.database, clock=gateway.clock, days=gateway.settings.event_log_retention_days)


def keeping_house(gateway: Gateway) -> list[Coroutine[Any, Any, None]]:
    """Everything that clears away, for ever."""
    return [
        repeat(HOUSEKEEPING_SECONDS, work)
        for work in (housekeeping(gateway), retention(gateway), gateway.sealing_keys.end)
    ]


async def repeat(pause_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work again and again; a failure is logged, and the next turn comes all the same."""
    while True:
        await asyncio.sleep(pause_seconds)
        try:
            await work()
        except Exception:
            log.exception("background_work_failed")
