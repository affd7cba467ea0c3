"""Links in mails and what comes of them. No rules."""

from fastapi import FastAPI

from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.adapters.storage.recoverable import StoredRecoverables
from auth_gateway.adapters.storage.trusted_devices import StoredTrustedDevices
from auth_gateway.api.provider.links import LinkRoutes, WasThisYouPage
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.reporting import Reporting
from auth_gateway.service import Service
from auth_gateway.wiring import sign_in


def add(app: FastAPI, service: Service) -> None:
    """Serve them."""
    own = sign_in.browsers(service)
    routes = LinkRoutes(
        browsers=own,
        links=open_links(service),
        pages={"was_this_you": WasThisYouPage(browsers=own, reporting=reporting(service))},
        wake_delivery=service.delivery.wake,
    )
    app.add_api_route("/link/{token}", routes.get_link, methods=["GET"], include_in_schema=False)
    app.add_api_route("/link/{token}", routes.post_link, methods=["POST"], include_in_schema=False)


def open_links(service: Service) -> OpenLinks:
    """Finds links."""
    gateway = service.gateway
    return OpenLinks(database=gateway.database, clock=gateway.clock, mail_links=StoredMailLinks())


def reporting(service: Service) -> Reporting:
    """What takes the owner's word about a sign-in."""
    gateway = service.gateway
    return Reporting(
        database=gateway.database,
        clock=gateway.clock,
        randomness=gateway.randomness,
        users=gateway.users,
        recoverables=StoredRecoverables(),
        sessions=gateway.sessions,
        trusted_devices=StoredTrustedDevices(),
        ending=gateway.ending,
        links=open_links(service),
        mail_links=StoredMailLinks(),
        post_office=gateway.post_office,
        recorder=service.login_routes().login.recorder,
    )
