"""The way back of an MFA system, where the operator has said that its word counts. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.storage.guesses import StoredGuesses
from auth_gateway.api.verdict import VerdictRoutes, add_verdict
from auth_gateway.flows.verdict import TakeVerdict
from auth_gateway.service import Service
from auth_gateway.wiring.links import reporting


def add(app: FastAPI, service: Service) -> None:
    """Serve it."""
    add_verdict(
        app,
        VerdictRoutes(
            take=take_verdict(service),
            expected_keys=service.gateway.settings.webhook_keys,
            clock=service.gateway.clock,
            wake_delivery=service.wake,
        ),
    )


def take_verdict(service: Service) -> TakeVerdict:
    """Takes the words."""
    gateway = service.gateway
    return TakeVerdict(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        pending_logins=gateway.pending_logins,
        guesses=StoredGuesses(),
        seen_once=gateway.provider.seen_once,
        recorder=service.login_routes().login.recorder,
        reporting=reporting(service),
    )
