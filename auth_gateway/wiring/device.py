"""The device authorization grant. No rules."""

from fastapi import FastAPI

from auth_gateway.api.provider.authorization_reference import START_DEVICE
from auth_gateway.api.provider.device import DeviceRoutes
from auth_gateway.flows.provider.device import FindDevice, StartDevice
from auth_gateway.service import Service
from auth_gateway.wiring import sign_in
from auth_gateway.wiring.tokens import client_proof
from plumbing.lean import add_lean


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
    routes = _routes(service)
    start = routes.post_device_authorization
    add_lean(app, "/device_authorization", start, method="POST", summary="Begin on a device", operation=START_DEVICE)
    app.add_api_route("/device", routes.get_device, methods=["GET"], include_in_schema=False)
    app.add_api_route("/device", routes.post_device, methods=["POST"], include_in_schema=False)


def _routes(service: Service) -> DeviceRoutes:
    gateway = service.gateway
    grants = gateway.provider.device_grants
    return DeviceRoutes(
        browsers=sign_in.browsers(service),
        prove=client_proof(service),
        start=StartDevice(
            database=gateway.database,
            clock=gateway.clock,
            randomness=gateway.randomness,
            throttle=service.throttle,
            device_grants=grants,
        ),
        find=FindDevice(
            database=gateway.database,
            clock=gateway.clock,
            throttle=service.throttle,
            device_grants=grants,
            clients=gateway.clients,
        ),
        authorize=sign_in.authorize_by(gateway, service.login_routes()),
        wake_delivery=service.wake,
    )
