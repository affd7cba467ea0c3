"""What `/ready` looks at: each part of the gateway with the reason why it is not well. No rules.

People can log in when what is needed is well; the rest is told as information, since logins go on without it.
"""

import asyncio
from collections.abc import Awaitable, Callable

from auth_gateway.adapters.sealed_passwords import MISSING
from auth_gateway.adapters.storage.probe import write_and_undo
from auth_gateway.api.answers import PolicyState
from auth_gateway.assembly import Gateway
from auth_gateway.core.letter import MAIL_ENDPOINT
from plumbing.readiness import Parts
from plumbing.refusals import Refused
from plumbing.write_probe import WriteProbe
from webhooks.delivery import DeliveryWorker


def add_parts(
    parts: Parts,
    *,
    gateway: Gateway,
    scorer_problem: Callable[[], Awaitable[str | None]],
    policy_state: Callable[[], PolicyState],
    delivery: DeliveryWorker,
) -> None:
    """Everything that the gateway works with."""
    takes_writes = WriteProbe(gateway.database, gateway.clock, write_and_undo)

    async def database() -> str | None:
        try:
            await gateway.database.read_in_thread(gateway.users.schemes)
        except Refused as refused:
            return refused.code
        return None

    async def storage() -> str | None:
        return None if await takes_writes() else "not_writable"

    async def keys() -> str | None:
        try:
            gateway.ring.known()
        except LookupError:
            return "no_signing_key"
        return None if await _opens_passwords(gateway) else MISSING

    async def policy() -> str | None:
        state = policy_state()
        return state if state == "last_good_document" else None

    async def deliveries() -> str | None:
        return "attempts_fail" if delivery.failing - {MAIL_ENDPOINT} else None

    async def mail() -> str | None:
        return "attempts_fail" if MAIL_ENDPOINT in delivery.failing else None

    parts.add("database", database)
    parts.add("storage", storage)
    parts.add("keys", keys)
    parts.add("scorer", scorer_problem, is_needed=False)
    parts.add("policy", policy, is_needed=False)
    parts.add("deliveries", deliveries, is_needed=False)
    if gateway.settings.mail_server is not None:
        parts.add("mail", mail, is_needed=False)


async def _opens_passwords(gateway: Gateway) -> bool:
    try:
        kept = await gateway.database.read_in_thread(gateway.users.last_kept)
    except Refused:  # which `database` says
        return True
    return await asyncio.to_thread(gateway.users.passwords.look, kept)
