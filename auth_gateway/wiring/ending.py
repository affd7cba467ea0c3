"""Logout, revocation and introspection. No rules."""

from fastapi import FastAPI

from auth_gateway.flows.ending import Ending
from auth_gateway.service import Service


def ending(service: Service) -> Ending:
    """What every door ends sessions with."""
    return service.gateway.ending


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
