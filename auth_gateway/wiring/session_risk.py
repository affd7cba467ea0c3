"""What answers the risk of sessions: adapters joined with flows. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.storage.session_signals import StoredSessionSignals
from auth_gateway.adapters.storage.shields import StoredShields
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.api.signals import SignalRoutes, add_signals
from auth_gateway.flows.session_responses import SessionResponses
from auth_gateway.flows.session_signal import TakeSignal
from auth_gateway.followers import risk_follower
from auth_gateway.receivers import recorder
from auth_gateway.service import Service


def add(app: FastAPI, service: Service) -> None:
    """Serve it, where somebody may sign for it."""
    gateway = service.gateway
    keys = gateway.settings.session_signal_keys
    if keys:
        take = take_signal(service)
        routes = SignalRoutes(take=take, expected_keys=keys, clock=gateway.clock, wake_delivery=service.wake)
        add_signals(app, routes)


def take_signal(service: Service) -> TakeSignal:
    """Takes the scorer's word."""
    gateway, in_force = service.gateway, service.policing.in_force
    return TakeSignal(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        sessions=gateway.sessions,
        signals=StoredSessionSignals(),
        responses=SessionResponses(
            users=gateway.users,
            shields=StoredShields(),
            sessions=gateway.sessions,
            trusted_devices=StoredTrustedDevices(),
            ending=gateway.ending,
            recorder=recorder(gateway),
        ),
        follower=risk_follower(gateway.settings),
        marks=lambda: in_force.document.session_marks,
    )
