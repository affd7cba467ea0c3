"""A device without a browser of its own asks for a code, and a person types that code elsewhere. What the person then
says, and what the device gets, is the business of `consent` and `redeem`.

Source: RFC 8628.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.provider.assurance import LEVELS
from auth_gateway.core.provider.authorization import DeviceApproval
from auth_gateway.core.provider.client import DEVICE_CODE, RegisteredClient
from auth_gateway.core.provider.device_grant import (
    DEVICE_GRANT_SECONDS,
    DeviceGrant,
    drawn_user_code,
    normal_user_code,
)
from auth_gateway.core.rotation import digest
from auth_gateway.core.throttle import device_keys, user_code_keys
from auth_gateway.flows.answers import NotGranted, Throttled
from auth_gateway.flows.ports import Clients, Clock, Randomness, Throttle
from auth_gateway.flows.provider.ports import DeviceGrants
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

CODE_BYTES = 16
TRIES = 4
"""One user code in a million is taken when 25,000 devices wait at once; four in a row never are."""
LONGEST_USER_AGENT = 256


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The device's secret, and what it shows to its person."""

    device_code: str
    grant: DeviceGrant


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The device that a typed code stands for."""

    approval: DeviceApproval
    client: RegisteredClient


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDevice:
    """Answers a device that asks for a code (section 3.1)."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    device_grants: DeviceGrants

    async def __call__(
        self, client: RegisteredClient, *, scope: str, acr_values: str, ip: str, user_agent: str
    ) -> Waiting | NotGranted | Throttled:
        """A device code and its user code; `scope` "" asks for all that the application is registered for. Only
        applications on people's own machines say where the device is, and only those are counted by their network.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if DEVICE_CODE not in client.grant_types:
            return NotGranted("unauthorized_client")
        granted = client.allowed_scope(scope) if scope else " ".join(client.scopes)
        if not granted:
            return NotGranted("invalid_scope")
        is_of_the_person = client.application_type == "native" or client.is_public
        now = self.clock.now()
        counted = await self.throttle.reserve(device_keys(ip) if is_of_the_person else (), now)
        if counted.wait_seconds > 0:
            return Throttled(retry_after_seconds=counted.wait_seconds)
        device_code = self.randomness.token()
        grant = DeviceGrant(
            device_digest=digest(device_code),
            user_code="",
            client_id=client.client_id,
            scope=granted,
            created_at=now,
            expires_at=now + DEVICE_GRANT_SECONDS,
            ip=ip if is_of_the_person else "",
            user_agent=user_agent[:LONGEST_USER_AGENT] if is_of_the_person else "",
            acr_values=tuple(dict.fromkeys(value for value in acr_values.split() if value in LEVELS)),
        )
        drawn = [drawn_user_code(self.randomness.bytes(CODE_BYTES)) for _ in range(TRIES)]
        kept = await self.database.write(lambda tx: self._keep(tx, grant, drawn))
        return Waiting(device_code=device_code, grant=kept)

    def _keep(self, tx: Transaction, grant: DeviceGrant, drawn: list[str]) -> DeviceGrant:
        for user_code in drawn:
            named = msgspec.structs.replace(grant, user_code=user_code)
            if self.device_grants.add(tx, named):
                return named
        raise Refused("busy", "Too many devices wait.", status=503, retry_after_seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindDevice:
    """Finds the device that a person's typed code stands for (section 3.3)."""

    database: Database
    clock: Clock
    throttle: Throttle
    device_grants: DeviceGrants
    clients: Clients

    async def __call__(self, typed: str, *, ip: str, binding: bytes) -> Found | Throttled | None:
        """The device while it waits for its first answer; None looks the same for a code that never was, one that was
        answered and one that is too old. Only misses count, against the network and the browser (`binding`)."""
        now = self.clock.now()
        counted = await self.throttle.reserve(user_code_keys(ip=ip, browser=binding.hex()), now)
        if counted.wait_seconds > 0:
            return Throttled(retry_after_seconds=counted.wait_seconds)
        user_code = normal_user_code(typed)
        found = None if user_code is None else self.database.read(lambda tx: self._found(tx, user_code, now))
        if found is not None:
            await self.throttle.refund(counted)
        return found

    def _found(self, tx: Transaction, user_code: str, now: float) -> Found | None:
        grant = self.device_grants.by_user_code(tx, user_code)
        if grant is None or grant.state != "pending" or now >= grant.expires_at:
            return None
        client = self.clients.find(tx, grant.client_id)
        if client is None:
            return None
        approval = DeviceApproval(
            client_id=grant.client_id,
            scope=grant.scope,
            device_digest=grant.device_digest,
            user_code=grant.user_code,
            acr_values=grant.acr_values,
        )
        return Found(approval=approval, client=client)
