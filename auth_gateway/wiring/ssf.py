"""Shared Signals: streams, and how their events get to receivers. No rules."""

from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import FastAPI

from auth_gateway.adapters.ssf.push import PushReceivers
from auth_gateway.adapters.ssf.sets import SignedSets
from auth_gateway.adapters.storage.mailbox import OutboxMailbox
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.api.ssf.discovery import TransmitterRoutes
from auth_gateway.api.ssf.polling import PollRoutes
from auth_gateway.api.ssf.receiving import ReceivingRoutes, add_receiving
from auth_gateway.api.ssf.reference import add_stream_routes, document_path
from auth_gateway.api.ssf.streams import StreamRoutes
from auth_gateway.core.ssf.stream import PREFIX
from auth_gateway.flows.ssf.collecting import POLL_SECONDS
from auth_gateway.flows.ssf.configuration import Configuration, target_check
from auth_gateway.flows.ssf.polling import Polling
from auth_gateway.flows.ssf.status import StreamStatus, Verification
from auth_gateway.flows.ssf.subjects import Subjects
from auth_gateway.service import Service
from auth_gateway.signals import collecting, receiving
from auth_gateway.telling import SUBJECTS_PURPOSE
from auth_gateway.upkeep import repeat
from auth_gateway.wiring import admin
from webhooks.delivery import Receiver


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them; from here on streams that are pushed are delivered."""
    gateway = service.gateway
    settings, sets = gateway.settings, SignedSets(gateway.ring)
    push = PushReceivers(
        database=gateway.database,
        streams=StoredStreams(),
        vault=gateway.vault,
        sets=sets,
        allow_private=settings.is_demo,
    )
    service.find_receiver = _either(push, service.find_receiver)
    gate, issuer = admin.gate(service), settings.jwt_issuer
    polling = Polling(
        database=gateway.database,
        clock=gateway.clock,
        streams=StoredStreams(),
        mailbox=OutboxMailbox(),
        sets=sets,
        bell=service.bell,
    )
    add_stream_routes(
        app,
        document=TransmitterRoutes(issuer, settings.ssf_default_subjects),
        well_known=document_path(urlsplit(issuer).path),
        streams=_stream_routes(service, sets),
        polls=PollRoutes(gate=gate, polling=polling),
    )
    _add_receiver(app, service)


def _add_receiver(app: FastAPI, service: Service) -> None:
    """Take other providers' events, pushed and fetched."""
    taking = receiving(service.gateway, told=service.wake)
    add_receiving(app, ReceivingRoutes(taking))
    service.more_work.append(lambda: repeat(POLL_SECONDS, collecting(service.gateway, taking)))


def _stream_routes(service: Service, sets: SignedSets) -> StreamRoutes:
    gateway = service.gateway
    database, clock, issuer = gateway.database, gateway.clock, gateway.settings.jwt_issuer
    streams, mailbox = StoredStreams(), OutboxMailbox()
    return StreamRoutes(
        gate=admin.gate(service),
        configuration=Configuration(
            database=database,
            clock=clock,
            randomness=gateway.randomness,
            streams=streams,
            mailbox=mailbox,
            outbox=service.outbox,
            vault=gateway.vault,
            audit=gateway.audit,
            issuer=issuer,
            default_subjects=gateway.settings.ssf_default_subjects,
            check_url=target_check(allow_private=gateway.settings.is_demo),
        ),
        status=StreamStatus(
            database=database,
            clock=clock,
            streams=streams,
            mailbox=mailbox,
            outbox=service.outbox,
            wake=service.hand_on,
        ),
        subjects=Subjects(
            database=database, streams=streams, issuer=issuer, key=gateway.vault.derive(SUBJECTS_PURPOSE)
        ),
        verification=verification(service, sets),
    )


def verification(service: Service, sets: SignedSets) -> Verification:
    """What has a stream prove that it works."""
    gateway = service.gateway
    return Verification(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        streams=StoredStreams(),
        clients=gateway.clients,
        sets=sets,
        outbox=service.outbox,
        issuer=gateway.settings.jwt_issuer,
        wake=service.hand_on,
    )


def _either(push: PushReceivers, others: Callable[[str], Receiver | None]) -> Callable[[str], Receiver | None]:
    def find(name: str) -> Receiver | None:
        return push(name) if name.startswith(PREFIX) else others(name)

    return find
