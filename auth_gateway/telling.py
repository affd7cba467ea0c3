"""Who is told of events: the gateway's parts become the distributor, and destinations become receivers. No rules."""

import asyncio
import socket
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from auth_gateway.adapters.destination_signer import DestinationSigner
from auth_gateway.adapters.ssf.sets import SignedSets
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.replays import StoredReplays
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.adapters.storage.tables import outbox as outbox_rows
from auth_gateway.assembly import Gateway
from auth_gateway.collectors import check_file, check_syslog, file_receiver, syslog_receiver
from auth_gateway.core.destination import PREFIX
from auth_gateway.flows.deliveries import Deliveries
from auth_gateway.flows.destinations import Listeners, webhook_check
from auth_gateway.flows.distribution import Distributor, Teller
from auth_gateway.flows.receivers import Receivers
from auth_gateway.flows.recording import EndpointName
from auth_gateway.flows.replays import AskReplays, Replayer
from auth_gateway.flows.ssf.oversight import Oversight
from auth_gateway.flows.ssf.telling import StreamTeller
from plumbing.refusals import Refused
from webhooks.delivery import Endpoint, Receiver
from webhooks.delivery_log import DeliveryLog
from webhooks.outbox import Outbox
from webhooks.standing import Standings
from webhooks.targets import TargetRefused

_LOG = DeliveryLog(outbox_rows)  # statements alone, as is the next
_STANDINGS = Standings(outbox_rows)
_OUTBOX = Outbox(outbox_rows)
PLAIN_TEXT = "text/plain; charset=utf-8"
SUBJECTS_PURPOSE = "stream-subjects"


def listeners(gateway: Gateway) -> Listeners:
    """Keeps the list of those who are told."""
    return Listeners(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        destinations=StoredDestinations(),
        vault=gateway.vault,
        outbox=_OUTBOX,
        audit=gateway.audit,
        checks={
            "webhook": webhook_check(allow_private=gateway.settings.is_demo),
            "syslog": check_syslog(gateway.settings),
            "file": check_file(gateway.settings),
        },
    )


def teller(gateway: Gateway) -> Teller:
    """What makes of a line what each destination is told."""
    settings, vault = gateway.settings, gateway.vault

    @lru_cache(maxsize=256)
    def key_of(destination_id: str) -> bytes:
        return vault.derive(f"told:{destination_id}")

    return Teller(
        tenant=settings.mfa_tenant,
        threshold=settings.webhook_risk_threshold,
        key_of=key_of,
        host=socket.gethostname(),
    )


def stream_teller(gateway: Gateway) -> StreamTeller | None:
    """What makes of a line what each stream of Shared Signals is told; None where there is no issuer to tell it."""
    issuer = gateway.settings.provider_issuer
    if issuer is None:
        return None
    return StreamTeller(
        issuer=issuer,
        key=gateway.vault.derive(SUBJECTS_PURPOSE),
        clock=gateway.clock,
        streams=StoredStreams(),
        users=gateway.users,
        sets=SignedSets(gateway.ring),
        events=teller(gateway).events,
    )


def oversight(gateway: Gateway) -> Oversight:
    """The operator's view of all streams."""
    return Oversight(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        streams=StoredStreams(),
        outbox=_OUTBOX,
        audit=gateway.audit,
    )


def distributor(gateway: Gateway, *, told: Callable[[], None]) -> Distributor:
    """What brings events from the audit trail to the outbox."""
    return Distributor(
        database=gateway.database,
        event_log=StoredEventLog(),
        destinations=StoredDestinations(),
        outbox=_OUTBOX,
        teller=teller(gateway),
        now=gateway.clock.now,
        told=told,
        streams=stream_teller(gateway),
    )


def deliveries(gateway: Gateway) -> Deliveries:
    """What became of the messages to each."""
    return Deliveries(listeners=listeners(gateway), log=_LOG, teller=teller(gateway))


def receivers(
    gateway: Gateway, named: Mapping[EndpointName, Receiver], stopped: Callable[[], Collection[str]]
) -> Receivers:
    """Everybody who gets messages; `named` are those of the settings, `stopped` says which of them are gone."""
    return Receivers(
        listeners=listeners(gateway),
        log=_LOG,
        standings=_STANDINGS,
        streams=None if gateway.settings.provider_issuer is None else StoredStreams(),
        named={name: getattr(each, "url", "") for name, each in named.items()},
        stopped=stopped,
    )


def replays(gateway: Gateway) -> AskReplays:
    """Begins and ends replays."""
    return AskReplays(listeners=listeners(gateway), replays=StoredReplays())


def replayer(gateway: Gateway, *, told: Callable[[], None]) -> Replayer:
    """What tells spans of the audit trail again."""
    return Replayer(
        database=gateway.database,
        event_log=StoredEventLog(),
        destinations=StoredDestinations(),
        replays=StoredReplays(),
        log=_LOG,
        outbox=_OUTBOX,
        teller=teller(gateway),
        now=gateway.clock.now,
        told=told,
    )


def is_destination(name: str) -> bool:
    """Whether messages of that name in the outbox are a destination's."""
    return name.startswith(PREFIX)


async def retire(gateway: Gateway, name: str, reason: str) -> bool:
    """Disable a destination that gets nothing more, so that its operator and the others are told; False when it is
    another kind of receiver."""
    if not is_destination(name):
        return False
    try:
        await asyncio.to_thread(listeners(gateway).retire, name, reason=reason)
    except Refused as refused:
        if refused.code != "unknown_destination":  # removed meanwhile
            raise
    return True


def destination_receiver(gateway: Gateway, name: str) -> Receiver | None:
    """How to send to that destination; None while it is disabled: what it should get waits.

    Raises: TargetRefused when it was removed, or when its address is none that we send to.
    """
    destinations = StoredDestinations()
    found = gateway.database.read(lambda tx: destinations.find(tx, name))
    if found is None:
        raise TargetRefused("removed")
    if found.disabled_at is not None:
        return None
    if found.kind == "syslog":
        return syslog_receiver(name, found.url, gateway.settings)
    if found.kind == "file":
        return file_receiver(name, found.url, gateway.settings)
    if found.kind != "webhook":
        return None
    signer = DestinationSigner(
        name, database=gateway.database, destinations=destinations, vault=gateway.vault, clock=gateway.clock
    )
    return Endpoint(
        name=name,
        url=found.url,
        signer=signer,
        allow_private=gateway.settings.is_demo,
        content_type=PLAIN_TEXT if found.format == "cef" else "application/json",
    )
