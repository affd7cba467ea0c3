"""Everybody who gets messages of this gateway, for programs that look after deliveries. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.ssf.sets import SignedSets
from auth_gateway.api.admin import delivery_reference as reference
from auth_gateway.api.admin.deliveries import DeliveryRoutes
from auth_gateway.service import Service
from auth_gateway.telling import deliveries, receivers
from auth_gateway.wiring.admin import gate
from auth_gateway.wiring.ssf import verification
from plumbing.lean import add_lean

ROOT = "/admin/deliveries"
ONE = f"{ROOT}/{{receiver}}"


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
    gateway = service.gateway
    verify = verification(service, SignedSets(gateway.ring))

    async def sent(client_id: str, stream_id: str) -> None:
        await verify(client_id, stream_id, None)

    routes = DeliveryRoutes(
        gate=gate(service),
        receivers=receivers(gateway, service.endpoints, lambda: service.delivery.disabled),
        deliveries=deliveries(gateway),
        verify=sent,
        wake=service.wake,
    )
    for method, path, endpoint, summary, operation in (
        ("GET", ROOT, routes.get_all, "Who gets messages", reference.LIST),
        ("GET", ONE, routes.get_one, "One of them and its messages", reference.SHOW),
        ("POST", f"{ONE}/retry", routes.post_retry, "Try messages now", reference.RETRY),
        ("POST", f"{ONE}/test", routes.post_test, "Send a test message", reference.TEST),
    ):
        add_lean(app, path, endpoint, method=method, summary=summary, operation=operation)
