"""The device authorization grant. No rules."""

from fastapi import FastAPI

from auth_gateway.api.provider.device import DeviceRoutes
from auth_gateway.api.reference import Schema, operation
from auth_gateway.flows.provider.device import FindDevice, StartDevice
from auth_gateway.service import Service
from auth_gateway.wiring import sign_in
from auth_gateway.wiring.tokens import client_proof
from plumbing.lean import add_lean


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
    routes = _routes(service)
    start = routes.post_device_authorization
    add_lean(app, "/device_authorization", start, method="POST", summary="Begin on a device", operation=_START)
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
        wake_delivery=service.delivery.wake,
    )


_START: Schema = operation(
    description="For a device without a browser (RFC 8628), as a form with the client's authentication: `scope`, and "
    "`acr_values` for a level that the person must reach. The person types `user_code` at `verification_uri`; the "
    "device polls the token endpoint meanwhile.",
    answers={"200": {"description": "`device_code`, `user_code`, where to type it, and how often to poll."}},
    refusals=("400", "401", "413", "415", "429", "503"),
    takes_client=True,
)
